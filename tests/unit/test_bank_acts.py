"""What a bank says of payments: rejected is owed again, what comes back counts once."""

import itertools
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.settlement.bank.states import Note
from shared.decision import Unexpected
from shared.messages import Message
from shared.messages.settlement import RecordReceipt, RemittanceReturned
from shared.messages.settlement_bank import (
    AdjustOpening,
    AnnounceReturn,
    AnswerBankMessage,
    BankMessageAnswered,
    BankMessageNoted,
    BookLine,
    HoldLine,
    NoteBankMessage,
    RemittanceAccepted,
    RemittanceRejected,
    ReportRemittance,
)
from shared.messages.settlement_people import ItemDone, ItemOpened
from tests.unit.settlement_world import DAY, PERSON, T1, A, B, World, detail, only, receipt, some_id
from tests.unit.test_settlement_payments import debit, instruct, owing

Status = Literal["accepted", "pending", "rejected"]


def report(status: Status, run: str = "run-1", code: str = "") -> ReportRemittance:
    return ReportRemittance(to=A, person=PERSON, transfer=T1, run=run, status=status, code=code)


def announced(fen: int = 100, name: str = "R1") -> AnnounceReturn:
    return AnnounceReturn(
        to=A, person=PERSON, transfer=T1, announcement=some_id(name), amount_fen=fen, code="AC04"
    )


def seen(name: str = "b", fen: int = 100) -> RecordReceipt:
    return receipt(name, detail(fen, T1, return_code="AC04"), region=A, bank="expense")


def test_a_rejected_payment_is_owed_again_and_instructed_by_another_run() -> None:
    world = owing()

    said = world.send(instruct(), report("rejected", code="AC04"))

    assert (only(RemittanceRejected, said).amount_fen, world.account(A, f"payable:{B}")) == (
        100,
        100,
    )
    world.send(instruct(run="run-2"), debit("d", 100, T1))
    assert world.account(A, f"payable:{B}") == world.account(A, "remitting") == 0
    assert world.account(A, "bank:expense") == 900


def test_a_rejection_told_again_is_owed_once() -> None:
    world = owing()

    world.send(instruct(), report("rejected", code="AC04"), instruct(run="run-2"))
    said = world.send(report("rejected", code="AC04"), report("rejected", code="MS03"))

    assert said == []
    assert world.account(A, "remitting") == 100


def test_an_accepted_payment_is_noted_once_and_moves_nothing() -> None:
    world = owing()

    said = world.send(instruct(), report("pending"), report("accepted"), report("accepted"))

    assert len([m for m in said if isinstance(m, RemittanceAccepted)]) == 1
    assert world.account(A, "remitting") == 100


def test_an_accepted_payment_may_be_rejected_after_all_but_not_the_other_way() -> None:
    world = owing()

    world.send(instruct(), report("accepted"), report("rejected"), report("accepted"))

    assert world.account(A, f"payable:{B}") == 100
    assert world.states["instruction", PERSON, T1, "run-1"].status == "rejected"  # type: ignore[attr-defined]


def test_what_was_debited_is_not_owed_again_because_the_bank_rejects_it() -> None:
    world = owing()

    said = world.send(instruct(), debit("d", 100, T1), report("rejected"))

    assert only(RemittanceRejected, said).amount_fen == 0
    assert world.account(A, f"payable:{B}") == 0


def test_a_rejection_of_what_no_run_has_is_refused() -> None:
    with pytest.raises(Unexpected, match="no run"):
        owing().send(report("rejected"))


def test_an_announced_return_is_owed_again_before_the_money_is_there() -> None:
    world = owing()
    world.send(instruct(), debit("d", 100, T1))

    said = world.send(announced())

    assert only(RemittanceReturned, said).code == "AC04"
    assert world.account(A, f"payable:{B}") == world.account(A, "returning") == 100
    assert world.account(A, "bank:expense") == 900


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_a_return_counts_once_in_whatever_order_it_is_told(order: tuple[int, ...]) -> None:
    """Announced twice by the same message, and shown by the statement."""
    world = owing()
    world.send(instruct(), debit("d", 100, T1))
    told: list[Message] = [announced(), announced(), seen()]

    said = world.send(*(told[n] for n in order))

    assert only(RemittanceReturned, said).amount_fen == 100
    assert world.account(A, f"payable:{B}") == 100
    assert world.account(A, "returning") == world.account(A, "suspense") == 0
    assert world.account(A, "bank:expense") == 1000


def test_two_returns_of_one_transfer_are_two() -> None:
    world = owing()
    world.send(instruct(), debit("d1", 100, T1), announced(), instruct(run="run-2"))
    world.send(debit("d2", 100, T1), seen(), announced(name="R2"), seen("b2"))

    assert world.account(A, f"payable:{B}") == 100
    assert world.account(A, "returning") == 0
    assert world.account(A, "bank:expense") == 1000


def test_more_than_was_ever_sent_is_not_announced_back() -> None:
    world = owing()
    world.send(instruct(), debit("d", 100, T1), announced(150))

    assert world.account(A, "returning") == world.account(A, f"payable:{B}") == 100


acts = st.lists(
    st.sampled_from(
        [
            *(report(s, run) for s in ("accepted", "rejected") for run in ("run-1", "run-2")),
            *(instruct(run=run) for run in ("run-1", "run-2", "run-3")),
            *(announced(fen, f"R{n}{fen}") for n in range(2) for fen in (100, 40)),
            *(seen(f"b{n}{fen}", fen) for n in range(2) for fen in (100, 40)),
            *(debit(f"d{n}", fen, T1) for n, fen in enumerate((100, 100, 40))),
        ]
    ),
    max_size=14,
)


@settings(max_examples=150, deadline=None)
@given(acts)
def test_whatever_a_bank_says_in_whatever_order_the_books_hold(story: list[Message]) -> None:
    """The world checks every invariant after every message."""
    world = owing()
    for message in story:
        try:
            world.send(message)
        except Unexpected:
            continue
        release = world.release()
        out_fen = release.payable_fen + release.remitting_fen + release.debited_fen
        assert out_fen - release.returned_fen == 100
        assert world.account(A, "returning") == max(
            0, release.back_told_fen - release.back_seen_fen
        )


def test_what_the_bank_asks_waits_for_a_person_and_is_answered_once() -> None:
    world = World()
    note = NoteBankMessage(
        to=B,
        account=f"{B}:income",
        bank="income",
        note=some_id("recall"),
        kind="recall",
        code="DUPL",
        amount_fen=100,
        transfers=(T1,),
    )

    asked = world.send(note, note)
    answered = world.send(answer(agreed=False), answer(agreed=False))

    assert only(BankMessageNoted, asked).kind == "recall"
    item = only(ItemOpened, asked)
    assert (item.queue, item.amount_fen, item.facts["code"]) == ("bank-message", 100, "DUPL")
    assert only(BankMessageAnswered, answered).agreed is False
    assert only(ItemDone, answered).item == item.item
    kept = world.states["note", some_id("recall")]
    assert isinstance(kept, Note)
    assert (kept.state, kept.answered_by, kept.why) == ("answered", "cashier", "rightly here")
    with pytest.raises(Unexpected, match="otherwise"):
        world.send(answer(agreed=True))


TWIN = receipt("second", detail(100, T1, payer_region=A))


def held() -> HoldLine:
    return HoldLine(
        to=B,
        account=TWIN.account,
        bank=TWIN.bank,
        receipt=TWIN.receipt,
        twin=some_id("first"),
        amount_fen=100,
        message=TWIN.type,
        line=TWIN.model_dump(mode="json"),
    )


def said_of_it(*, another: bool, by: str = "director") -> BookLine:
    return BookLine(
        to=B,
        account=TWIN.account,
        bank=TWIN.bank,
        receipt=TWIN.receipt,
        another=another,
        proposed_by="clerk",
        approved_by=by,
        reason="bank-confirmed",
    )


@pytest.mark.parametrize("code", ["booked", "same"])
def test_a_line_that_seems_told_already_is_booked_when_two_people_say_it_is_another(
    code: str,
) -> None:
    another = code == "booked"
    world = World()
    opened = only(ItemOpened, world.send(held(), held()))
    assert (opened.queue, opened.facts["twin"]) == ("twin", str(some_id("first")))
    assert world.account(B, "suspense") == 0

    said = world.send(said_of_it(another=another), said_of_it(another=another))

    assert only(ItemDone, said).code == code
    assert world.account(B, "suspense") == (100 if another else 0)
    assert world.send(held()) == []


def test_one_person_alone_books_no_line_and_nothing_is_booked_that_is_not_held() -> None:
    world = World()
    world.send(held())

    with pytest.raises(Unexpected, match="two people"):
        world.send(said_of_it(another=True, by="clerk"))
    with pytest.raises(Unexpected, match="no such line"):
        World().send(said_of_it(another=True))


def answer(*, agreed: bool) -> AnswerBankMessage:
    return AnswerBankMessage(
        to=B,
        account=f"{B}:income",
        bank="income",
        note=some_id("recall"),
        agreed=agreed,
        answered_by="cashier",
        why="rightly here",
    )


def test_an_answer_to_nothing_is_refused() -> None:
    with pytest.raises(Unexpected, match="nothing like this"):
        World().send(answer(agreed=True))


@pytest.mark.parametrize("delta_fen", [-300, 300])
def test_an_opening_balance_is_adjusted_by_what_came_before_it(delta_fen: int) -> None:
    world = owing()
    adjust = AdjustOpening(
        to=A,
        account=f"{A}:expense",
        bank="expense",
        cause=some_id("file"),
        delta_fen=delta_fen,
        booked_on=DAY.date(),
    )

    world.send(adjust)

    assert world.account(A, "bank:expense") == 1000 + delta_fen
