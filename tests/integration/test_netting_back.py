"""A line that was final goes back by new entries: through the next sheet, on the real store."""

from datetime import datetime

from shared.messages.settlement import FundsCorrected, Spend
from shared.messages.settlement_compensation import (
    AdjustAdvance,
    AdvanceReversed,
    RestoreFunds,
    ReverseAdvance,
)
from shared.messages.settlement_netting import FinalizeSheet, PublishSheet
from tests.integration.test_netting import (
    APRIL,
    GUANGXI,
    GUILIN,
    NANNING,
    Town,
    at,
    pay_over,
    published,
    town,
)
from tests.unit.settlement_world import only, some_id

__all__ = ["town"]


async def correct_down(town: Town, number: int, amount_fen: int, when: datetime) -> None:
    """What was spent before the release comes late: O owes less, and D takes it back."""
    person, transfer = f"{number:032x}", some_id(f"move {number}")
    late = Spend(
        to=GUILIN,
        person=person,
        record=some_id(f"late {number}"),
        amount_fen=amount_fen,
        spent_on=at(4, 1).date(),
    )
    corrected = only(FundsCorrected, await town.take([late], when))
    less = AdjustAdvance(
        to=NANNING,
        person=person,
        transfer=transfer,
        origin=GUILIN,
        version=corrected.version,
        amount_fen=-corrected.delta_fen,
    )
    await town.take([less], when)


async def reverse(town: Town, number: int, when: datetime) -> None:
    """Two people go back on the release."""
    about = {"person": f"{number:032x}", "transfer": some_id(f"move {number}"), "number": 1}
    asked = ReverseAdvance.model_validate(about | {"to": NANNING, "origin": GUILIN})
    taken = only(AdvanceReversed, await town.take([asked], when))
    home = {"to": GUILIN, "destination": NANNING, "amount_fen": taken.amount_fen}
    await town.take([RestoreFunds.model_validate(about | home)], when)


async def test_what_goes_back_after_the_sheet_was_final_goes_through_the_next_one(
    town: Town,
) -> None:
    await published(town)
    await town.take([FinalizeSheet(to=GUANGXI, month=APRIL)], at(5, 12))
    await pay_over(town, GUILIN, GUANGXI)
    await pay_over(town, GUANGXI, NANNING)
    assert (await town.sheet())["state"] == "paid"

    await correct_down(town, 1, 300, at(5, 20))
    await reverse(town, 2, at(5, 21))
    await town.take([PublishSheet(to=GUANGXI, month=APRIL + 1)], at(6, 5))
    await town.take([FinalizeSheet(to=GUANGXI, month=APRIL + 1)], at(6, 12))

    may = await town.sheet("2026-05")
    nets = {p["region"]: (p["gets"], p["pays"]) for p in may["positions"]}
    assert nets == {NANNING: ("0.00", "103.02"), GUILIN: ("103.02", "0.00")}
    await pay_over(town, NANNING, GUANGXI, at(6, 15))
    await pay_over(town, GUANGXI, GUILIN, at(6, 15))
    accounts = await town.accounts()
    for region in (NANNING, GUILIN, GUANGXI):
        assert accounts[region, "clearing:2026-05"] == "0.00"
    for account in (f"payable:{GUILIN}", f"advance:{GUILIN}", "suspense"):
        assert accounts.get((NANNING, account), "0.00") == "0.00"
    assert accounts[GUILIN, f"overpaid:{NANNING}"] == "0.00"
    personal = await town.db.fetch(
        "SELECT region, person, personal_credit_fen - personal_debit_fen AS fen FROM holders"
    )
    left = {(row["region"], int(row["person"], 16)): row["fen"] for row in personal}
    assert left == {(GUILIN, 1): 0, (NANNING, 1): 9701, (GUILIN, 2): 10002, (NANNING, 2): 0}
    april = await town.sheet()
    assert (april["state"], april["lines"]) == ("paid", 2)
