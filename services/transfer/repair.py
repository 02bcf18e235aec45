"""What an operator does with a transfer: pause, resume, retry; and what a transfer waits for.

Nothing is lost by a pause: what comes is handled, money in flight is applied, and what the saga
would say is held in the transfer until it is resumed. A retry says again what nobody has answered;
every receiver knows such a command by its natural key and answers it as the first time.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from services.transfer import commands as c
from services.transfer import compensation
from services.transfer.states import (
    Asked,
    Held,
    Paused,
    Record,
    Step,
    Transfer,
    go,
    ignore,
)
from shared.decision import replace
from shared.messages import Message
from shared.messages.catalogue import read
from shared.messages.enrollment import JoinRecord
from shared.messages.settlement import CreditAdvance
from shared.messages.settlement_compensation import AdjustAdvance
from shared.messages.transfer import Act, Pause, Resume
from shared.policy import Corridor


def act(now: Transfer, message: Act, at: datetime, rules: Corridor) -> Step:
    """Pause or retry. Whoever asks, and why, stands in the sentence of the step."""
    asked = f"({message.by}: {message.why})"
    if now.paused:
        return ignore(now, f"it is paused: resuming says what is held back {asked}")
    if isinstance(message, Pause):
        if now.closed_at:
            return ignore(now, f"the transfer has ended: there is nothing to hold back {asked}")
        paused = replace(now, paused=Paused(at, message.by, message.why))
        return go(paused, f"paused: what it would say is held back {asked}")
    again = unanswered(now, rules)
    if not again:
        return ignore(now, f"no command is unanswered {asked}")
    return go(now, f"what nobody has answered is said again {asked}", *again)


def resume(now: Transfer, message: Resume, reminded: Step) -> Step:
    """Says what was held back, in order, then what is late; `reminded` is without the pause."""
    asked = f"({message.by}: {message.why})"
    if now.paused is None:
        return ignore(now, f"it is not paused {asked}")
    held = [read(h.type, h.body.encode()) for h in now.held]
    return replace(
        reminded,
        kind="goes",
        why=f"resumed: what was held back is said now {asked}",
        say=(*held, *reminded.say),
    )


def unpaused(now: Transfer) -> Transfer:
    """The transfer without its pause."""
    return replace(now, paused=None, held=())


_KEPT = (JoinRecord, CreditAdvance, AdjustAdvance)


def keep(step: Step) -> Step:
    """The step, with what a later retry needs of it, and held back while the transfer is paused."""
    now = step.transfer
    if now is None or step.kind != "goes":
        return step
    new = [_asked(m) for m in step.say if isinstance(m, _KEPT)]
    if new or now.asked:
        repeated = {ask.body for ask in new}
        asked = (*(ask for ask in now.asked if ask.body not in repeated), *new)
        now = replace(now, asked=tuple(ask for ask in asked if _is_open(now, ask)))
    if now.paused and step.say:
        said = tuple(Held(m.type, m.model_dump_json(exclude_defaults=True)) for m in step.say)
        return replace(step, transfer=replace(now, held=(*now.held, *said)), say=())
    return step if now is step.transfer else replace(step, transfer=now)


_AT_D = ("released", "joined", "disputed")


def _asked(message: JoinRecord | CreditAdvance | AdjustAdvance) -> Asked:
    body = message.model_dump_json(exclude_defaults=True)
    return Asked(message.type, message.version, body)


def _is_open(now: Transfer, asked: Asked) -> bool:
    if asked.type == JoinRecord.type:
        current = asked.version == now.version and now.joined_version < now.version
        return current and (
            now.record in _AT_D or (now.record == "restoring" and not now.months_out)
        )
    late = now.funds.answered < asked.version
    return late and (now.funds.awaiting > 0 or asked.type == AdjustAdvance.type)


def later(now: Transfer, command: JoinRecord) -> Transfer:
    """The transfer with a command to join months that is not said yet."""
    return replace(now, asked=(*now.asked, _asked(command)))


def unjoined(now: Transfer) -> list[Message]:
    """The command to join the last version of the record, if D has not joined it."""
    return [read(ask.type, ask.body.encode()) for ask in now.asked if ask.type == JoinRecord.type]


def unanswered(now: Transfer, rules: Corridor) -> list[Message]:
    """The last command of each leg that nobody has answered, as it was said."""
    say: list[Message] = []
    if not now.version and now.withdrawing and now.record != "withdrawn":
        say.append(c.cancel_release(now))
    elif now.record in ("opened", "releasing"):
        say.append(c.release_record(now))
    elif now.record == "disputed":
        say.append(c.correct_record(now))
    elif now.record == "restoring":
        region = now.origin if now.months_out else now.destination
        say.append(compensation.restore_record(now, region))
    waits = now.record in ("disputed", "restoring")
    kept = [ask for ask in now.asked if not (waits and ask.type == JoinRecord.type)]
    say += [read(ask.type, ask.body.encode()) for ask in kept]
    if now.version and now.money in ("pending", "withheld"):
        say.append(c.ask_money(now, rules))
    if now.money == "restoring":
        say += _way_back(now)
    return say


def _way_back(now: Transfer) -> list[Message]:
    funds = now.funds
    if funds.reversed < funds.reversals:
        return [compensation.reverse_advance(now)]
    # With two restorations under way nobody knows how much of it is whose.
    one = funds.restorations + 1 == funds.reversed
    return [compensation.restore_funds(now, funds.restoring)] if one else []


@dataclass(frozen=True, slots=True)
class Wait:
    """What one leg of a transfer waits for, of whom, and what an operator can do about it."""

    leg: Literal["record", "money", "both"]
    awaits: str
    of: str
    do: str


_RETRY = "jiexu retry ID --reason …; or look at jiexu dead-letters"
_RECORD: dict[Record, tuple[str, str]] = {
    "opened": ("the origin's answer to the request (受理)", _RETRY),
    "releasing": ("the record (参保信息表)", "ask the origin's clerks; or jiexu retry ID"),
    "released": ("the months to be joined (转入办结)", _RETRY),
    "disputed": ("a corrected record (纠错)", "ask the origin; or jiexu retry ID"),
    "restoring": ("the record to be put back", _RETRY),
}
_MONEY: dict[str, tuple[str, str]] = {
    "pending": ("the release of the account", _RETRY),
    "withheld": ("the account, which the origin holds back", "ask the origin; or jiexu retry ID"),
    "released": ("the advance (预划)", _RETRY),
    "awaiting_funds": ("the origin's remittance", "ask the origin; jiexu receipts"),
    "advanced": ("the origin's remittance", "ask the origin; jiexu receipts"),
    "short": ("the rest of the origin's remittance", "ask the origin; jiexu receipts"),
    "over": ("the excess to be returned or credited", "jiexu items --queue excess"),
    "restoring": ("what is unspent to be put back", _RETRY),
    "recovering": ("what the person owes", "jiexu items --queue recovery"),
}
_AT_DESTINATION = ("released", "over", "recovering")


def waits(now: Transfer) -> tuple[Wait, ...]:
    """What an open transfer waits for: one leg each; none of one that has ended."""
    if now.closed_at and not now.paused:
        return ()
    found: list[Wait] = []
    if now.paused:
        awaits = f"an operator: paused by {now.paused.by} ({now.paused.why})"
        found.append(Wait("both", awaits, now.destination, "jiexu resume ID --reason …"))
    if not now.version and now.withdrawing and now.record != "withdrawn":
        found.append(Wait("record", "the origin's word on the withdrawal", now.origin, _RETRY))
    elif now.record in _RECORD:
        out = now.record == "restoring" and not now.months_out
        at = now.destination if now.record == "released" or out else now.origin
        found.append(Wait("record", _RECORD[now.record][0], at, _RECORD[now.record][1]))
    if now.version and now.money in _MONEY:
        back = now.money == "restoring" and now.funds.reversed < now.funds.reversals
        at = now.destination if now.money in _AT_DESTINATION or back else now.origin
        found.append(Wait("money", _MONEY[now.money][0], at, _MONEY[now.money][1]))
    return tuple(found)
