"""The journal: sides, postings that balance by construction, ids that are the same for ever."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.settlement import ledger
from services.settlement.ledger import Posting, Postings, totals

FEN = st.integers(0, 10**12)
# Made when a test asks, not when it is collected: `make mutants` sees no other.
BOOKED: list[tuple[Callable[[], Postings], str]] = [
    (lambda: ledger.opened(5), "opening > personal 5"),
    (lambda: ledger.opened(-5), "personal > opening 5"),
    (lambda: ledger.contributed(5), "contributions > personal 5"),
    (lambda: ledger.spent(5), "personal > spending 5"),
    (lambda: ledger.refunded(5), "spending > personal 5"),
    (lambda: ledger.earned(5), "interest > personal 5"),
    (lambda: ledger.not_earned(5), "personal > interest 5"),
    (
        lambda: ledger.released("450100", 5, 1),
        "personal > payable:450100 5; personal > payable:450100 1",
    ),
    (lambda: ledger.paid_out(5, 1), "personal > payout 5; personal > payout 1"),
    (lambda: ledger.released("450100", 5), "personal > payable:450100 5"),
    (lambda: ledger.paid_out(5), "personal > payout 5"),
    (
        lambda: ledger.instructed("450100", 5, 2),
        "payable:450100 > remitting 5; remitting > overpaid:450100 2",
    ),
    (lambda: ledger.instructed("450100", 5), "payable:450100 > remitting 5"),
    (
        lambda: ledger.debited("expense", "450100", 5, 2, 1),
        "remitting > bank:expense 5; payable:450100 > bank:expense 2;"
        " overpaid:450100 > bank:expense 1",
    ),
    (lambda: ledger.rejected("450100", 5), "remitting > payable:450100 5"),
    (
        lambda: ledger.returned("expense", "450100", 5, 1, 2),
        "bank:expense > payable:450100 5; bank:expense > overpaid:450100 1;"
        " bank:expense > returning 2",
    ),
    (lambda: ledger.returned("expense", "450100", 5, 0), "bank:expense > payable:450100 5"),
    (
        lambda: ledger.return_announced("450100", 5, 1),
        "returning > payable:450100 5; returning > overpaid:450100 1",
    ),
    (
        lambda: ledger.advanced("410100", 5, 3),
        "awaiting > personal 3; advance:410100 > awaited:410100 3; advance:410100 > personal 5",
    ),
    (lambda: ledger.advanced("410100", 5), "advance:410100 > personal 5"),
    (lambda: ledger.announced("410100", 5), "awaited:410100 > awaiting 5"),
    (lambda: ledger.received("income", 5), "bank:income > suspense 5"),
    (
        lambda: ledger.applied("410100", 5, 3, 2, 1),
        "suspense > advance:410100 5; suspense > awaited:410100 3; awaiting > personal 3;"
        " suspense > write-off 2; suspense > waived 1",
    ),
    (lambda: ledger.applied("410100", 5, 0), "suspense > advance:410100 5"),
    (
        lambda: ledger.applied("410100", 5, 3, source=ledger.clearing("2026-04")),
        "clearing:2026-04 > advance:410100 5; clearing:2026-04 > awaited:410100 3;"
        " awaiting > personal 3",
    ),
    (lambda: ledger.swept("fiscal", "income", 5), "bank:fiscal > bank:income 5"),
    (lambda: ledger.charged("expense", 5), "charges > bank:expense 5"),
    (lambda: ledger.unexplained("expense", 5), "unexplained > bank:expense 5"),
    (lambda: ledger.bank_opened("income", 5), "bank:income > opening 5"),
    (lambda: ledger.bank_opened("income", -5), "opening > bank:income 5"),
]


@pytest.mark.parametrize(("made", "booked"), BOOKED)
def test_each_event_is_booked_as_the_chart_of_accounts_says(
    made: Callable[[], Postings], booked: str
) -> None:
    rows = [f"{row.debit} > {row.credit} {row.amount_fen}" for row in made()]

    assert "; ".join(rows) == booked


SIDES = {
    "liability": "personal awaiting payable:450100 remitting suspense",
    "asset": "advance:410100 awaited:410100 overpaid:450100 bank:income unexplained recoverable"
    " returning",
    "either": "clearing:2026-04",
    "contra": "opening contributions interest spending payout charges write-off waived",
}


@pytest.mark.parametrize("stands_on", SIDES)
def test_every_account_stands_on_the_side_that_its_balance_is_signed_by(stands_on: str) -> None:
    for account in SIDES[stands_on].split():
        assert ledger.side(account) == stands_on


def test_an_account_that_nobody_declared_has_no_side() -> None:
    with pytest.raises(KeyError):
        ledger.side("slush")


@pytest.mark.parametrize(("debit", "credit", "fen"), [("a", "b", 0), ("a", "b", -1), ("a", "a", 1)])
def test_a_posting_has_two_accounts_and_an_amount_above_zero(
    debit: str, credit: str, fen: int
) -> None:
    with pytest.raises(AssertionError):
        Posting(debit, credit, fen)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("def"), FEN)))
def test_debits_equal_credits_whatever_is_posted(rows: list[tuple[str, str, int]]) -> None:
    found = totals(ledger.posted(*rows))

    assert sum(debit for debit, _ in found.values()) == sum(credit for _, credit in found.values())


def test_what_is_zero_is_not_posted() -> None:
    assert ledger.advanced("410100", 0, 0) == ()
    assert ledger.received("income", 0) == ()


def test_an_advance_on_what_was_awaited_takes_it_out_of_both_awaited_accounts() -> None:
    assert totals(ledger.advanced("410100", 0, 7)) == {
        "awaiting": (7, 0),
        "personal": (0, 7),
        "advance:410100": (7, 0),
        "awaited:410100": (0, 7),
    }


def test_a_clean_match_does_not_touch_the_person() -> None:
    assert set(totals(ledger.applied("410100", 7, 0))) == {"suspense", "advance:410100"}


def test_the_id_of_an_entry_is_its_natural_key() -> None:
    ids = {
        ledger.entry_id("p", "450100", "advance", "t", 1),
        ledger.entry_id("p", "450100", "advance", "t", 1),
        ledger.entry_id("p", "450100", "advance", "t", 2),
        ledger.entry_id("p", "410100", "advance", "t", 1),
        ledger.entry_id("q", "450100", "advance", "t", 1),
        ledger.entry_id("p", "450100", "receipt", "t", 1),
        ledger.entry_id("p", "450100", "advance", "u", 1),
    }

    assert len(ids) == 6


def test_an_entry_keeps_its_id_from_release_to_release() -> None:
    known = ledger.entry_id("p", "450100", "advance", "t", 1)

    assert str(known) == "5d8c462a-17af-5f4b-8092-71f2e47ec78a"
