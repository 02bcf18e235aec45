"""What an operator tells a service about a message that it refused."""

from typing import Literal
from uuid import UUID

from shared.messages import Command, Text


class Redrive(Command):
    """Settle the refused message at the head of a key, and work through what waits behind it.

    `body` and `edited_type`, if given, take the place of the refused message's own; `letter` is
    the dead letter that the operator looked at, so that a second click changes nothing.
    """

    service: str
    waiting: str
    letter: UUID
    action: Literal["redrive", "discard"]
    by: Text
    why: Text = ""
    body: str | None = None
    edited_type: str | None = None

    @property
    def key(self) -> str:
        return self.waiting

    def topic(self, cell: str) -> str:
        return f"{cell}.{self.service}.commands"
