"""The cash-basis view explains the bank accounts, whatever was posted, or says that it does not."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.settlement import ledger
from services.settlement.closing import statutory
from services.settlement.closing.report import Month, Rows, cash_basis, movements, on_a_day, report
from services.settlement.closing.statutory import Turnover, view
from services.settlement.ledger import Posting, Postings
from services.settlement.trial_balance import AccountRow
from shared.money import yuan
from tests.unit.settlement_world import A, B, C

LAST = date(2026, 3, 31)

amounts = st.integers(1, 10**9)
every_event = st.one_of(
    st.builds(ledger.opened, amounts),
    st.builds(ledger.contributed, amounts),
    st.builds(ledger.spent, amounts),
    st.builds(ledger.released, st.just(C), amounts, amounts),
    st.builds(ledger.paid_out, amounts),
    st.builds(ledger.instructed, st.just(C), amounts, amounts),
    st.builds(ledger.debited, st.just("expense"), st.just(C), amounts, amounts, amounts),
    st.builds(ledger.returned, st.just("expense"), st.just(C), amounts, amounts),
    st.builds(ledger.advanced, st.just(A), amounts, amounts),
    st.builds(ledger.announced, st.just(A), amounts),
    st.builds(ledger.received, st.just("income"), amounts),
    st.builds(ledger.applied, st.just(A), amounts, amounts),
    st.builds(ledger.swept, st.just("fiscal"), st.just("income"), amounts),
    st.builds(ledger.charged, st.just("expense"), amounts),
    st.builds(ledger.unexplained, st.just("income"), amounts),
    st.builds(ledger.bank_opened, st.just("fiscal"), amounts),
)
# And whatever accounts may meet one day.
anything = st.lists(
    st.tuples(
        st.sampled_from(["bank:income", "bank:fiscal", "suspense", "unexplained", "clearing:w",
                         "recoverable", "write-off", "waived", "personal", "something-new"]),
        st.sampled_from(["bank:expense", "advance:410100", "payable:340100", "payout", "interest"]),
        st.booleans(),
        amounts,
    ).map(lambda row: Posting(*(row[:2] if row[2] else row[1::-1]), row[3]))
).map(tuple)  # fmt: skip


def booked(postings: Postings) -> list[AccountRow]:
    return [
        AccountRow(B, account, debit_fen, credit_fen)
        for account, (debit_fen, credit_fen) in sorted(ledger.totals(postings).items())
    ]


def fen(text: str) -> int:
    return int(text.replace(".", ""))


def turnovers(*posted: Postings) -> list[Turnover]:
    return [(p.debit, p.credit, p.amount_fen) for postings in posted for p in postings]


@given(st.lists(every_event), st.lists(every_event), anything)
def test_the_lines_come_to_the_change_of_the_bank_accounts(
    before: list[Postings], during: list[Postings], more: Postings
) -> None:
    earlier = tuple(row for postings in before for row in postings)
    month = (*(row for postings in during for row in postings), *more)
    balances = movements(booked(earlier), booked((*earlier, *month)))

    found = cash_basis(B, "2026-03", turnovers(month), balances)

    assert found["balanced"]
    assert found["change"] == found["bank_change"]
    lines = [sum(fen(line["amount"]) for line in found[side]) for side in ("income", "expenditure")]
    held_fen = fen(found["suspense"]["change"]) - fen(found["unexplained"]["change"])
    assert lines[0] - lines[1] + held_fen == statutory.bank_change_fen(balances)


@pytest.mark.parametrize("account", ["bank:income", "suspense"])
def test_a_balance_that_is_not_its_postings_is_seen(account: str) -> None:
    postings = ledger.received("income", 100)
    rows = [
        AccountRow(r.region, r.account, r.debit_fen + (r.account == account), r.credit_fen)
        for r in booked(postings)
    ]

    sound, damaged = (
        cash_basis(B, "2026-03", turnovers(postings), movements([], balances))
        for balances in (booked(postings), rows)
    )

    assert sound["balanced"]
    assert not damaged["balanced"]


@pytest.mark.parametrize(
    ("posted", "income", "expenditure", "suspense_fen"),
    [
        (ledger.received("income", 100), {}, {}, 100),
        (ledger.applied(A, 100, 0), {"transfer_income": 100}, {}, -100),
        (ledger.applied(A, 0, 100), {"transfer_income": 100}, {}, -100),
        (ledger.debited("expense", C, 100, 0, 0), {}, {"transfer_expenditure": 100}, 0),
        (ledger.returned("expense", C, 100, 0), {}, {"transfer_expenditure": -100}, 0),
        (ledger.charged("expense", 7), {}, {"bank_charges": 7}, 0),
        (ledger.bank_opened("fiscal", 100), {"opening": 100}, {}, 0),
        (ledger.swept("fiscal", "income", 100), {}, {}, 0),
        (ledger.advanced(A, 100), {}, {}, 0),
    ],
)
def test_each_event_is_the_line_that_the_rule_says(
    posted: Postings, income: dict[str, int], expenditure: dict[str, int], suspense_fen: int
) -> None:
    found = view(turnovers(posted))

    assert (found.income, found.expenditure) == (income, expenditure)
    assert found.suspense_fen == suspense_fen


def test_a_sweep_moves_money_between_accounts_and_changes_nothing() -> None:
    found = view(turnovers(ledger.swept("fiscal", "income", 100)))

    assert found.sweeps == {("bank:income", "bank:fiscal"): 100}
    assert found.change_fen == 0


def test_the_advance_is_a_memorandum() -> None:
    arrived = (*ledger.received("income", 200), *ledger.applied(A, 200, 0))
    postings = (*ledger.advanced(A, 300), *arrived)

    found = cash_basis(B, "2026-03", turnovers(postings), movements([], booked(postings)))

    assert found["memorandum"]["advances"] == [
        {"origin": A, "opening": "0.00", "credited": "3.00", "settled": "2.00", "closing": "1.00"}
    ]
    assert found["income"] == [
        {"line": "transfer_income", "name": "转移收入", "name_en": "transfer income",
         "amount": "2.00"}
    ]  # fmt: skip


def test_a_day_shows_each_region_and_the_network() -> None:
    rows = [AccountRow(B, "advance:410100", 500, 200), AccountRow(B, "personal", 0, 300),
            AccountRow(C, "advance:450100", 100, 0), AccountRow(C, "personal", 0, 100)]  # fmt: skip

    found = on_a_day(LAST, rows, lambda _: True)

    assert found["balanced"]
    assert found["network"] == [
        {"account": "advance", "debit": "6.00", "credit": "2.00", "balance": "4.00"},
        {"account": "personal", "debit": "0.00", "credit": "4.00", "balance": "4.00"},
    ]
    assert not on_a_day(LAST, rows[1:], lambda _: True)["balanced"]
    assert list(on_a_day(LAST, rows, lambda region: region == B)["regions"]) == [B]


def month(**others: Any) -> Month:  # noqa: ANN401 - fields
    posted = turnovers(ledger.advanced(A, 300), ledger.received("income", 200),
                       ledger.applied(A, 150, 0), ledger.paid_out(50))  # fmt: skip
    fields: dict[str, Any] = {
        "month": "2026-03",
        "last": LAST,
        "turnovers": {B: posted},
        "balances": [AccountRow(B, "bank:income", 200, 0), AccountRow(B, "suspense", 150, 200),
                     AccountRow(B, "clearing:2026-03", 0, 40)],
        **others,
    }  # fmt: skip
    return Month(**fields)


def test_the_report_of_a_month_says_what_came_in_and_what_is_left_to_do() -> None:
    found = report(month(unmatched={B: (1, 50)}), {B: "南宁市"}, lambda *_: {})

    region = found["regions"][0]
    assert region["money_in"] == "1.50"
    assert (region["advanced"], region["made_real"], region["paid_to_persons"]) == (
        "3.00", "1.50", "0.50",
    )  # fmt: skip
    assert (region["suspense"], region["income_account"]) == ("0.50", "2.00")
    assert region["warnings"] == ["not_closed", "income_not_swept", "receipts_unmatched"]
    assert found["positions"] == [{"region": B, "window": "2026-03", "balance": "-0.40"}]


def test_a_swept_and_closed_month_has_nothing_to_warn_of() -> None:
    days = [{"region": B, "closed_on": LAST}]
    swept = [AccountRow(B, "bank:income", 200, 200)]

    found = report(month(days=days, balances=swept), {}, lambda *_: {})

    assert found["regions"][0]["warnings"] == []


def test_advances_are_shown_by_age_and_differences_with_theirs() -> None:
    row = {"origin": A, "destination": B, "announced_on": LAST, "claims": 2, "open_fen": 700}
    mirror = {
        "origin": A, "destination": B, "day": LAST, "owes_fen": 700, "claims_fen": 500,
        "explained": '{"in_transit": "1.00"}', "unexplained_fen": 100, "since": date(2026, 3, 29),
    }  # fmt: skip

    def aged(rows: Rows, *_: object) -> dict[str, str]:
        return {"0-15": yuan(rows[0]["open_fen"])}

    found = report(month(advances=[row], mirrors=[mirror]), {}, aged)

    assert found["ageing"] == [
        {"corridor": f"{A}>{B}", "open": "7.00", "count": 2, "ages": {"0-15": "7.00"}}
    ]
    assert found["mirror"][0]["age_days"] == 2
    assert found["mirror"][0]["explained"] == {"in_transit": "1.00"}
