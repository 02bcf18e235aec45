"""Work items and their history as frozen rows (`deploy/migrations/sql/people.sql`)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from shared.ids import uuid5
from shared.messages import NAMESPACE

ItemState = Literal["open", "proposed", "approved", "rejected", "done"]
BOOKS = "books"
"""Who opened an item, where it was no person."""


@dataclass(frozen=True)
class Item:
    """Something that a person must look at. `about` is the key of what it concerns."""

    about: str
    item: UUID
    queue: str
    region: str
    subject: str
    opened_by: str
    opened_at: datetime
    amount_fen: int | None = None
    facts: Mapping[str, object] | None = None
    state: ItemState = "open"
    proposal: UUID | None = None
    act: str | None = None
    body: Mapping[str, object] | None = None
    reason: str | None = None
    why: str | None = None
    proposed_by: str | None = None
    proposed_at: datetime | None = None
    decided_by: str | None = None
    decided_at: datetime | None = None

    @property
    def waits(self) -> bool:
        """Whether somebody has to do something about it."""
        return self.state in {"open", "proposed"}


@dataclass(frozen=True, slots=True)
class ItemStep:
    """One thing that was done with an item; steps are only ever added."""

    about: str
    item: UUID
    step: UUID
    cause: UUID
    at: datetime
    what: str
    by: str
    code: str | None = None
    act: str | None = None
    body: Mapping[str, object] | None = None
    why: str | None = None


def item_id(queue: str, region: str, subject: str) -> UUID:
    """The id of an item: the same for the same subject, however often it is opened."""
    return uuid5(NAMESPACE, f"item\x1f{queue}\x1f{region}\x1f{subject}")


def part_subject(receipt: UUID, part: int) -> str:
    """How an item names one payment of a receipt."""
    return f"{receipt}/{part}"
