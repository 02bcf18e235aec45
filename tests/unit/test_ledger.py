"""The journal: sides, postings that balance by construction, ids that are the same for ever."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.settlement import ledger
from services.settlement.ledger import Posting, Postings, totals

FEN = st.integers(0, 10**12)
ALL = [
    ledger.opened(5),
    ledger.opened(-5),
    ledger.contributed(5),
    ledger.spent(5),
    ledger.refunded(5),
    ledger.released("450100", 5, 1),
    ledger.paid_out(5),
    ledger.instructed("450100", 5, 2),
    ledger.debited("expense", "450100", 5, 2, 1),
    ledger.returned("expense", "450100", 5, 1),
    ledger.advanced("410100", 5, 3),
    ledger.announced("410100", 5),
    ledger.received("income", 5),
    ledger.applied("410100", 5, 3),
    ledger.swept("fiscal", "income", 5),
    ledger.charged("expense", 5),
    ledger.unexplained("expense", 5),
    ledger.bank_opened("income", 5),
    ledger.bank_opened("income", -5),
]


@pytest.mark.parametrize("postings", ALL)
def test_every_account_that_is_posted_to_has_a_side(postings: Postings) -> None:
    for account in totals(postings):
        assert ledger.side(account) in {"asset", "liability", "contra"}


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
    }

    assert len(ids) == 4
