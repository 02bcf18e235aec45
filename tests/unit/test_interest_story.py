"""Interest until an account is emptied leaves with the balance, as a line of its own."""

from datetime import date

from services.settlement.states import Reckoning
from shared.messages.settlement import (
    AdvanceFunded,
    FundsReleased,
    NothingToRelease,
    PaidOut,
    PayOut,
)
from shared.messages.settlement_interest import InterestCredited, SettleInterest
from tests.unit.interest_world import contribution, holder, postings, remitted, spent, world
from tests.unit.settlement_world import PERSON, T1, A, B, announced, only, release_funds


def test_interest_until_the_release_leaves_with_the_balance_as_a_line_of_its_own() -> None:
    books = world()
    books.wait(90)

    said = books.send(release_funds())

    event = only(FundsReleased, said)
    assert (event.principal_fen, event.interest_fen, event.owed_fen) == (408412, 357, 408769)
    assert postings(books, A, "interest") == ["interest > personal 357"]
    assert postings(books, A, "release") == [
        f"personal > payable:{B} 408412",
        f"personal > payable:{B} 357",
    ]
    released = books.release()
    assert (released.principal_fen, released.interest_fen) == (408412, 357)
    assert released.released_fen == released.payable_fen == 408769
    assert books.balance(A) == 0


def test_the_reckoning_is_kept_and_said() -> None:
    books = world()
    books.wait(90)

    credited = only(InterestCredited, books.send(release_funds()))

    kept = next(state for state in books.states.values() if isinstance(state, Reckoning))
    assert (kept.until, kept.amount_fen) == (date(2026, 6, 1), 357)
    assert kept.accrued == 408412 * 90 * 35 * 73
    assert books.entries[kept.entry].kind == "interest"
    assert (credited.until, credited.amount_fen, credited.transfer) == (kept.until, 357, T1)


def test_the_total_is_advanced_and_a_receipt_of_the_total_funds_it() -> None:
    books = world()
    books.wait(90)
    books.send(*announced(books.send(release_funds())))

    funded = only(AdvanceFunded, books.send(remitted(408769)))

    assert books.balance(B) == 408769
    assert (funded.matched_fen, funded.open_fen) == (408769, 0)


def test_asked_again_it_answers_the_same_and_earns_nothing_more() -> None:
    books = world()
    books.wait(90)
    first = only(FundsReleased, books.send(release_funds()))
    books.wait(30)

    assert books.send(release_funds()) == [first]


def test_an_account_that_is_empty_by_now_leaves_its_interest() -> None:
    books = world()
    books.wait(90)
    books.send(spent(A, 408412))

    event = only(FundsReleased, books.send(release_funds()))

    assert (event.principal_fen, event.interest_fen) == (0, 357)


def test_less_than_half_a_fen_is_nothing_to_release() -> None:
    books = world(100)
    books.wait(30)
    books.send(spent(A, 100))

    assert only(NothingToRelease, books.send(release_funds())).code == "zero_balance"


def test_what_comes_and_goes_earns_from_day_to_day() -> None:
    books = world(100_000)
    books.wait(10)
    books.send(contribution(A, 50_000, "one"))
    books.wait(20)
    books.send(spent(A, 120_000))
    books.wait(30)

    event = only(FundsReleased, books.send(release_funds()))

    fen_days = 100_000 * 10 + 150_000 * 20 + 30_000 * 30
    assert event.principal_fen == 30_000
    assert event.interest_fen == round(fen_days * 35 / 3_600_000) == 48


def test_without_a_rate_nothing_is_earned_and_nobody_is_reminded() -> None:
    books = world(B=35)
    books.wait(90)

    assert only(FundsReleased, books.send(release_funds())).interest_fen == 0
    assert holder(books, A).settles_on is None
    assert not [t for t in books.timers.values() if isinstance(t.message, SettleInterest)]


def test_an_origin_that_pays_out_pays_the_interest_too() -> None:
    books = world()
    books.wait(90)
    asked = PayOut(
        to=A, person=PERSON, transfer=T1, destination=B, reason="no-account-at-destination"
    )

    paid = only(PaidOut, books.send(asked))

    assert (paid.amount_fen, paid.total_fen) == (408769, 408769)
    assert postings(books, A, "payout") == ["personal > payout 408412", "personal > payout 357"]
    assert books.send(asked) == [paid]


def test_heirs_get_the_interest_until_the_payout() -> None:
    books = world()
    books.wait(90)

    paid = only(PaidOut, books.send(PayOut(to=A, person=PERSON, reason="deceased")))

    assert paid.amount_fen == 408769
    assert books.balance(A) == 0
