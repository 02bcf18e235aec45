"""O's bank and personal accounts: told, debited, returned, swept; opened, spent, given back."""

from typing import Any

import pytest

from shared.decision import Unexpected
from shared.messages import Message
from shared.messages.enrollment import AnswerAnew
from shared.messages.settlement import (
    AccountMoved,
    Contribute,
    CorrectBalance,
    InstructRemittance,
    OpenBank,
    ReceiptUnmatched,
    RecordDebit,
    Refund,
    RemittanceDebited,
    RemittanceInstructed,
    RemittanceReturned,
    Spend,
)
from shared.messages.settlement_people import ItemOpened
from tests.unit.settlement_world import (
    DAY,
    PERSON,
    T1,
    A,
    B,
    World,
    detail,
    only,
    open_account,
    receipt,
    release_funds,
    some_id,
)


def owing(fen: int = 100) -> World:
    """A owes B, and has 10.00 yuan at the bank."""
    world = World()
    world.send(open_account(A, fen), release_funds(), bank(1000))
    return world


def bank(fen: int) -> OpenBank:
    return OpenBank(
        to=A, account=f"{A}:expense", bank="expense", balance_fen=fen, booked_on=DAY.date()
    )


def instruct(fen: int = 100, run: str = "run-1") -> InstructRemittance:
    return InstructRemittance(
        to=A, person=PERSON, transfer=T1, destination=B, run=run, amount_fen=fen
    )


def debit(name: str, fen: int, *references: Any, **others: Any) -> RecordDebit:  # noqa: ANN401 - fields
    fields: dict[str, Any] = {"bank": "expense", **others}
    return RecordDebit(
        to=A,
        account=f"{A}:{fields['bank']}",
        receipt=some_id(name),
        amount_fen=fen,
        booked_on=DAY.date(),
        details=(detail(fen, *references),),
        **fields,
    )


def test_a_remittance_is_told_once_per_file_and_debited() -> None:
    world = owing()

    told = world.send(instruct(), instruct())
    gone = world.send(debit("d", 100, T1))

    assert only(RemittanceInstructed, told).run == "run-1"
    assert only(RemittanceDebited, gone).amount_fen == 100
    assert world.account(A, "remitting") == 0
    assert world.account(A, "bank:expense") == 900


def test_more_than_is_owed_is_overpaid() -> None:
    world = owing()

    world.send(instruct(), debit("d", 130, T1))

    assert world.account(A, f"overpaid:{B}") == 30
    assert world.release().debited_fen == 100


def test_a_debit_without_one_of_our_files_is_not_paid_again() -> None:
    world = owing()

    world.send(debit("d", 100, T1), instruct())

    assert world.account(A, f"payable:{B}") == 0
    assert world.account(A, "remitting") == 0
    assert world.account(A, "bank:expense") == 900


def test_what_was_overpaid_settles_what_is_owed_later() -> None:
    world = owing()
    world.send(instruct(), debit("d", 130, T1))
    late = Contribute(to=A, person=PERSON, record=some_id("late"), amount_fen=30)

    world.send(late, instruct(30, "run-2"))

    assert world.account(A, f"overpaid:{B}") == 0
    assert world.account(A, "remitting") == 0


@pytest.mark.parametrize("debited", [True, False])
def test_a_remittance_that_comes_back_is_owed_again(debited: bool) -> None:  # noqa: FBT001
    world = owing()
    world.send(instruct())
    if debited:
        world.send(debit("d", 100, T1))
    back = receipt("b", detail(100, T1, return_code="AC04"), region=A, bank="expense")

    said = world.send(back)

    assert only(RemittanceReturned, said).code == "AC04"
    assert world.account(A, f"payable:{B}") == 100
    assert world.account(A, "suspense") == 0
    assert world.part("b").verdict == "returned"


def test_more_than_was_ever_sent_does_not_come_back() -> None:
    world = owing()
    world.send(instruct(), debit("d", 100, T1))

    said = world.send(receipt("b", detail(150, T1, return_code="X"), region=A, bank="expense"))

    assert only(RemittanceReturned, said).amount_fen == 100
    assert only(ReceiptUnmatched, said).amount_fen == 50
    assert world.account(A, "suspense") == 50


def test_a_return_of_nothing_that_we_know_pays_nobodys_claim() -> None:
    world = owing()

    said = world.send(receipt("b", detail(100, return_code="X", payer_region=B), region=A))

    assert only(ReceiptUnmatched, said).code == "returned"
    assert only(ItemOpened, said).queue == "receipt"
    assert (world.part("b").verdict, world.account(A, "suspense")) == ("returned", 100)


@pytest.mark.parametrize(
    ("others", "account", "kind"),
    [
        ({"counter": "income"}, "bank:income", "sweep"),
        ({"fee": True}, "charges", "fee"),
        ({}, "unexplained", "unexplained"),
        ({"reversal": True}, "unexplained", "unexplained"),
    ],
)
def test_a_debit_without_a_transfer_is_a_sweep_a_fee_or_unexplained(
    others: dict[str, Any], account: str, kind: str
) -> None:
    world = owing()

    world.send(debit("d", 40, **others))

    assert world.account(A, account) == 40
    assert world.kinds(A)[-1] == kind


def test_a_debit_read_twice_counts_once() -> None:
    world = owing()

    world.send(debit("d", 40), debit("d", 40))

    assert world.account(A, "unexplained") == 40
    with pytest.raises(Unexpected):
        world.send(debit("d", 41))


def test_a_remittance_of_nothing_released_is_refused() -> None:
    with pytest.raises(Unexpected):
        World().send(instruct())


def spend(fen: int, name: str = "spend") -> Spend:
    return Spend(to=B, person=PERSON, record=some_id(name), amount_fen=fen)


def refund(fen: int, name: str, of: str = "spend") -> Refund:
    return Refund(to=B, person=PERSON, record=some_id(name), refers_to=some_id(of), amount_fen=fen)


def test_an_account_is_opened_spent_from_and_given_back_to() -> None:
    world = World()

    said = world.send(open_account(B, 100), spend(60), refund(20, "r1"), refund(40, "r2"))

    moved = [(m.what, m.amount_fen, m.balance_fen) for m in said if isinstance(m, AccountMoved)]
    assert moved == [("open", 100, 100), ("spend", 60, 40), ("refund", 20, 60), ("refund", 40, 100)]


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (spend(101, "big"), "insufficient_balance"),
        (refund(61, "r"), "refund_too_large"),
        (refund(1, "r", of="nothing"), "unknown_record"),
        (
            CorrectBalance(
                to=B,
                person=PERSON,
                record=some_id("c"),
                refers_to=some_id(f"open {B}"),
                balance_fen=59,
            ),
            "insufficient_balance",
        ),
    ],
)
def test_what_cannot_be_moved_is_refused_once_and_changes_nothing(
    message: Message, code: str
) -> None:
    world = World()
    world.send(open_account(B, 100), spend(60))

    said = world.send(message, message)

    assert only(AnswerAnew, said).code == code
    assert world.balance(B) == 40


def test_a_contribution_needs_an_account() -> None:
    late = Contribute(to=B, person=PERSON, record=some_id("c"), amount_fen=5)

    assert only(AnswerAnew, World().send(late)).code == "no_account"


@pytest.mark.parametrize("fen", [150, 30, 0])
def test_a_corrected_opening_balance_replaces_the_old_whole(fen: int) -> None:
    world = World()
    world.send(open_account(B, 100))
    fix = CorrectBalance(
        to=B,
        person=PERSON,
        record=some_id("c"),
        refers_to=some_id(f"open {B}"),
        balance_fen=fen,
    )

    world.send(fix, fix)

    assert world.balance(B) == fen


@pytest.mark.parametrize("message", [spend(0), spend(-5), refund(0, "r"), open_account(B, -1)])
def test_an_amount_that_is_none_is_refused(message: Message) -> None:
    with pytest.raises(Unexpected):
        World().send(message)


def test_money_moved_to_the_account_that_comes_in_the_place_of_another_changes_nothing() -> None:
    world = owing()

    world.send(debit("d", 100, counter="expense"))

    assert world.account(A, "bank:expense") == 1000
    assert world.account(A, "unexplained") == 0
