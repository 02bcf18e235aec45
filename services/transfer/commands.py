"""What the saga says, made from what it knows: the commands and answers of one transfer."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

from services.transfer.states import (
    Deadline,
    Step,
    Transfer,
    answer,
    ignore,
    with_deadline,
    without_deadline,
)
from shared.calendar import SHANGHAI, shanghai_day
from shared.decision import Unexpected, replace
from shared.messages import Message, Trigger, enrollment, settlement, transfer
from shared.policy import Corridor
from shared.regions import Regions

ASK_AGAIN = timedelta(days=30)
URGE_EVERY_WORKING_DAYS = 5
HIGHEST_LEVEL = 3

Opening = (
    enrollment.Registered
    | enrollment.RegistrationRefused
    | enrollment.CoverStopped
    | transfer.Apply
)


def new_transfer(message: Opening, at: datetime, regions: Regions) -> Transfer:
    """The transfer that an opening message describes, with the policy in force on its day."""
    assert message.transfer
    assert message.origin
    if isinstance(message, enrollment.Registered):
        scheme = message.origin_scheme or message.scheme
        new_scheme, first_month = message.scheme, message.month
        trigger: Trigger = "auto"
    elif isinstance(message, enrollment.RegistrationRefused):
        scheme = new_scheme = message.scheme or "310"
        trigger, first_month = message.trigger or "auto", None
    else:
        scheme, new_scheme = message.scheme, message.new_scheme
        trigger, first_month = message.trigger, message.first_month
    return Transfer(
        id=message.transfer,
        person=message.person,
        origin=message.origin,
        destination=message.to,
        scheme=scheme or "310",
        new_scheme=new_scheme or "310",
        trigger=trigger,
        account=getattr(message, "account", False),
        opened_at=at,
        policy=regions.corridor(message.origin, message.to, shanghai_day(at)).version,
        first_month=first_month,
        plan_year=getattr(message, "plan_year", None),
    )


def release_record(now: Transfer) -> enrollment.ReleaseRecord:
    """O is asked for the record."""
    return enrollment.ReleaseRecord(
        to=now.origin,
        person=now.person,
        transfer=now.id,
        destination=now.destination,
        scheme=now.scheme,
        new_scheme=now.new_scheme,
        first_month=now.first_month,
        plan_year=now.plan_year,
        trigger=now.trigger,
        account=now.account,
    )


def cancel_release(now: Transfer) -> enrollment.CancelRelease:
    """O is asked to forget the request."""
    return enrollment.CancelRelease(to=now.origin, person=now.person, transfer=now.id)


def correct_record(now: Transfer) -> enrollment.CorrectRecord:
    """O is asked for a record that D does not dispute."""
    return enrollment.CorrectRecord(
        to=now.origin,
        person=now.person,
        transfer=now.id,
        code=now.reason or "disputed",
        version=now.version,
    )


def join_record(
    now: Transfer, record: enrollment.RecordReleased | enrollment.RecordCorrected
) -> enrollment.JoinRecord:
    """D is asked to join the months that O released."""
    return enrollment.JoinRecord(
        to=now.destination,
        person=now.person,
        transfer=now.id,
        origin=now.origin,
        version=record.version,
        scheme=record.scheme,
        new_scheme=now.new_scheme,
        months=record.months,
        digest=record.digest,
    )


def release_funds(now: Transfer) -> settlement.ReleaseFunds:
    """O is asked to empty the account and owe the money to D."""
    return settlement.ReleaseFunds(
        to=now.origin,
        person=now.person,
        transfer=now.id,
        destination=now.destination,
        opened_at=now.opened_at,
    )


def pay_out(now: Transfer) -> settlement.PayOut:
    """O is asked to pay the account out, since D has none."""
    return settlement.PayOut(
        to=now.origin,
        person=now.person,
        transfer=now.id,
        destination=now.destination,
        reason="no-account-at-destination",
        opened_at=now.opened_at,
    )


def ask_money(now: Transfer, rules: Corridor) -> settlement.ReleaseFunds | settlement.PayOut:
    """What O was asked for: to owe the money to D, or to pay it out where D has no account."""
    moves = rules.moves_money(now.pair, account_at_destination=now.account)
    return release_funds(now) if moves else pay_out(now)


def credit_advance(
    now: Transfer, version: int, amount_fen: int, released_on: date, rules: Corridor
) -> settlement.CreditAdvance:
    """D is asked to credit what O owes: in advance where the rules allow and the person lives."""
    return settlement.CreditAdvance(
        to=now.destination,
        person=now.person,
        transfer=now.id,
        origin=now.origin,
        version=version,
        amount_fen=amount_fen,
        released_on=released_on,
        advance=rules.advance(now.pair) and not now.deceased and not now.reversing,
        opened_at=now.opened_at,
    )


def due_as_settled(
    now: Transfer,
    new: Transfer,
    said: settlement.FundsReleased | settlement.FundsCorrected,
    regions: Regions,
) -> Transfer:
    """Money that is netted is late when the sheet of its month is not paid, and no earlier. The
    first money decides whether it is.
    """
    if not now.funds.version:
        province = regions.clearing(now.origin, now.destination, said.released_on)
        new = replace(new, clearing=province.code if province else None)
    whole = next((d for d in new.deadlines if d.step == "whole"), None)
    if new.clearing is None or whole is None:
        return new
    due = max(whole.due_at, regions.netted_by(new.clearing, said.released_on))
    return with_deadline(replace(new, due_at=due), "whole", due)


def may_withdraw(now: Transfer) -> bool:
    """Before the pivot; a refusal that a later stop of cover would undo can be withdrawn too."""
    waits = now.record != "refused" or now.reason == "origin-not-stopped"
    return waits and now.withdrawing is None


def too_late(now: Transfer, code: str = "already-released") -> transfer.WithdrawalRefused:
    """The applicant is told that withdrawing is not possible any more."""
    return transfer.WithdrawalRefused(
        to=now.destination, person=now.person, transfer=now.id, code=code
    )


def missed(now: Transfer, deadline: Deadline, region: str) -> Message | None:
    """Who owes the step is urged the first time, escalated after; withheld funds only escalate."""
    if deadline.level:
        return transfer.Escalated(
            to=now.destination,
            person=now.person,
            transfer=now.id,
            step=deadline.step,
            level=min(deadline.level, HIGHEST_LEVEL),
            region=region,
        )
    if deadline.step == "funds":
        return None
    return transfer.Overdue(
        to=now.destination,
        person=now.person,
        transfer=now.id,
        step=deadline.step,
        due_at=deadline.due_at,
        region=region,
    )


def clocks_go_on(now: Transfer, at: datetime, regions: Regions) -> Transfer:
    """Every date moves by the working days for which the clocks stood still."""
    if now.stopped_at is None:
        return now
    calendar = regions.calendar(now.destination)
    lost = calendar.working_days_between(shanghai_day(now.stopped_at), shanghai_day(at))

    def later(due_at: datetime) -> datetime:
        # A due date is the end of its day, that is the first instant of the next.
        return calendar.deadline(due_at - timedelta(seconds=1), lost) if lost else due_at

    # When withheld funds are asked for again is the origin's own date, and no clock of ours.
    moved = tuple(
        d if d.step == "funds" else replace(d, due_at=later(d.due_at)) for d in now.deadlines
    )
    # A date that did not move has been reminded of already: the same timer would not fire again.
    moved = tuple(replace(d, due_at=max(d.due_at, at + timedelta(seconds=1))) for d in moved)
    return replace(now, deadlines=moved, due_at=now.due_at and later(now.due_at), stopped_at=None)


def unknown(message: Message) -> Step:
    """A message about a transfer that was never opened."""
    match message:
        case transfer.Withdraw():
            refusal = transfer.WithdrawalRefused(
                to=message.to,
                person=message.person,
                transfer=message.transfer,
                code="unknown-transfer",
            )
            return answer(None, "no such transfer was opened", refusal)
        case transfer.Reverse():
            told = transfer.ReversalRefused(
                to=message.to,
                person=message.person,
                transfer=message.transfer,
                code="unknown-transfer",
            )
            return answer(None, "no such transfer was opened", told)
        case enrollment.PersonDeceased():
            return ignore(None, "no transfer was started for this registration")
        case transfer.Pause() | transfer.Resume() | transfer.Retry():
            return ignore(None, f"no such transfer was opened ({message.by}: {message.why})")
        case settlement.PaidOut(transfer=None):
            return ignore(None, "a payout to heirs is no transfer's")
    raise Unexpected("unknown_transfer", f"{message.type}: this transfer was never opened")


def terminate_record(now: Transfer) -> enrollment.TerminateRecord:
    """O's relation ends, for D has joined its months."""
    return enrollment.TerminateRecord(to=now.origin, person=now.person, transfer=now.id)


def urge(
    now: Transfer, due: Sequence[Deadline], at: datetime, regions: Regions, rules: Corridor
) -> tuple[list[Message], tuple[Deadline, ...]]:
    """What is said of every missed step, and the dates after that."""
    say: list[Message] = []
    kept = [d for d in now.deadlines if d not in due]
    for late in due:
        told, again = _remind(now, late, at, regions, rules)
        say += told
        kept += [again] if again else []
    return say, tuple(kept)


def ask_again(now: Transfer, until: date, at: datetime) -> Transfer:
    """Withheld funds are asked for again on their date, tomorrow at the earliest."""
    again = max(datetime.combine(until, time(), SHANGHAI), at + timedelta(days=1))
    level = next((d.level for d in now.deadlines if d.step == "funds"), 0)
    others = without_deadline(now, "funds").deadlines
    return replace(now, deadlines=(*others, Deadline("funds", again, level)))


def _remind(
    now: Transfer, late: Deadline, at: datetime, regions: Regions, rules: Corridor
) -> tuple[list[Message], Deadline | None]:
    """What is said of a missed step, withheld money asked for again, and when it is looked at."""
    where = now.destination if late.step == "transfer-in" else now.origin
    told = missed(now, late, where)
    say: list[Message] = [told] if told else []
    if late.step == "funds":
        return [ask_money(now, rules), *say], Deadline("funds", at + ASK_AGAIN, late.level + 1)
    if late.level >= HIGHEST_LEVEL:
        return say, None
    next_at = regions.calendar(where).deadline(at, URGE_EVERY_WORKING_DAYS)
    return say, Deadline(late.step, next_at, late.level + 1)
