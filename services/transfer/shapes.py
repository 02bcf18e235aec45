"""A transfer as it is published: amounts in yuan, times with offset, reasons in words."""

from datetime import datetime
from typing import Any

from services.transfer import repair
from services.transfer.codes import sentence
from services.transfer.states import Transfer
from shared.calendar import SHANGHAI
from shared.money import yuan
from shared.policy import Corridor
from shared.rules import Fact, Pair


def shape(t: Transfer) -> dict[str, Any]:
    """What every list shows of a transfer."""
    return {
        "transfer_id": str(t.id),
        "origin": t.origin,
        "destination": t.destination,
        "scheme": t.pair,
        "trigger": t.trigger,
        "record": t.record,
        "money": t.money,
        "closed": t.closed_at is not None,
        "overdue": t.overdue,
        "released": yuan(t.funds.released),
        "advanced": yuan(t.funds.credited),
        "received": yuan(min(t.funds.matched, t.funds.released)),
        "paid_out": yuan(t.funds.paid_out),
        "restored": yuan(t.funds.restored),
        "recovered": yuan(t.funds.recovered),
        "written_off": yuan(t.funds.written_off),
        "opened_at": iso(t.opened_at),
        "due_at": iso(t.due_at),
        "advanced_at": iso(t.advanced_at),
        "closed_at": iso(t.closed_at),
        "reason": t.reason,
        "paused": _paused(t),
    }


def _paused(t: Transfer) -> dict[str, Any] | None:
    if t.paused is None:
        return None
    held = [h.type for h in t.held]
    return {"at": iso(t.paused.at), "by": t.paused.by, "why": t.paused.why, "held": held}


def detail(t: Transfer, since: dict[str, datetime]) -> dict[str, Any]:
    """One transfer alone: with its reason in words, and what it waits for."""
    zh, en = sentence(t.reason)
    text = {"zh": zh, "en": en} if t.reason else None
    return {**shape(t), "reason_text": text, "waiting": waiting(t, since)}


def waiting(t: Transfer, since: dict[str, datetime]) -> list[dict[str, str | None]]:
    """What each leg waits for: of whom, since when, and what can be done."""
    began = {"both": t.paused.at if t.paused else t.opened_at}
    return [
        {
            "leg": wait.leg,
            "for": wait.awaits,
            "of": wait.of,
            "since": iso({**since, **began}.get(wait.leg, t.opened_at)),
            "do": wait.do.replace("ID", str(t.id)),
        }
        for wait in repair.waits(t)
    ]


# Which rule of the corridor a step goes by, by the message that led to it; the others follow from
# how a transfer works, wherever it is.
_OPENS, _CLOCK = ("needed", "automatic"), ("deadline: ",)
_RULES: dict[str, tuple[str, ...]] = {
    "enrollment.registered.v1": _OPENS,
    "enrollment.cover-stopped.v1": _OPENS,
    "transfer.apply.v1": _OPENS,
    "enrollment.release-accepted.v1": ("deadline: transfer_out", "deadline: whole"),
    "enrollment.record-released.v1": ("deadline: transfer_in", "release: payout"),
    "settlement.funds-released.v1": ("advance",),
    "settlement.funds-corrected.v1": ("advance",),
    "settlement.advance-credited.v1": ("advance", "limit "),
    "settlement.advance-declined.v1": ("advance", "limit "),
    "transfer.remind.v1": _CLOCK,
}
_OF_THE_SAGA = "design: the saga of a transfer"


def decision(step: dict[str, Any], rules: Corridor, pair: Pair) -> dict[str, Any]:
    """A step with the rule that it goes by, the rule's source and the facts."""
    parts = _RULES.get(step["type"], ())
    applied = [f for f in rules.facts(pair) if any(part in f.name for part in parts)]
    sources = dict.fromkeys(f.source for f in applied)
    return {
        **step,
        "at": iso(step["at"]),
        "rule": "; ".join(f.name for f in applied) or step["why"],
        "source": "; ".join(sources) or _OF_THE_SAGA,
        "facts": {
            **{f.name: f.value for f in applied},
            "record": step["record"],
            "money": step["money"],
        },
    }


def fact(of: Fact) -> dict[str, Any]:
    """A rule that was applied, with its source."""
    return {"rule": of.name, "value": of.value, "source": of.source}


def iso(at: datetime | None) -> str | None:
    """The time in Shanghai, to the millisecond."""
    return at.astimezone(SHANGHAI).isoformat(timespec="milliseconds") if at else None
