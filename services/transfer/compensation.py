"""What the saga says to go back, made from what it knows: chapter 7 in messages."""

from datetime import datetime

from services.transfer.states import Funds, Transfer, with_deadline, without_deadline
from shared.decision import replace
from shared.messages import Message, enrollment, settlement, transfer
from shared.messages import settlement_compensation as books
from shared.policy import Corridor
from shared.regions import Regions


def restore_record(now: Transfer, region: str) -> enrollment.RestoreRecord:
    """D is asked to take the months out, then O to have the relation again, suspended."""
    return enrollment.RestoreRecord(
        to=region,
        person=now.person,
        transfer=now.id,
        origin=now.origin,
        destination=now.destination,
        new_scheme=now.new_scheme,
    )


def reverse_advance(now: Transfer) -> books.ReverseAdvance:
    """D is asked to take back what is unspent."""
    return books.ReverseAdvance(
        to=now.destination,
        person=now.person,
        transfer=now.id,
        origin=now.origin,
        number=now.funds.reversals,
    )


def restore_funds(now: Transfer, amount_fen: int) -> books.RestoreFunds:
    """O is asked to give the person back what D took by its last reversal."""
    return books.RestoreFunds(
        to=now.origin,
        person=now.person,
        transfer=now.id,
        destination=now.destination,
        number=now.funds.reversed,
        amount_fen=amount_fen,
    )


def adjust_advance(now: Transfer, version: int, amount_fen: int) -> books.AdjustAdvance:
    """D is asked to take back what O does not owe any more."""
    return books.AdjustAdvance(
        to=now.destination,
        person=now.person,
        transfer=now.id,
        origin=now.origin,
        version=version,
        amount_fen=amount_fen,
    )


def reversal_refused(now: Transfer, code: str) -> transfer.ReversalRefused:
    """Whoever wanted it is told that the transfer is not reversed."""
    return transfer.ReversalRefused(
        to=now.destination, person=now.person, transfer=now.id, code=code
    )


def goes_back(now: Transfer) -> bool:
    """Whether nothing keeps the transfer at D any more: the months are out, or O withholds them."""
    return now.reversing is not None and (now.months_out or now.record == "refused")


def reverse_money(now: Transfer) -> tuple[Transfer, *tuple[Message, ...]]:
    """The transfer and, where it goes back and O owes money, D asked to take back what it can."""
    if not goes_back(now):
        return (now,)
    if not now.funds.version:
        # Nothing was released, and what is asked for may still come.
        kept = now.money != "withheld"
        ended = replace(now, money="none", withheld_until=None)
        return (now if kept else without_deadline(ended, "funds"),)
    funds = replace(now.funds, reversals=now.funds.reversals + 1)
    new = replace(now, funds=funds, money="restoring")
    return new, reverse_advance(new)


def reverse_once_answered(now: Transfer) -> tuple[Transfer, *tuple[Message, ...]]:
    """The same, as soon as D has heard of all that O owes: what asks D to take it back comes by
    another way than what asked D to credit it, and may overtake it.
    """
    waits = now.funds.answered < now.funds.version
    return (now,) if waits or now.funds.reversals else reverse_money(now)


def reopened(now: Transfer, at: datetime, regions: Regions, rules: Corridor) -> Transfer:
    """What was closed is due again, as a whole."""
    if not now.closed_at:
        return now
    due = regions.calendar(now.destination).deadline(at, rules.deadlines.whole)
    return with_deadline(replace(now, due_at=due), "whole", due)


def stays(now: Transfer, at: datetime, regions: Regions, rules: Corridor) -> Transfer:
    """Nothing goes back; months that are not joined yet are due anew."""
    new = replace(now, record="joined", reversing=None, reason=None)
    if now.joined_version:
        return new
    due = regions.calendar(now.destination).deadline(at, rules.deadlines.transfer_in)
    return with_deadline(replace(new, record="released"), "transfer-in", due)


def may_not_reverse(now: Transfer) -> str | None:
    """Why the transfer cannot be reversed: only what is past the pivot and has not ended so."""
    if now.record == "restored":
        return "already-reversed"
    if now.record in ("refused", "withdrawn", "not_needed"):
        return "already-ended"
    return None if now.version else "not-released"


def arrived(funds: Funds, message: settlement.Applied) -> Funds:
    """The facts after money has come; what was given up and comes after all is no loss."""
    lost = funds.lost if message.lost_fen is None else message.lost_fen
    return replace(
        funds,
        credited=message.credited_fen,
        matched=message.matched_fen,
        open=message.open_fen,
        excess=message.excess_fen,
        lost=lost,
        written_off=funds.written_off + lost - funds.lost,
    )


def given_back(funds: Funds, message: books.FundsRestored) -> Funds:
    """The facts after O has restored what D took back, or what was still to be restored of it.

    What O did not give is owed as before; while another reversal is under way it is not known.
    """
    last = message.number == funds.reversed
    asked = funds.restoring if last else message.amount_fen
    return replace(
        funds,
        released=funds.released + asked - message.amount_fen,
        restoring=funds.restoring - asked,
        restorations=message.number,
        restored=message.total_fen,
    )


def taken(funds: Funds, message: books.AdvanceReversed) -> Funds:
    """The facts after D has taken back what was unspent."""
    released = funds.released - message.amount_fen
    asked = replace(funds, released=released, restoring=funds.restoring + message.amount_fen)
    return changed(replace(asked, reversed=message.number), message)


def changed(funds: Funds, message: books.ClaimChanged) -> Funds:
    """The facts after what D's books say of the claim."""
    return replace(
        funds,
        credited=message.credited_fen,
        matched=message.matched_fen,
        open=message.open_fen,
        excess=message.excess_fen,
        undue=message.undue_fen,
        recoverable=message.recoverable_fen,
        recovered=message.recovered_fen,
        lost=message.lost_fen,
        written_off=message.written_off_fen,
        sent_back=message.sent_back_fen,
    )


_WHY: dict[type[books.ClaimChanged], str] = {
    books.WrittenOff: "two people have booked a loss",
    books.Waived: "two people have forgiven O the claim",
    books.Recovered: "the person has paid what was not theirs",
    books.ReceiptReturned: "what came in excess goes back to O",
    books.MatchUndone: "two people have undone a match: O owes it again",
    books.ReceiptTakenBack: "the bank took the credit back: O owes it again",
}


def why(message: books.ClaimChanged) -> str:
    """What D's books have done, as a sentence."""
    return _WHY[type(message)]
