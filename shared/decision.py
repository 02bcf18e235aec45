"""What `decide` takes and gives: a delivery in; changed states, messages and timers out."""

import dataclasses
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple, TypeVar
from uuid import UUID

from shared.messages import Message


class Unexpected(Exception):
    """A message that means nothing in this state: it goes to the dead letters, its key waits."""

    def __init__(self, code: str, why: str) -> None:
        super().__init__(why)
        self.code = code


class Delivery(NamedTuple):
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

State = TypeVar("State")

if TYPE_CHECKING:
    replace = dataclasses.replace
else:

    def replace(state: State, /, **changes: object) -> State:
        """`dataclasses.replace`, in a tenth of its time for a state without slots.

        A saga's step replaces a few of forty fields several times over; the library's own calls
        the constructor, which sets each field by itself.
        """
        if not hasattr(state, "__dict__"):
            return dataclasses.replace(state, **changes)
        fields = {**state.__dict__, **changes}
        if len(fields) != len(state.__dict__):
            unknown = ", ".join(changes.keys() - state.__dict__.keys())
            raise TypeError(f"{type(state).__name__} has no {unknown}")
        return restored(type(state), fields)


def restored(kind: type[State], fields: dict[str, object]) -> State:
    """A state of a class without slots as it was kept, all its fields given: its constructor would
    set each by itself.
    """
    made = object.__new__(kind)
    object.__setattr__(made, "__dict__", fields)
    return made
