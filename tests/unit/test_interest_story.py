"""Interest in the books: it leaves with the balance, and comes once a year, to whom it belongs."""

from datetime import date

import pytest

from services.settlement import interest, ledger
from services.settlement.states import Holder, Reckoning
from shared.messages.settlement import (
    AdvanceFunded,
    Contribute,
    CorrectBalance,
    FundsReleased,
    NothingToRelease,
    PaidOut,
    PayOut,
    RecordReceipt,
    Spend,
)
from shared.messages.settlement_compensation import ReverseAdvance
from shared.messages.settlement_interest import InterestCredited, SettleInterest
from shared.regions import Regions, parse
from shared.settings import Settings
from tests.unit.settlement_world import (
    DAY,
    PERSON,
    T1,
    T2,
    A,
    B,
    C,
    World,
    announced,
    detail,
    only,
    open_account,
    receipt,
    release_funds,
    some_id,
)

RATE = '\n[[interest]]\nfrom = {since}\nrate_bp = {bp}\nsource = "a test"\n'
FOLDER = Settings().regions


def earning(**rates: int) -> Regions:
    """The shipped regions, of which some pay interest: `A=35`."""
    codes = {"A": A, "B": B, "C": C}
    paying = {codes[name]: RATE.format(since="2026-01-01", bp=bp) for name, bp in rates.items()}
    return Regions(
        parse((FOLDER / f"{code}.toml").read_bytes() + paying.get(code, "").encode(), code)
        for code in codes.values()
    )


def world(balance_fen: int = 408412, **rates: int) -> World:
    """A person with an account at A, and one at B."""
    found = World(regions=earning(**rates or {"A": 35}))
    found.send(open_account(A, balance_fen), open_account(B))
    return found


def contribution(region: str, amount_fen: int, name: str) -> Contribute:
    return Contribute(to=region, person=PERSON, record=some_id(name), amount_fen=amount_fen)


def spent(region: str, amount_fen: int, name: str = "spent") -> Spend:
    return Spend(to=region, person=PERSON, record=some_id(name), amount_fen=amount_fen)


def holder(found: World, region: str) -> Holder:
    state = found.states["holder", PERSON, region]
    assert isinstance(state, Holder)
    return state


def postings(found: World, region: str, kind: str) -> list[str]:
    return [
        f"{p.debit} > {p.credit} {p.amount_fen}"
        for entry in found.entries.values()
        if (entry.region, entry.kind) == (region, kind)
        for p in entry.postings
    ]


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

    funded = only(AdvanceFunded, books.send(_remitted(408769)))

    assert books.balance(B) == 408769
    assert (funded.matched_fen, funded.open_fen) == (408769, 0)


def _remitted(amount_fen: int) -> RecordReceipt:
    return receipt("R", detail(amount_fen, T1, payer_region=A))


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


# --- the year ---------------------------------------------------------------------------------


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

    books.send(_remitted(1_000_000))

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
