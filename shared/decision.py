"""What `decide` takes and gives: a delivery in; changed states, messages and timers out."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from shared.messages import Message


class Unexpected(Exception):
    """A message that means nothing in this state: it goes to the dead letters, its key waits."""

    def __init__(self, code: str, why: str) -> None:
        super().__init__(why)
        self.code = code


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message with its envelope.

    `at` is the business time of handling (never read from a clock by `decide`); `sent_at` is the
    real time at which it entered the outbox; `id` is `uuid5(cause, index)`.
    """

    id: UUID
    key: str
    message: Message
    at: datetime
    sent_at: datetime
    correlation: UUID


@dataclass(frozen=True, slots=True)
class Timer:
    """At `due_at` (business time) `message` is sent. One timer per (`key`, `id`): a later one
    replaces it, and one without a message cancels it.
    """

    key: str
    id: UUID
    due_at: datetime | None
    message: Message | None


@dataclass(frozen=True, slots=True)
class Decision:
    """New states by their key in `States`, and what to say. A state is never mutated."""

    changes: Mapping[Hashable, object] = field(default_factory=dict)
    out: Sequence[Message] = ()
    timers: Sequence[Timer] = ()


States = dict[Hashable, object]
"""What `load` read and earlier messages of the batch changed, by any key the service chooses."""

NOTHING = Decision()
