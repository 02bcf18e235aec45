"""Interest once a year, and whose it is: where the money stands, at the cost of that fund."""

from datetime import date

import pytest

from services.settlement import interest, ledger
from shared.messages.settlement import CorrectBalance, FundsReleased
from shared.messages.settlement_compensation import ReverseAdvance
from shared.messages.settlement_interest import InterestCredited, SettleInterest
from tests.unit.interest_world import holder, remitted, spent, world
from tests.unit.settlement_world import (
    DAY,
    PERSON,
    T1,
    T2,
    A,
    B,
    C,
    announced,
    only,
    release_funds,
    some_id,
)


def test_once_a_year_what_was_earned_is_credited_by_the_end_of_the_settlement_day() -> None:
    books = world(1_000_000)
    opened_on = DAY.date().toordinal() + 1

    said = books.wait(365)

    credited = only(InterestCredited, said)
    days = date(2027, 1, 1).toordinal() - opened_on
    assert credited.until == date(2027, 1, 1)
    assert credited.amount_fen == round(1_000_000 * days * 35 / 3_600_000) == 2956
    assert books.balance(A) == credited.balance_fen == 1_002_956
    assert holder(books, A).settles_on == date(2027, 12, 31)


def test_the_years_interest_earns_in_the_next_one() -> None:
    books = world(1_000_000)
    books.wait(365)

    second = only(InterestCredited, books.wait(365))

    assert second.amount_fen == round(1_002_956 * 365 * 35 / 3_600_000) == 3559


@pytest.mark.parametrize("again", [date(2026, 12, 31), date(2025, 12, 31), date(2030, 12, 31)])
def test_a_settlement_day_counts_once(again: date) -> None:
    books = world(1_000_000)
    books.wait(365)

    said = books.send(SettleInterest(to=A, person=PERSON, on=again))

    assert said == []
    assert books.account(A, "interest") == 2956


def test_an_account_that_left_is_credited_nothing_and_not_reminded_again() -> None:
    books = world()
    books.wait(30)
    books.send(release_funds())

    assert [m for m in books.wait(400) if isinstance(m, InterestCredited)] == []
    assert holder(books, A).settles_on is None


def test_less_than_half_a_fen_waits_for_the_next_year() -> None:
    books = world(100)
    books.wait(365)
    assert books.account(A, "interest") == 0

    books.wait(365)

    assert books.account(A, "interest") == round(100 * 668 * 35 / 3_600_000) == 1


# --- whose money it is ------------------------------------------------------------------------


def test_an_advance_earns_where_it_was_credited_at_the_cost_of_that_fund() -> None:
    books = world(1_000_000, A=35, B=20)
    books.send(*announced(books.send(release_funds())))
    books.wait(60)

    books.send(release_funds(T2, at=B, to=C))

    onward = books.release(T2)
    assert (onward.principal_fen, onward.interest_fen) == (1_000_000, 333)
    assert onward.unfunded_fen == 1_000_000
    assert books.account(B, "interest") == 333
    assert books.account(A, "interest") == 0
    assert books.account(B, f"advance:{A}") == books.account(A, f"payable:{B}") == 1_000_000


def test_what_is_only_announced_earns_nothing() -> None:
    books = world(1_000_000, B=20)
    books.send(*announced(books.send(release_funds()), advance=False))
    books.wait(60)

    books.send(remitted(1_000_000))

    assert holder(books, B).balance_fen == 1_000_000
    assert holder(books, B).accrued == 0


def test_what_is_restored_earns_again() -> None:
    books = world(1_000_000)
    books.send(*announced(books.send(release_funds())))
    books.wait(30)
    reverse = ReverseAdvance(to=B, person=PERSON, transfer=T1, origin=A, number=1)
    books.send(*announced(books.send(reverse)))
    books.wait(30)

    again = only(FundsReleased, books.send(release_funds(T2, to=C)))

    assert (again.principal_fen, again.interest_fen) == (1_000_000, 292)


def test_who_owes_pays_with_the_interest_first() -> None:
    books = world(1_000_000, A=35, B=1000)
    books.send(*announced(books.send(release_funds())))
    books.wait(60)
    books.send(spent(B, 1_000_000))
    wrong = CorrectBalance(
        to=A,
        person=PERSON,
        record=some_id("wrong"),
        refers_to=some_id(f"open {A}"),
        balance_fen=999_000,
    )
    books.send(*announced(books.send(wrong)))
    owed_fen = books.claim().recoverable_fen

    books.wait(300)

    assert owed_fen == 1_000
    assert books.claim().recoverable_fen == 0
    assert books.account(B, "interest") == 16_667
    assert books.balance(B) == 15_667


def test_interest_is_counted_once_by_whoever_reads_the_journal() -> None:
    books = world(1_000_000, A=35, B=20)
    books.wait(100)
    books.send(*announced(books.send(release_funds())))
    books.wait(400)

    earned_fen = books.account(A, "interest") + books.account(B, "interest")
    assert books.balance(A) + books.balance(B) == 1_000_000 + earned_fen
    assert ledger.side("interest") == "contra"
    assert interest.fen(holder(books, A).accrued) == 0
