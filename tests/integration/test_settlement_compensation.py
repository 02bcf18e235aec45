"""What goes back, in a real PostgreSQL: every invariant holds after each act."""

from pathlib import Path
from typing import Any

import asyncpg
import pytest

from services.settlement.app import Settlement
from services.settlement.queries import accounts_of
from services.settlement.snapshots import snapshot
from services.settlement.trial_balance import INVARIANTS, mirrored
from shared.messages import Message
from shared.messages.settlement import (
    CorrectBalance,
    InstructRemittance,
    PayOut,
    RecordDebit,
    Spend,
)
from shared.messages.settlement_compensation import (
    AdvanceAdjusted,
    AdvanceReversed,
    FundsRestored,
    MatchUndone,
    ReceiptTakenBack,
    Recover,
    Recovered,
    ReturnReceipt,
    ReverseAdvance,
    UndoMatch,
    Waive,
    WriteOff,
)
from shared.messages.settlement_freezing import FreezeAccount, UnfreezeAccount
from shared.messages.settlement_people import ItemDone, ItemOpened, MatchReceipt
from shared.regions import load
from shared.sealing import Keyring
from shared.settings import read_secrets, settings
from tests.integration.drive import settle
from tests.unit.settlement_world import (
    DAY,
    PERSON,
    T1,
    T2,
    A,
    B,
    C,
    announced,
    detail,
    only,
    open_account,
    receipt,
    release_funds,
    some_id,
)

TWO = {"proposed_by": "maker", "approved_by": "checker", "reason": "evidence"}
CLAIM = {"to": B, "person": PERSON, "transfer": T1, "origin": A}


class Desk:
    """The books with a database, checked as a whole after every message."""

    def __init__(self, db: asyncpg.Connection, pool: asyncpg.Pool, books: Settlement) -> None:
        self.db, self.pool, self.books = db, pool, books

    async def tell(self, *messages: Message) -> list[Message]:
        """What they lead to, with what the transfer service makes of it."""
        said: list[Message] = []
        for message in messages:
            answers = await settle(self.db, self.books, [message])
            found = await snapshot(self.pool)
            broken = [name for name, check in INVARIANTS.items() if not check(found)]
            assert not broken, (broken, message)
            for row in found.mirror:
                assert mirrored(row)["unexplained"] == "0.00", (row, message)
            said += answers
            said += await self.tell(*announced(answers))
        return said

    async def owes(self) -> int:
        return sum(row["recoverable_fen"] for row in await accounts_of(self.pool, PERSON))


@pytest.fixture
async def desk(database: str, secrets: Path) -> Any:  # noqa: ANN401 - an async generator
    books = Settlement(load(settings().regions), Keyring(read_secrets(secrets)))
    role = {"role": "jiexu_settlement", "search_path": "settlement"}
    async with (
        asyncpg.create_pool(database, min_size=1, max_size=2, server_settings=role) as pool,
        pool.acquire() as db,
    ):
        found = Desk(db, pool, books)
        await found.tell(open_account(A, 100_00), open_account(B), release_funds())
        yield found


def corrected_to(fen: int) -> CorrectBalance:
    fields = {"record": some_id(f"to {fen}"), "refers_to": some_id(f"open {A}")}
    return CorrectBalance.model_validate({"to": A, "person": PERSON, "balance_fen": fen, **fields})


def spend(fen: int, region: str = B) -> Spend:
    return Spend(to=region, person=PERSON, record=some_id(f"spend {fen}"), amount_fen=fen)


def debit(region: str, bank: str, one: Any) -> RecordDebit:  # noqa: ANN401 - a detail
    fields = {"account": f"{region}:{bank}", "bank": bank, "booked_on": DAY.date()}
    fields |= {"receipt": some_id((region, bank, one)), "amount_fen": one.amount_fen}
    return RecordDebit.model_validate({"to": region, "details": (one,), **fields})


async def test_what_was_spent_without_right_is_owed_and_paid_off_by_what_comes(desk: Desk) -> None:
    await desk.tell(spend(90_00))

    said = await desk.tell(corrected_to(70_00))
    owed = await desk.owes()
    later = await desk.tell(corrected_to(75_00), receipt("r", detail(75_00, T1)))
    demand = Recover.model_validate({**CLAIM, **TWO})
    paid_in = receipt("paid in", detail(10_00))
    fields = {"receipt": some_id("paid in"), "amount_fen": 10_00}
    await desk.tell(demand, paid_in, Recover.model_validate({**CLAIM, **TWO, **fields}))
    await desk.tell(WriteOff.model_validate({**CLAIM, **TWO, "what": "person"}))

    assert only(AdvanceAdjusted, said).unspent_fen == 10_00
    assert owed == 20_00
    assert only(Recovered, later).amount_fen == 5_00
    assert await desk.owes() == 0


async def test_what_is_owed_beside_a_held_account_is_recovered_when_it_is_free(
    desk: Desk,
) -> None:
    held = {"to": B, "person": PERSON, **TWO, "reason": "court-order"}
    await desk.tell(FreezeAccount.model_validate(held))
    adjusted = await desk.tell(corrected_to(70_00))
    assert only(AdvanceAdjusted, adjusted).recoverable_fen == 30_00

    freed = await desk.tell(UnfreezeAccount.model_validate(held))

    assert only(Recovered, freed).amount_fen == 30_00
    assert only(ItemDone, freed).queue == "recovery"
    assert await desk.owes() == 0


async def test_a_funded_advance_that_shrinks_is_paid_back_to_the_origin(desk: Desk) -> None:
    await desk.tell(receipt("r", detail(100_00, T1, payer_region=A)), corrected_to(60_00))
    back = {"to": B, "person": PERSON, "transfer": T1, "destination": A, "run": "b"}

    await desk.tell(InstructRemittance.model_validate({**back, "amount_fen": 40_00}))
    await desk.tell(debit(B, "expense", detail(40_00, T1)))
    arrived = receipt("back", detail(40_00, T1, payer_region=B), region=A)
    await desk.tell(arrived)

    owed = await desk.db.fetchrow("SELECT * FROM settlement.claims")
    assert (owed["back_debited_fen"], owed["matched_fen"], owed["open_fen"]) == (4000, 6000, 0)


async def test_a_reversal_gives_back_what_is_unspent_and_the_rest_stays_claimed(
    desk: Desk,
) -> None:
    await desk.tell(spend(30_00))

    said = await desk.tell(ReverseAdvance.model_validate({**CLAIM, "number": 1}))

    assert only(AdvanceReversed, said).amount_fen == 70_00
    assert only(FundsRestored, said).total_fen == 70_00
    balances = {row["region"]: row["balance_fen"] for row in await accounts_of(desk.pool, PERSON)}
    assert balances == {A: 70_00, B: 0}
    claim = await desk.db.fetchrow("SELECT * FROM settlement.claims")
    assert (claim["open_fen"], claim["restored_fen"]) == (30_00, 70_00)


async def test_a_chain_gives_back_from_its_end(desk: Desk) -> None:
    await desk.tell(open_account(C), release_funds(T2, at=B, to=C))
    await desk.tell(spend(80_00, C))

    await desk.tell(corrected_to(50_00))

    rows = await accounts_of(desk.pool, PERSON)
    found = {row["region"]: (row["balance_fen"], row["recoverable_fen"]) for row in rows}
    assert found == {A: (0, 0), B: (0, 0), C: (0, 30_00)}


async def test_money_that_comes_after_it_was_given_up_makes_the_loss_smaller(desk: Desk) -> None:
    gave_up = {"amount_fen": 40_00}
    await desk.tell(WriteOff.model_validate({**CLAIM, **TWO, **gave_up}))
    await desk.tell(Waive.model_validate({**CLAIM, **TWO}))

    await desk.tell(receipt("r", detail(30_00, T1, payer_region=A)))

    claim = await desk.db.fetchrow("SELECT * FROM settlement.claims")
    assert (claim["written_off_fen"], claim["waived_fen"], claim["open_fen"]) == (1000, 6000, 0)


async def test_a_credit_that_the_bank_takes_back_is_owed_again_and_an_excess_goes_back(
    desk: Desk,
) -> None:
    await desk.tell(receipt("r", detail(110_00, T1, payer_region=A)))
    back = {"receipt": some_id("r"), **TWO}
    await desk.tell(ReturnReceipt.model_validate({**CLAIM, **back}))
    await desk.tell(receipt("again", detail(5_00, T1, payer_region=A)))

    said = await desk.tell(debit(B, "income", detail(5_00, T1, return_code="AC04")))

    assert only(ReceiptTakenBack, said).excess_fen == 0
    claim = await desk.db.fetchrow("SELECT * FROM settlement.claims")
    assert (claim["back_payable_fen"], claim["excess_fen"]) == (10_00, 0)


async def test_a_match_by_hand_is_undone_and_made_for_the_same_again(desk: Desk) -> None:
    which = {"account": f"{B}:income", "receipt": some_id("r"), **TWO}
    matched = MatchReceipt.model_validate({**which, "to": B, "transfer": T1})
    await desk.tell(receipt("r", detail(100_00, payer_region=A)), matched)

    said = await desk.tell(UndoMatch.model_validate({**CLAIM, **which}))

    assert only(MatchUndone, said).open_fen == 100_00
    assert only(ItemOpened, said).queue == "receipt"
    await desk.tell(matched)
    claim = await desk.db.fetchrow("SELECT * FROM settlement.claims")
    assert (claim["matched_fen"], claim["open_fen"]) == (100_00, 0)


async def test_what_the_heirs_got_without_right_is_owed_by_the_estate(desk: Desk) -> None:
    death = {"to": B, "person": PERSON, "reason": "deceased", "record": some_id("death")}
    await desk.tell(PayOut.model_validate(death))

    await desk.tell(corrected_to(0))

    assert await desk.owes() == 100_00
