"""Which message becomes which letter, and what the letter says.

A letter follows from one message alone, never from an order of messages, and its id from its
natural key (person, subject, kind, version): told again it is the same letter.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.notification.reasons import reason
from services.notification.templates import CALLED, LATE, NAMED, REST, TEMPLATES, with_waiting
from shared.calendar import SHANGHAI
from shared.ids import uuid5
from shared.messages import NAMESPACE, Message, PersonEvent
from shared.messages import enrollment as e
from shared.messages import settlement as s
from shared.messages import settlement_compensation as k
from shared.messages import settlement_freezing as f
from shared.messages import transfer as t
from shared.money import yuan
from shared.months import month_text

Param = str | int | None
Params = Mapping[str, Param]
Place = Callable[[str], tuple[str, str]]
"""The Chinese and English name of a region's code."""
Text = tuple[str, str]
"""The same in Chinese and in English."""


_ASKED_BY_PERSONS = ("enroll", "apply", "withdraw", "correct")


@dataclass(frozen=True, slots=True)
class Letter:
    """Something to be told to a person by `region`. `params` hold no personal data."""

    id: UUID
    person: str
    transfer: UUID | None
    kind: str
    region: str
    params: Params
    decided_at: datetime


def letter_id(person: str, subject: UUID | None, kind: str, version: str) -> UUID:
    """The id of the letter with this natural key."""
    return uuid5(NAMESPACE, f"letter\x1f{person}\x1f{subject}\x1f{kind}\x1f{version}")


def letter(message: Message, at: datetime) -> Letter | None:
    """The letter that `message` leads to, if any; `at` is business time."""
    write = _WRITERS.get(type(message))
    return write(message, at) if write else None


def _write(
    message: PersonEvent,
    at: datetime,
    kind: str,
    params: Params,
    *,
    version: object = 1,
    subject: UUID | None = None,
) -> Letter:
    transfer: UUID | None = getattr(message, "transfer", None)
    id_ = letter_id(message.person, subject or transfer, kind, str(version))
    return Letter(id_, message.person, transfer, kind, message.to, params, at)


def _registration_refused(message: e.RegistrationRefused, at: datetime) -> Letter | None:
    """What the person asked for; any other record is the matter of the system that sent it."""
    if message.action not in _ASKED_BY_PERSONS:
        return None
    params: Params = {
        "code": message.code,
        "action": message.action,
        "at": _day(message.occurred_at),
    }
    return _write(message, at, "registration-refused", params, subject=message.record)


def _accepted(message: e.ReleaseAccepted, at: datetime) -> Letter:
    return _write(message, at, "accepted", {"origin": message.origin})


def _joined(message: e.RecordJoined, at: datetime) -> Letter:
    params: dict[str, Param] = {
        "origin": message.origin,
        "months_total": message.months_total,
        "waiting_months": message.waiting_months,
        "entitled_from": _month(message.entitled_from),
        "retroactive_from": _month(message.retroactive_from),
    }
    kind = "joined" if message.entitled_from is not None else "joined-unpaid"
    # A corrected record joins again; only what differs for the person is told again.
    version = f"{message.months_total}/{message.entitled_from}/{message.retroactive_from}"
    return _write(message, at, kind, params, version=version)


def _closed(message: t.Closed, at: datetime) -> Letter | None:
    """Only an end without a release is news: the others were told step by step."""
    params: Params = {"origin": message.origin, "code": message.reason}
    if message.record in ("refused", "withdrawn") and message.reason == "deceased":
        return _write(message, at, "ended-by-death", params)
    if message.record in ("refused", "withdrawn"):
        return _write(message, at, message.record, params)
    if message.record == "not_needed":
        return _write(message, at, "not-needed", params)
    return None


def _withdrawal_refused(message: t.WithdrawalRefused, at: datetime) -> Letter:
    return _write(message, at, "withdrawal-refused", {"code": message.code})


def _overdue(message: t.Overdue, at: datetime) -> Letter:
    params: Params = {"owing": message.region, "step": message.step, "due": _day(message.due_at)}
    kind = "overdue-funds" if message.step == "funds" else "overdue"
    return _write(message, at, kind, params, version=message.step)


def _advance_credited(message: s.AdvanceCredited, at: datetime) -> Letter | None:
    if message.moved_on:
        return None  # the person hears from the region that has it now
    params: Params = {"origin": message.origin, "amount_fen": message.amount_fen}
    return _write(message, at, "advance-credited", params, version=message.version)


def _awaiting(message: s.AdvanceDeclined, at: datetime) -> Letter | None:
    if message.code == "deceased" or not message.awaiting_fen:
        return None
    params: Params = {
        "origin": message.origin,
        "amount_fen": message.awaiting_fen,
        "code": message.code,
    }
    return _write(message, at, "awaiting", params, version=message.version)


def _funded(message: s.AdvanceFunded, at: datetime) -> Letter:
    params = _came(message, message.matched_fen)
    # A receipt taken back by the bank and paid anew funds the same amount: no second letter.
    return _write(message, at, "funded", params, version=message.matched_fen)


def _came(message: s.Applied, amount_fen: int) -> dict[str, Param]:
    """What came from where; that it came late is said besides."""
    params: dict[str, Param] = {"origin": message.origin, "amount_fen": amount_fen}
    return params | ({"late": 1} if message.late else {})


def _credited(message: s.FundsCredited, at: datetime) -> Letter | None:
    if not message.applied_fen:
        return None
    params = _came(message, message.applied_fen)
    if message.awaiting_fen:
        params |= {"rest_fen": message.awaiting_fen}
    return _write(message, at, "credited-on-arrival", params, version=message.matched_fen)


def _paid_out(message: s.PaidOut, at: datetime) -> Letter | None:
    if not message.amount_fen:
        return None
    kind = "paid-out-to-heirs" if message.reason == "deceased" else "paid-out"
    params: Params = {"paying": message.region, "amount_fen": message.amount_fen}
    # What comes in later is paid out in another amount, and told anew.
    version = f"{message.region}/{message.amount_fen}"
    return _write(message, at, kind, params, version=version)


def _adjusted(message: k.AdvanceAdjusted, at: datetime) -> Letter | None:
    """What was taken back, and what of it the person has to pay back."""
    owed = message.amount_fen - message.unspent_fen
    params: dict[str, Param] = {"origin": message.origin, "amount_fen": message.amount_fen}
    if message.recoverable_fen and owed:
        params["owed_fen"] = message.recoverable_fen
        return _write(message, at, "recovery-demanded", params, version=message.version)
    if not message.unspent_fen:
        return None  # nothing was in the account yet
    return _write(message, at, "adjusted", params, version=message.version)


def _recovered(message: k.Recovered, at: datetime) -> Letter:
    params: Params = {"amount_fen": message.amount_fen, "owed_fen": message.recoverable_fen}
    return _write(message, at, "recovered", params, version=message.recovered_fen)


def _written_off(message: k.WrittenOff, at: datetime) -> Letter | None:
    """A loss between the regions is none of the person's."""
    if message.what == "claim":
        return None
    params: Params = {"amount_fen": message.amount_fen}
    return _write(message, at, "excused", params, version=message.written_off_fen)


def _reversed(message: e.RecordRestored, at: datetime) -> Letter | None:
    if message.region != message.origin:
        return None  # the months are out; told when the record is where it was
    return _write(message, at, "reversed", {"origin": message.origin})


def _restored(message: k.FundsRestored, at: datetime) -> Letter | None:
    if not message.amount_fen:
        return None
    params: Params = {"origin": message.origin, "amount_fen": message.amount_fen}
    return _write(message, at, "restored", params, version=message.number)


def _withheld(message: s.FundsWithheld, at: datetime) -> Letter:
    params: Params = {"origin": message.origin, "at": message.until.isoformat()}
    return _write(message, at, "withheld", params, version=message.until)


def _held(message: f.AccountFrozen | f.AccountUnfrozen, at: datetime) -> Letter | None:
    """Who may still spend hears of it when the money is to move, and does not."""
    if message.what != "all":
        return None
    kind = "frozen" if isinstance(message, f.AccountFrozen) else "unfrozen"
    return _write(message, at, kind, {}, subject=message.decided)


_WRITERS: dict[type[Message], Callable[..., Letter | None]] = {
    e.RegistrationRefused: _registration_refused,
    e.ReleaseAccepted: _accepted,
    e.RecordJoined: _joined,
    t.Closed: _closed,
    t.WithdrawalRefused: _withdrawal_refused,
    t.Overdue: _overdue,
    s.AdvanceCredited: _advance_credited,
    s.AdvanceDeclined: _awaiting,
    s.AdvanceFunded: _funded,
    s.FundsCredited: _credited,
    s.PaidOut: _paid_out,
    k.AdvanceAdjusted: _adjusted,
    k.Recovered: _recovered,
    k.WrittenOff: _written_off,
    e.RecordRestored: _reversed,
    k.FundsRestored: _restored,
    s.FundsWithheld: _withheld,
    f.AccountFrozen: _held,
    f.AccountUnfrozen: _held,
}

HANDLED = frozenset(message.type for message in _WRITERS)
"""The messages that lead to letters. A shortfall is between the regions: nobody is told."""


def render(kind: str, region: str, params: Params, name: Text, place: Place) -> Text:
    """The letter as Chinese and English text; `name` as it stands in each."""
    values = _values(region, params, name, place)
    chinese, english = map(str.format_map, TEMPLATES[kind], values)
    if kind == "joined":
        return with_waiting(chinese, english, params)
    if params.get("rest_fen"):
        chinese += REST[0].format_map(values[0])
        english += f" {REST[1].format_map(values[1])}"
    if params.get("late"):
        return chinese + LATE[0], f"{english} {LATE[1]}"
    if kind == "awaiting" and "code" in params:
        return f"{chinese}暂未先行划入的原因：{values[0]['why']}。", (
            f"{english} Why it was not credited in advance: {values[1]['why']}."
        )
    return chinese, english


def _values(
    region: str, params: Params, name: Text, place: Place
) -> tuple[dict[str, Param], dict[str, Param]]:
    """What a template's words stand for, in both languages."""
    chinese: dict[str, Param] = {"name": name[0]}
    english: dict[str, Param] = {"name": name[1]}
    chinese["place"], english["place"] = place(region)
    for field, value in params.items():
        if field in ("origin", "owing", "paying"):
            chinese[field], english[field] = place(str(value))
        elif field in NAMED:
            word = str(value)
            chinese[field], english[field] = NAMED[field].get(word, (word, word))
        elif field == "code":
            why = reason(str(value))
            chinese["why"], english["why"] = why.why_zh, why.why_en
            chinese["advice"], english["advice"] = why.advice_zh, why.advice_en
        else:
            word = CALLED.get(field, field)
            money = field.endswith("_fen")
            chinese[word] = english[word] = yuan(int(value or 0)) if money else value
    return chinese, english


def _day(at: datetime) -> str:
    return at.astimezone(SHANGHAI).date().isoformat()


def _month(month: int | None) -> str | None:
    return None if month is None else month_text(month)
