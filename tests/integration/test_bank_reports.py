"""What banks report of payments finds the payment files it is about, or a person."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from shared.messages.settlement import InstructRemittance
from shared.messages.settlement_bank import (
    AnnounceReturn,
    AnswerBankMessage,
    NoteBankMessage,
    ReportRemittance,
)
from tests.integration.desk import Desk, desk_at
from tests.integration.test_bank_files import answers
from tests.integration.test_remittances import remit
from tests.unit.test_bank_reports import ID, part, payment, recalled, resolved, returned, status

RUN = "410100-20260331-1"


@pytest.fixture
async def desk(database: str, tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk_at(database, tmp_path) as one:
        yield one


async def instructed(desk: Desk, *fen: int, lump: bool = False) -> list[UUID]:
    transfers = [UUID(ID), *(uuid4() for _ in fen[1:])]
    for transfer, amount_fen in zip(transfers, fen, strict=True):
        await desk.release(transfer.hex, transfer, amount_fen)
    await remit(desk, lump=lump)
    return transfers


async def test_a_rejected_payment_goes_back_to_the_books_and_into_the_next_run(desk: Desk) -> None:
    one_, other = await instructed(desk, 100, 200)
    text = status("PART", part(payment(one_.hex, "RJCT", "AC04"), payment(other.hex, "ACSC")))

    (answer,) = await answers(desk, text)

    told = {m.transfer: m for m in desk.messages if isinstance(m, ReportRemittance)}
    assert (told[one_].status, told[one_].code, told[one_].run) == ("rejected", "AC04", RUN)
    assert (told[other].status, told[other].person) == ("accepted", other.hex)
    assert (answer["account"], answer["accepted"]) == ("410100:expense", 2)
    for message in [m for m in desk.messages if isinstance(m, InstructRemittance)]:
        await desk.obey(message)
    await desk.owner.execute(
        "UPDATE settlement.releases SET payable_fen = 100, remitting_fen = 0 WHERE transfer = $1",
        one_,
    )
    await remit(desk)
    again = [m.run for m in desk.messages if isinstance(m, InstructRemittance)]
    assert again == [RUN, RUN, "410100-20260331-2"]


async def test_a_rejected_file_is_all_its_payments_but_for_those_told_of(desk: Desk) -> None:
    one_, other, third = await instructed(desk, 100, 200, 300)

    await answers(desk, status("RJCT", part(payment(third.hex, "ACCP"))))

    told = {m.transfer: m.status for m in desk.messages if isinstance(m, ReportRemittance)}
    assert told == {one_: "rejected", other: "rejected", third: "accepted"}


async def test_a_rejected_lump_is_all_that_is_in_it(desk: Desk) -> None:
    transfers = await instructed(desk, 100, 200, lump=True)

    await answers(desk, status("PART", part(payment(f"{RUN}-450100", "RJCT", "AC04"))))

    told = {m.transfer for m in desk.messages if isinstance(m, ReportRemittance)}
    assert told == set(transfers)


async def test_what_is_told_twice_is_told_once(desk: Desk) -> None:
    (transfer,) = await instructed(desk, 100)
    texts = [status("PART", part(payment(transfer.hex, "RJCT", "AC04"))) for _ in range(2)]

    first, again = await answers(desk, texts[0], texts[1].replace("<MsgId>B1<", "<MsgId>B9<"))

    assert (first["accepted"], again["accepted"], again["duplicate"]) == (1, 0, 1)
    assert len([m for m in desk.messages if isinstance(m, ReportRemittance)]) == 1


async def test_a_payment_that_the_run_does_not_have_waits_for_a_person(desk: Desk) -> None:
    await instructed(desk, 100)

    (answer,) = await answers(desk, status("PART", part(payment("13812345678", "RJCT"))))

    (note,) = [m for m in desk.messages if isinstance(m, NoteBankMessage)]
    assert (note.kind, note.account, answer["codes"]) == (
        "status",
        "410100:expense",
        ["for_a_person"],
    )
    assert "138" not in note.model_dump_json(), "what a bank writes there may be anybody's number"


async def test_a_report_about_no_payment_of_ours_is_refused(desk: Desk) -> None:
    for text in (status("RJCT"), returned()):
        answer = await desk.post(text)
        assert (answer.status_code, answer.json()["code"]) == (422, "unknown_payment")


async def test_reports_of_another_regions_payments_are_not_taken(desk: Desk) -> None:
    await instructed(desk, 100)
    desk.may = frozenset({"450100"})

    assert (await desk.post(status("RJCT"))).status_code == 403


async def test_an_announced_return_finds_its_payment_and_is_shown_by_its_hash(desk: Desk) -> None:
    (transfer,) = await instructed(desk, 4084)

    (answer,) = await answers(desk, returned())

    (announced,) = [m for m in desk.messages if isinstance(m, AnnounceReturn)]
    assert (announced.transfer, announced.amount_fen, announced.code) == (transfer, 4084, "AC04")
    shown = (await desk.ask("GET", f"/v1/statements/{answer['hash']}")).json()
    assert shown["kinds"] == ["pacs.004"]
    (report,) = shown["reports"]
    assert (report["run"], report["status"], report["amount"]) == (RUN, "returned", "40.84")


async def test_a_returned_lump_is_laid_on_its_list_if_it_is_whole(desk: Desk) -> None:
    transfers = await instructed(desk, 4000, 84, lump=True)
    text = returned().replace(ID, f"{RUN}-450100")

    await answers(desk, text, text.replace("R1", "R2").replace("40.84", "40.00"))

    back = {m.transfer: m.amount_fen for m in desk.messages if isinstance(m, AnnounceReturn)}
    assert back == dict(zip(transfers, (4000, 84), strict=True))
    (note,) = [m for m in desk.messages if isinstance(m, NoteBankMessage)]
    assert (note.kind, note.amount_fen) == ("return", 4000)


async def test_a_recall_waits_for_an_answer_that_is_a_message_too(desk: Desk) -> None:
    await answers(desk, recalled())
    (note,) = [m for m in desk.messages if isinstance(m, NoteBankMessage)]
    assert (note.kind, note.account, note.amount_fen) == ("recall", "450100:income", 4084)
    await desk.owner.execute(
        "INSERT INTO settlement.bank_notes (note, account, region, kind, code, amount_fen,"
        " transfers, run, reference, recorded_at, state) VALUES ($1, '450100:income', '450100',"
        " 'recall', 'DUPL', 4084, '{}', '', '', now(), 'open')",
        note.note,
    )
    path = f"/v1/bank-messages/{note.note}/answer"

    (shown,) = (await desk.ask("GET", "/v1/bank-messages", params={"state": "open"})).json()
    said = await desk.ask("POST", path, json={"agreed": False, "reason": "rightly here"})

    assert (shown["kind"], shown["code"], shown["amount"]) == ("recall", "DUPL", "40.84")
    assert said.status_code == 202
    (answer,) = [m for m in desk.messages if isinstance(m, AnswerBankMessage)]
    assert (answer.note, answer.agreed, answer.answered_by) == (note.note, False, "t")
    desk.may = frozenset({"410100"})
    other = await desk.ask("POST", path, json={"agreed": True, "reason": "mine"})
    assert other.status_code == 404


async def test_a_resolution_of_a_question_about_our_payment_is_noted(desk: Desk) -> None:
    (transfer,) = await instructed(desk, 100)

    await answers(desk, resolved())

    (note,) = [m for m in desk.messages if isinstance(m, NoteBankMessage)]
    assert (note.kind, note.code, note.account) == ("resolution", "CNCL", "410100:expense")
    assert note.transfers == (transfer,)


async def test_what_a_bank_does_with_a_net_position_waits_for_a_person(desk: Desk) -> None:
    await instructed(desk, 100)
    await desk.owner.execute("UPDATE settlement.remittance_lines SET person = '450000/2026-03'")

    await answers(desk, status("RJCT"))

    (note,) = [m for m in desk.messages if isinstance(m, NoteBankMessage)]
    assert (note.kind, note.run) == ("status", RUN)
    assert not [m for m in desk.messages if isinstance(m, ReportRemittance)]
