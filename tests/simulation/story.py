"""What happened in a world, kept as it happened and written down only when it is asked for."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from shared.messages import Message
from shared.messages.enrollment import RecordJoined
from shared.messages.settlement import AdvanceCredited, Applied
from shared.messages.transfer import Closed, Escalated

if TYPE_CHECKING:
    from tests.simulation.host import Handled

LONGEST = 120
_NOT_TOLD = frozenset({"to", "person", "sealed", "name_keys", "source", "occurred_at", "digest"})


def code_of(message: Message) -> str | None:
    """What tells a rare message of its kind from the others."""
    match message:
        case AdvanceCredited(moved_on=True):
            return "moved on"
        case Applied(late=True):
            return "late"
        case RecordJoined(waiting_months=waiting) if waiting:
            return "waits"
        case Escalated(level=level):
            return str(level)
        case Closed(record=record, money=money):
            return f"{record}/{money}"
        case _:
            return getattr(message, "code", None) or getattr(message, "reason", None)


class Told:
    """Who said what to whom, and what failed. `marks` counts kinds of messages by their code."""

    def __init__(self) -> None:
        self.lines: list[tuple[datetime, str, str | Message, tuple[Message, ...]]] = []
        self.marks: Counter[tuple[str, str | None]] = Counter()
        self.faults = 0

    def heard(self, at: datetime, who: str, message: Message) -> None:
        """A message that came from outside or from a timer."""
        self.lines.append((at, who, message, ()))
        self.marks[message.type, getattr(message, "action", None)] += 1

    def fault(self, at: datetime, what: str) -> None:
        """Something failed, as the seed wanted it."""
        self.lines.append((at, "FAULT", what, ()))
        self.faults += 1

    def handled(self, at: datetime, who: str, handled: "Handled") -> None:
        """A batch was committed."""
        said: dict[object, list[Message]] = {}
        for item, _, message in handled.folded.out:
            said.setdefault(item.id, []).append(message)
            self.marks[message.type, code_of(message)] += 1
        for item in handled.fresh:
            if item.delivery:
                out = tuple(said.get(item.id, ()))
                self.lines.append((at, who, item.delivery.message, out))

    def text(self, person: str | None = None) -> Iterator[str]:
        """The story, of one key alone if that is asked for."""
        for at, who, what, said in self.lines:
            when = f"{at:%m-%d %H:%M:%S}"
            if isinstance(what, str):
                yield f"{when}  ** {what}"
            elif person in (None, what.key) and (said or who in ("outside", "timer")):
                yield f"{when}  {who:12} {'sends' if not said else 'hears'} {_shown(what)}"
                yield from (f"{'':31}→ {_shown(m)}" for m in said)


def _shown(message: Message) -> str:
    fields = message.model_dump(exclude_defaults=True, exclude=set(_NOT_TOLD), mode="json")
    if "transfer" in fields:
        fields["transfer"] = str(fields["transfer"])[:8]
    owner, name, _ = message.type.split(".")
    text = " ".join(f"{key}={value}" for key, value in fields.items() if value is not None)
    return f"{owner}.{name} {message.key[-2:]}@{message.to} {text}"[:LONGEST]
