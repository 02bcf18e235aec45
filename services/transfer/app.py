"""The transfer service: the saga between the bus and its rows, and what may be asked about it."""

from collections.abc import Hashable, Mapping, Sequence

import asyncpg

from services.transfer import api, saga, store
from services.transfer.states import Transfer
from shared.decision import Decision, Delivery, States, Timer
from shared.messages import enrollment, settlement, transfer
from shared.messages import settlement_compensation as books
from shared.messages.transfer import Remind
from shared.regions import Regions
from shared.service import App, Runtime

HANDLES = (
    enrollment.Registered,
    enrollment.RegistrationRefused,
    enrollment.CoverStopped,
    enrollment.ReleaseAccepted,
    enrollment.ReleaseRefused,
    enrollment.RecordReleased,
    enrollment.ReleaseCancelled,
    enrollment.PersonDeceased,
    enrollment.RecordJoined,
    enrollment.RecordDisputed,
    enrollment.RecordCorrected,
    enrollment.RecordWithheld,
    settlement.FundsReleased,
    settlement.NothingToRelease,
    settlement.FundsWithheld,
    settlement.FundsCorrected,
    settlement.AdvanceCredited,
    settlement.AdvanceDeclined,
    settlement.AdvanceFunded,
    settlement.FundsCredited,
    settlement.ShortfallFound,
    settlement.ExcessFound,
    settlement.PaidOut,
    enrollment.RecordRestored,
    enrollment.RestoreRefused,
    books.AdvanceAdjusted,
    books.AdvanceReversed,
    books.FundsRestored,
    books.WrittenOff,
    books.Waived,
    books.Recovered,
    books.ReceiptReturned,
    books.MatchUndone,
    books.ReceiptTakenBack,
    transfer.Apply,
    transfer.Withdraw,
    transfer.Remind,
    transfer.Pause,
    transfer.Resume,
    transfer.Retry,
    transfer.Reverse,
)


class TransferService:
    """`load` and `save` are the store's; `decide` asks the saga."""

    name = "transfer"
    topics: tuple[str, ...] = ("enrollment.events", "settlement.events")
    handles: frozenset[str] = frozenset(message.type for message in HANDLES)

    def __init__(self, regions: Regions) -> None:
        self._regions = regions

    async def load(self, db: asyncpg.Connection, batch: Sequence[Delivery]) -> States:
        return await store.load(db, batch)

    def decide(self, states: States, delivery: Delivery) -> Decision:
        """The saga's step as changes, messages and the one timer of the transfer."""
        key = store.key_of(delivery)
        if key is None:
            return Decision()
        before = states.get(key)
        assert before is None or isinstance(before, Transfer)
        step = saga.decide(before, delivery.message, delivery.at, self._regions)
        after = step.transfer
        changes: dict[Hashable, object] = {}
        if after is not None or step.kind == "refused":
            changes["step", delivery.id] = store.step_row(delivery, step)
        if after is not None and after is not before:
            changes[key] = after
        return Decision(changes, step.say, _timer(before, after))

    async def save(self, db: asyncpg.Connection, changes: Mapping[Hashable, object]) -> None:
        await store.save(db, changes)


def _timer(before: Transfer | None, after: Transfer | None) -> tuple[Timer, ...]:
    due = after.next_due if after else None
    if after is None or due == (before.next_due if before else None):
        return ()
    remind = due and Remind(
        to=after.destination, person=after.person, transfer=after.id, due_at=due
    )
    return (Timer(after.person, after.id, due, remind or None),)


def build(runtime: Runtime) -> App:
    """The service and its HTTP interface."""
    return App(TransferService(runtime.regions), api.router(runtime))
