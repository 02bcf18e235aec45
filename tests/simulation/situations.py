"""Rare situations by name (domain 12.6 has most of them): whether a world has come into each."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from services.settlement.states import Release
from shared.messages.settlement_compensation import Recovered
from shared.messages.settlement_freezing import AccountUnfrozen

if TYPE_CHECKING:
    from tests.simulation.world import World

Seen = Callable[["World"], bool]
_REFUSED, _CLOSED = "enrollment.release-refused.v1", "transfer.closed.v1"
_DECLINED, _UNMATCHED = "settlement.advance-declined.v1", "settlement.receipt-unmatched.v1"
_CREDITED, _TOO_LATE = "settlement.advance-credited.v1", "transfer.withdrawal-refused.v1"


def said(kind: str, code: str | None = None) -> Seen:
    """Such a message was sent."""
    return lambda world: bool(world.told.marks[kind, code])


def ended(*states: str) -> Seen:
    """A transfer was closed in these states of record and money."""
    return lambda world: any(world.told.marks[_CLOSED, state] for state in states)


def waits(*money: str) -> Seen:
    """A transfer waits for ever with its money in such a state."""
    return lambda world: any(t.money in money for t in world.transfers.all() if not t.closed_at)


def paid(fate: str) -> Seen:
    """The bank has paid in this way."""
    return lambda world: bool(world.bank.fates[fate])


def judged(verdict: str, rule: str) -> Seen:
    """A receipt was judged so, at least for a while."""
    return lambda world: bool(world.told.marks[f"part {verdict}", rule])


def _chain(world: "World") -> bool:
    """Somebody left a region that had credited an advance which was not paid yet."""
    return any(release.unfunded_fen for release in world.books.all(Release))


def _freed_and_recovered(world: "World") -> bool:
    """Somebody owed beside a held account, and paid when it was let go."""
    both = {AccountUnfrozen, Recovered}
    return any(both <= {type(m) for m in out} for _, _, _, out in world.told.lines)


SITUATIONS: Mapping[str, Seen] = {
    "1 cover at the origin goes on": said(_REFUSED, "origin-not-stopped"),
    "1 it stops later, the transfer opens anew": said("enrollment.cover-stopped.v1"),
    "2 a second application or destination": said(_REFUSED, "duplicate"),
    "4 refused: a month is unpaid": said(_REFUSED, "in_arrears"),
    "4 refused: no record there": said(_REFUSED, "no_record_here"),
    "4 the destination's rules refuse": said(
        "enrollment.registration-refused.v1", "residence_permit_needed"
    ),
    "5 a record is disputed": said("enrollment.record-disputed.v1", "digest-mismatch"),
    "5 a record is corrected": said("enrollment.record-corrected.v1"),
    "5 a record is withheld in the end": said("enrollment.record-withheld.v1", "not_correctable"),
    "5 a balance is corrected": said("settlement.correct-balance.v1"),
    "5 the feed corrects what has left": said("settlement.ask-correction.v1"),
    "5 more is owed after the release": said("settlement.funds-corrected.v1"),
    "6 exactly what was owed came": judged("exact", "reference-amount"),
    "6 less came than was owed": said("settlement.shortfall-found.v1"),
    "6 more came than was owed": said("settlement.excess-found.v1"),
    "6 it came in parts": judged("partial", "reference-amount"),
    "6 it came twice": said(_UNMATCHED, "duplicate"),
    "6 a lump for several persons": judged("exact", "references-cover"),
    "6 it came late": lambda world: any(code == "late" for _, code in world.told.marks),
    "6 an excess goes back": said("settlement.receipt-returned.v1"),
    "7 a receipt before the money was announced": judged("unknown", "reference"),
    "8 a receipt that names nobody": judged("unknown", "none"),
    "8 a receipt known by name": judged("exact", "payer-name-amount"),
    "8 a receipt that points two ways": said(_UNMATCHED, "ambiguous"),
    "8 two people match it": lambda world: any(rule == "manual" for _, rule in world.told.marks),
    "8 and undo a match": said("settlement.match-undone.v1"),
    "8 a statement is read twice": paid("read twice"),
    "9 the money never comes": waits("advanced"),
    "9 it is written off": said("settlement.written-off.v1", "small"),
    "9 it is waived": said("settlement.waived.v1", "small"),
    "9 the corridor is suspended": said("settlement.corridor-suspended.v1", "overdue_share"),
    "9 and resumed when its origin pays": said("settlement.corridor-resumed.v1", "paid"),
    "9 a step is overdue": said("transfer.overdue.v1"),
    "9 and escalated to the highest level": said("transfer.escalated.v1", "3"),
    "10 a remittance comes back": said("settlement.remittance-returned.v1", "AC01"),
    "10 the bank rejects a payment": said("settlement.remittance-rejected.v1", "AC04"),
    "10 a return is announced": said("settlement.remittance-returned.v1", "AC06"),
    "10 the bank takes a credit back": said("settlement.receipt-taken-back.v1"),
    "11 dies before the release": said("transfer.withdrawn.v1", "deceased"),
    "11 dies, and nothing more is advanced": said(_DECLINED, "deceased"),
    "11 the heirs are paid": said("settlement.paid-out.v1", "deceased"),
    "12 moves on before the money came": _chain,
    "12 what was only awaited moves on": said(_CREDITED, "moved on"),
    "13 what was spent is recovered": said("settlement.recovered.v1"),
    "13 or is written off": said("settlement.written-off.v1", "insolvent"),
    "15 a retiree": said(_REFUSED, "retiree"),
    "16 no account at the destination: paid out": ended("joined/paid_out"),
    "16 no account at the destination: kept": ended("joined/none"),
    "17 nothing in the account": said("settlement.nothing-to-release.v1", "zero_balance"),
    "17 the account is frozen for now": said("settlement.funds-withheld.v1", "account_frozen"),
    "19 a gap: a waiting period": said("enrollment.record-joined.v1", "waits"),
    "21 a resident asks too early": said(_REFUSED, "next_plan_year"),
    "22 no transfer is needed": ended("not_needed/none"),
    "25 two people hold an account": said("settlement.account-frozen.v1", "court-order"),
    "25 and let it go": said("settlement.account-unfrozen.v1", "court-order"),
    "25 its day comes": said("settlement.account-unfrozen.v1", "over"),
    "25 who owes pays when it is free": _freed_and_recovered,
    "26 interest leaves with the balance": lambda world: any(
        release.interest_fen for release in world.books.all(Release)
    ),
    "26 and is credited once a year": lambda world: any(
        entry.kind == "interest" and entry.transfer is None
        for entry in world.books.entries.values()
    ),
    "26 and is corrected after it": lambda world: any(
        entry.kind == "correct-interest" for entry in world.books.entries.values()
    ),
    "28 a clerk's handling time runs": said("enrollment.complete-release.v1"),
    "29 one advance is too large": said(_DECLINED, "single_limit"),
    "29 a corridor's limit is reached": said(_DECLINED, "limit_reached"),
    "29 a declined advance is offered again": said("settlement.offer-again.v1"),
    "29 credited only when the money comes": said("settlement.funds-credited.v1"),
    "30 a transfer is reversed": said("settlement.funds-restored.v1"),
    "30 not of who has moved on": said("enrollment.restore-refused.v1", "moved-on"),
    "32 two people correct what has left": said("enrollment.record-amended.v1"),
    "32 or leave it": said("enrollment.answered.v1", "not_agreed"),
    "withdrawn in time": said("transfer.withdrawn.v1", "withdrawn"),
    "withdrawn too late": said(_TOO_LATE, "already-released"),
    "withdrawn after its end": said(_TOO_LATE, "already-ended"),
    "paid before it was instructed": paid("outside the files"),
    "received before it was debited": paid("received first"),
    "spent more than there was": said("enrollment.answer-anew.v1", "insufficient_balance"),
    "a service crashes, a lane stands still or is sent again": lambda world: world.told.faults > 0,
}


def seen_in(world: "World") -> frozenset[str]:
    """The situations that a finished world was in."""
    return frozenset(name for name, seen in SITUATIONS.items() if seen(world))
