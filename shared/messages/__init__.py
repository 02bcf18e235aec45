"""What travels on the bus: every message is declared once, in a module of its owner
(`settlement.py`, `settlement_netting.py`).

A message's type string says owner, name and version (`settlement.credit-advance.v1`); its topic
and its key follow from it. Bodies carry data only, with no name, ID number, phone or bank
account in the clear. Money is whole fen; a month is `year * 12 + month - 1` (`shared.months`).
"""

import re
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, StringConstraints

from shared.ids import uuid5

NAMESPACE = UUID("6f2d1c64-2f0e-5b0a-9a3c-4a6965787531")

Text = Annotated[str, StringConstraints(max_length=500, pattern=r"^[^\x00]*$")]
"""Free text from outside. NUL would be refused by the database, so it is refused here."""

RegionCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$")]
Fen = Annotated[int, "whole fen"]
Month = Annotated[int, "year * 12 + month - 1"]
Ranges = tuple[tuple[Month, Month], ...]
Scheme = Literal["310", "390"]
Trigger = Literal["auto", "person", "employer", "agency"]

CATALOGUE: dict[str, type["Message"]] = {}


class Message(BaseModel):
    """One frozen message. `to` is the region it is for; `key` orders it among its kind."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    type: ClassVar[str] = ""
    owner: ClassVar[str] = ""
    stream: ClassVar[str] = ""
    major: ClassVar[int] = 1

    to: RegionCode

    @classmethod
    def __pydantic_init_subclass__(cls, **_: object) -> None:
        if cls.__module__ == __name__:
            return
        name = re.sub(r"(?<!^)(?=[A-Z])", "-", cls.__name__).lower()
        cls.owner = cls.__module__.rsplit(".", 1)[1].partition("_")[0]
        cls.type = f"{cls.owner}.{name}.v{cls.major}"
        if cls.type in CATALOGUE:
            raise TypeError(f"{cls.type} is declared twice")
        CATALOGUE[cls.type] = cls

    @property
    def key(self) -> str:
        """What orders this message: the person it concerns, else what it concerns."""
        raise NotImplementedError

    def topic(self, cell: str) -> str:
        """The topic this message is published on in `cell`."""
        return f"{cell}.{self.owner}.{self.stream}"


class Command(Message):
    """Asks the owner to do something; named in the imperative."""

    stream: ClassVar[str] = "commands"


class Event(Message):
    """Says what the owner has done; named in the past tense."""

    stream: ClassVar[str] = "events"


class PersonCommand(Command):
    """A command about one person; `person` is the person key (32 hex digits)."""

    person: str

    @property
    def key(self) -> str:
        return self.person


class PersonEvent(Event):
    """An event about one person; `person` is the person key (32 hex digits)."""

    person: str

    @property
    def key(self) -> str:
        return self.person


class ByTwo(Message):
    """What two people decided: `proposed_by` one, `approved_by` another; `reason` is a code."""

    proposed_by: Text
    approved_by: Text
    reason: Text
    why: Text = ""

    @property
    def by_two(self) -> bool:
        """Whether it was two people."""
        return bool(self.proposed_by and self.approved_by) and self.proposed_by != self.approved_by


def record_uuid(source: str, record_id: str) -> UUID:
    """The id of an upstream record, the same for ever."""
    return uuid5(NAMESPACE, f"record\x1f{source}\x1f{record_id}")


def transfer_uuid(source: str, record_id: str) -> UUID:
    """The id of the transfer that an upstream record asks for or starts."""
    return uuid5(NAMESPACE, f"transfer\x1f{source}\x1f{record_id}")


def next_uuid(cause: UUID, index: int | str) -> UUID:
    """The id of the index-th message that `cause` leads to: repeating a cause repeats its ids."""
    return uuid5(cause, str(index))
