"""Payments the bank was told of, and the database was then set back: none is issued twice."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest

from deploy import holds
from services.settlement.outside import FILE
from shared.messages.settlement import InstructRemittance
from tests.integration.desk import ON, Desk, csv, desk_at, row

RUN = "410100-20260331-1"
BACK = "450100-20260331-1"
REASON = {"reason": "asked the bank"}


@pytest.fixture
async def desk(database: str, tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk_at(database, tmp_path) as one:
        yield one


async def remitted(desk: Desk, region: str = "410100") -> tuple[int, str, bytes]:
    answer = await desk.ask(
        "POST", "/v1/remittances", json={"region": region, "date": ON.isoformat()}
    )
    return answer.status_code, answer.headers.get("Jiexu-Runs", ""), answer.content


async def set_back(desk: Desk) -> holds.Outside:
    """As if the database had been restored to before the file and the statements."""
    for table in ("remittance_lines", "remittance_runs", "sweeps", "bank_lines", "statements"):
        await desk.owner.execute(f"DELETE FROM settlement.{table}")
    return await holds.compare(desk.owner, desk.settings.home)


async def test_a_payment_the_bank_knows_waits_for_a_person(desk: Desk) -> None:
    await desk.release("p1", uuid4(), 408412)
    await remitted(desk)

    found = await set_back(desk)

    assert [(p["run"], p["transfers"], p["amount"]) for p in found.payments] == [
        (RUN, 1, "4084.12")
    ]
    assert await remitted(desk) == (204, "", b"")
    listed = (await desk.ask("GET", "/v1/held-payments")).json()
    assert [(one["run"], one["amount"]) for one in listed] == [(RUN, "4084.12")]


async def test_a_confirmed_file_is_entered_as_it_was_and_paid_no_second_time(desk: Desk) -> None:
    await desk.release("p1", uuid4(), 100)
    before = await remitted(desk)
    await set_back(desk)

    done = await desk.ask("POST", f"/v1/held-payments/{RUN}/confirm", json=REASON)

    assert done.json() == {"run": RUN, "verdict": "confirm", "transfers": 1}
    (first, told), (second, again) = desk.sent
    assert (first, told) == (second, again)
    assert isinstance(again, InstructRemittance)
    await desk.obey(again)
    assert await remitted(desk) == before
    assert (await desk.ask("GET", "/v1/held-payments")).json() == []


async def test_a_file_that_never_came_is_paid_under_another_name(desk: Desk) -> None:
    await desk.release("p1", uuid4(), 100)
    await remitted(desk)
    await set_back(desk)

    await desk.ask("POST", f"/v1/held-payments/{RUN}/release", json=REASON)

    status, runs, _ = await remitted(desk)
    assert (status, runs) == (200, "410100-20260331-2")


async def test_what_went_back_to_an_origin_waits_like_any_payment_and_is_confirmed(
    desk: Desk,
) -> None:
    await desk.owe_back("p1", uuid4(), 100)
    before = await remitted(desk, "450100")
    assert before[:2] == (200, BACK)
    await set_back(desk)

    assert await remitted(desk, "450100") == (204, "", b"")
    done = await desk.ask("POST", f"/v1/held-payments/{BACK}/confirm", json=REASON)

    assert (done.status_code, done.json()["transfers"]) == (202, 1)
    first, again = desk.sent
    assert first == again
    await desk.obey(again[1])
    assert await remitted(desk, "450100") == before


async def test_what_went_back_is_not_confirmed_before_it_is_owed_again(desk: Desk) -> None:
    await desk.owe_back("p1", uuid4(), 100)
    await remitted(desk, "450100")
    await desk.owner.execute("UPDATE settlement.claims SET back_payable_fen = 99")
    await set_back(desk)

    early = await desk.ask("POST", f"/v1/held-payments/{BACK}/confirm", json=REASON)

    assert (early.status_code, early.json()["code"]) == (409, "not_released_yet")


async def test_what_is_released_after_a_restore_is_paid_while_the_rest_is_held(desk: Desk) -> None:
    await desk.release("p1", uuid4(), 100)
    await remitted(desk)
    await set_back(desk)
    await desk.release("p2", uuid4(), 250)

    await remitted(desk)

    last = desk.messages[-1]
    assert isinstance(last, InstructRemittance)
    assert (last.amount_fen, last.run) == (250, "410100-20260331-2")


async def test_a_file_is_not_confirmed_before_its_transfers_are_released_again(desk: Desk) -> None:
    await desk.release("p1", uuid4(), 100)
    await remitted(desk)
    await desk.owner.execute("DELETE FROM settlement.releases")
    await set_back(desk)

    early = await desk.ask("POST", f"/v1/held-payments/{RUN}/confirm", json=REASON)

    assert (early.status_code, early.json()["code"]) == (409, "not_released_yet")


async def test_a_verdict_wants_a_reason_and_a_region_of_ones_own(desk: Desk) -> None:
    await desk.release("p1", uuid4(), 100)
    await remitted(desk)
    await set_back(desk)

    silent = await desk.ask("POST", f"/v1/held-payments/{RUN}/release", json={"reason": ""})
    desk.may = frozenset({"450100"})
    foreign = await desk.ask("POST", f"/v1/held-payments/{RUN}/release", json=REASON)

    assert (silent.status_code, foreign.status_code) == (422, 403)
    assert (await desk.ask("GET", "/v1/held-payments")).json() == []


async def test_a_statement_read_since_is_listed_to_be_read_again(desk: Desk) -> None:
    await desk.post(csv(row("r1", "10.00")))
    await desk.post(csv(row("r1", "10.00")))
    assert (await holds.compare(desk.owner, desk.settings.home)).statements == []

    found = await set_back(desk)

    assert [(one["account"], one["page"]) for one in found.statements] == [("450100:income", 0)]


async def test_a_sweep_the_bank_knows_is_made_no_second_time_with_another_amount(
    desk: Desk,
) -> None:
    await desk.owner.execute(
        "INSERT INTO settlement.sweeps VALUES ('450100', $1, 700, clock_timestamp(), 'chen')", ON
    )
    march = {"region": "450100", "month": "2026-03"}
    before = await desk.ask("POST", "/v1/sweeps", json=march)
    listed = (await desk.ask("GET", "/v1/sweeps")).json()

    found = await set_back(desk)

    told = [(one["run"], one["month"], one["amount"]) for one in found.sweeps]
    assert told == [("450100-202603-S", "2026-03", "7.00")]
    again = await desk.ask("POST", "/v1/sweeps", json=march)
    assert (again.status_code, again.content) == (200, before.content)
    assert (await desk.ask("GET", "/v1/sweeps")).json() == listed
    assert (await holds.compare(desk.owner, desk.settings.home)).sweeps == []


async def test_a_line_that_a_crash_cut_short_is_passed_over_and_hides_no_later_one(
    desk: Desk,
) -> None:
    await desk.release("p1", uuid4(), 100)
    await remitted(desk)
    path = desk.settings.home / FILE
    whole = path.read_text("utf-8")
    path.write_text(whole + whole[: len(whole) // 2], "utf-8")
    await desk.release("p2", uuid4(), 100)
    await remitted(desk)

    found = await set_back(desk)

    assert [one["run"] for one in found.payments] == [RUN, "410100-20260331-2"]
    assert json.loads(whole)["run"] == RUN
