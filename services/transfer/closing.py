"""How a transfer ends: when it is closed, and what everybody is told of it."""

from datetime import datetime

from services.transfer.states import MONEY_ENDS, RECORD_ENDS, Step, Transfer
from shared.decision import replace
from shared.messages import transfer


def closed(now: Transfer) -> transfer.Closed:
    """Everybody is told how it ended."""
    return transfer.Closed(
        to=now.destination,
        person=now.person,
        transfer=now.id,
        origin=now.origin,
        record=now.record,
        money=now.money,
        reason=now.reason,
        released_fen=now.funds.released,
        advanced_fen=now.funds.credited,
        received_fen=now.funds.matched,
        paid_out_fen=now.funds.paid_out,
        restored_fen=now.funds.restored,
        recovered_fen=now.funds.recovered,
        written_off_fen=now.funds.written_off,
    )


def withdrawn(now: Transfer) -> transfer.Withdrawn:
    """Whoever asked is told that nothing was moved, and why."""
    return transfer.Withdrawn(
        to=now.destination, person=now.person, transfer=now.id, code=now.reason or "withdrawn"
    )


def close(step: Step, before: Transfer | None, at: datetime) -> Step:
    """A transfer is closed when record and money are both at an end."""
    now = step.transfer
    if now is None or step.kind != "goes":
        return step
    ended = now.record in RECORD_ENDS and now.money in MONEY_ENDS
    if not ended:
        return replace(step, transfer=replace(now, closed_at=None)) if now.closed_at else step
    if before is not None and before.closed_at and closed(before) == closed(now):
        return step
    now = replace(now, closed_at=at, deadlines=())
    return replace(step, transfer=now, say=(*step.say, closed(now)))
