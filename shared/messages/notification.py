"""What notification announces: which letter reached nobody."""

from typing import Literal
from uuid import UUID

from shared.messages import PersonEvent


class LetterSent(PersonEvent):
    """A letter was delivered on a channel: said until notification answered that itself."""

    transfer: UUID | None = None
    letter: UUID
    kind: str
    channel: str


class LetterFailed(PersonEvent):
    """A letter could not be delivered after all attempts."""

    transfer: UUID | None = None
    letter: UUID
    kind: str
    channel: str
    code: Literal["no-recipient", "channel-refused", "gave-up", "no-words"]
