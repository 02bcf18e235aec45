"""What the books remember of a bank's messages; each is a row of a table of migration 0010."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.messages.settlement_bank import NoteKind


@dataclass(frozen=True, slots=True)
class Announcement:
    """A return that the bank has announced (pacs.004); `counted_fen` of it was news."""

    person: str
    announcement: UUID
    transfer: UUID
    amount_fen: int
    counted_fen: int
    code: str


@dataclass(frozen=True)
class Note:
    """What waits for a person, or was dealt with."""

    note: UUID
    account: str
    region: str
    kind: NoteKind
    code: str
    amount_fen: int | None
    transfers: tuple[UUID, ...]
    run: str
    reference: str
    recorded_at: datetime
    state: str = "open"
    agreed: bool | None = None
    answered_by: str | None = None
    why: str | None = None
    answered_at: datetime | None = None
