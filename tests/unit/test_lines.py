"""Bank lines: what a file says is read as it is meant, or refused with a code."""

from dataclasses import replace
from datetime import date
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.settlement import bank_csv
from services.settlement.lines import (
    CODES,
    Line,
    Payment,
    Statement,
    StatementError,
    amount,
    check_balances,
    day,
    distinct,
    entry_key,
    is_fee,
    listed,
    references,
)

ID = UUID("6f2d1c64-2f0e-5b0a-9a3c-4a6965787531")
HEADER = (
    "account,entry_ref,booked_at,direction,amount,currency,end_to_end_id,payer_name,"
    "payer_account,payee_name,remark,return_of"
)


def a_line(**changes: object) -> Line:
    line = Line(
        reference="R1",
        position="1",
        credit=True,
        amount_fen=408412,
        booked_on=date(2026, 3, 20),
        value_on=None,
        reversal=False,
        fee=False,
        payments=(Payment(amount_fen=408412),),
    )
    return replace(line, **changes)  # type: ignore[arg-type]


def a_statement(*lines: Line, **changes: object) -> Statement:
    statement = Statement(
        kind="camt.053",
        id="S1",
        account="4501010104000045101",
        lines=lines,
        opening_fen=0,
        closing_fen=sum(line.amount_fen for line in lines),
    )
    return replace(statement, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    [
        ID.hex,
        str(ID),
        str(ID).upper(),
        f"转移 {ID.hex} 张伟",
        f"张伟{ID.hex}款",
        f"REF{ID.hex}",
        f"案号：{ID}。",
        f"ROC/{ID.hex}/x",
        "".join(chr(ord(c) + 0xFEE0) for c in ID.hex),
    ],
)
def test_a_transfer_id_is_found_wherever_it_stands(text: str) -> None:
    assert references(text) == (ID,)


def test_a_transfer_id_broken_over_two_lines_is_found() -> None:
    assert references(f"转移款 {ID.hex[:20]}", f"{ID.hex[20:]} 张伟") == (ID,)


@pytest.mark.parametrize("text", ["", ID.hex[:31], ID.hex + "0", "ab" * 32, "张伟 4084.12"])
def test_what_only_looks_like_an_id_is_none(text: str) -> None:
    assert references(text) == ()


@given(st.lists(st.uuids(), max_size=5, unique=True), st.sampled_from([" ", "；", "\n", "号"]))
def test_every_id_is_found_once_in_its_order(ids: list[UUID], between: str) -> None:
    text = between.join(each.hex for each in [*ids, *ids])

    assert references(text) == tuple(ids)


@pytest.mark.parametrize(
    ("text", "fee"),
    [("手续费", True), ("FEE 03/2026", True), ("CHRG", True), ("coffee", False), ("转移款", False)],
)
def test_a_fee_is_known_by_its_words(text: str, fee: bool) -> None:  # noqa: FBT001
    assert is_fee(text) is fee


@pytest.mark.parametrize(
    ("text", "fen"), [("4084.12", 408412), ("4084.12000", 408412), ("7", 700), ("0.5", 50)]
)
def test_an_amount_is_whole_fen(text: str, fen: int) -> None:
    assert amount(text) == fen


@pytest.mark.parametrize("text", ["", "1.234", "-1.00", "1e5", "1,000.00", "9" * 16])
def test_a_bad_amount_is_refused(text: str) -> None:
    with pytest.raises(StatementError, match="bad_amount"):
        amount(text)


def test_a_time_is_the_day_in_shanghai() -> None:
    assert day("2026-03-20T23:30:00Z") == date(2026, 3, 21)
    assert day("2026-03-20T23:30:00") == date(2026, 3, 20)


@pytest.mark.parametrize(
    "text",
    [
        "9999-12-31T23:59:59-12:00",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31",
        "0001-01-01",
        "1989-12-31",
        "2101-01-01",
        "2100-12-31T20:00:00Z",
    ],
)
def test_a_day_out_of_all_reason_is_refused(text: str) -> None:
    with pytest.raises(StatementError, match="bad_date"):
        day(text)


@pytest.mark.parametrize("text", ["1990-01-01", "2100-12-31"])
def test_the_first_and_the_last_day_are_taken(text: str) -> None:
    assert day(text).isoformat() == text


def test_the_same_entry_told_twice_counts_once() -> None:
    statement = a_statement(a_line(), a_line(position="2"))

    assert len(distinct(statement)) == 1


def test_the_same_reference_with_another_amount_is_a_conflict() -> None:
    statement = a_statement(a_line(), a_line(amount_fen=1))

    with pytest.raises(StatementError, match="conflict"):
        distinct(statement)


def test_an_entry_without_a_reference_is_known_by_its_statement() -> None:
    line = a_line(reference="", position="N7")

    assert entry_key(a_statement(line), line) == "ntry:2026-03-20:S1:N7"


def test_entries_that_do_not_lead_to_the_closing_balance_are_refused() -> None:
    statement = a_statement(a_line(), closing_fen=408411)

    with pytest.raises(StatementError, match="balance_mismatch"):
        check_balances(statement, statement.lines)


def test_a_debit_lowers_the_balance() -> None:
    debit = a_line(reference="R2", credit=False, amount_fen=8412)
    statement = a_statement(a_line(), debit, closing_fen=400000)

    check_balances(statement, statement.lines)


@pytest.mark.parametrize(
    "missing",
    [{"opening_fen": None, "closing_fen": None}, {"opening_fen": None}, {"closing_fen": None}],
)
def test_a_balance_that_is_not_given_proves_nothing(missing: dict[str, None]) -> None:
    statement = a_statement(a_line(), **({"opening_fen": 1, "closing_fen": 1} | missing))

    check_balances(statement, statement.lines)


def test_a_notice_and_a_statement_agree_on_the_core_alone() -> None:
    notice = a_line(payments=(Payment(amount_fen=None, remark="张伟"),))

    assert notice.core == a_line().core
    assert notice.content != a_line().content
    assert a_line(amount_fen=1).core != a_line().core


def test_a_list_in_a_remark_is_taken_apart_where_it_adds_up() -> None:
    one, other = uuid4(), uuid4()
    remark = f"{one.hex} 100.00 张伟\n{other.hex} 50.50 李明"
    payment = Payment(amount_fen=None, references=(one, other), remark=remark)

    parts = listed(payment, 15050)

    assert [(p.amount_fen, p.references) for p in parts] == [(10000, (one,)), (5050, (other,))]
    assert listed(payment, 15051) == (payment,)


def test_csv_is_read_by_the_names_of_its_columns() -> None:
    text = (
        "amount,account,booked_at,direction,remark,extra\n"
        f"4084.12,4501010104000045101,2026-03-20,credit,{ID.hex} 张伟,x\n"
        "12.00,4501010104000045102,2026-03-20T10:00:00+08:00,debit,手续费,\n"
    )

    one, other = bank_csv.read(text)

    assert one.account == "4501010104000045101"
    assert one.lines[0].payments[0].references == (ID,)
    assert one.codes == ("unknown_column",)
    assert (other.lines[0].credit, other.lines[0].fee) == (False, True)


def test_a_returned_payment_in_csv_names_what_it_returns() -> None:
    row = f"4101010104000041102,B1,2026-03-20,credit,10.00,CNY,,,,,退汇,{ID.hex}"

    line = bank_csv.read(f"{HEADER}\n{row}\n")[0].lines[0]

    assert line.payments[0].return_code == "MS03"
    assert line.payments[0].references == (ID,)


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("A,1,2026-03-20,credit,10.00,USD,,,,,,", "currency"),
        ("A,1,2026-03-20,sideways,10.00,CNY,,,,,,", "bad_direction"),
        ("A,1,2026-13-20,credit,10.00,CNY,,,,,,", "bad_date"),
        ("A,1,9999-12-31T23:59:59-12:00,credit,10.00,CNY,,,,,,", "bad_date"),
        ("A,1,2026-03-20,credit,-10.00,CNY,,,,,,", "bad_amount"),
        ("A,1,2026-03-20,credit,0.00,CNY,,,,,,", "bad_amount"),
        ("A,1,2026-03-20,credit,10.00,CNY,,,,,,,surplus", "unreadable"),
        ('A,1,2026-03-20,credit,10.00,CNY,,,,,"open', "unreadable"),
    ],
)
def test_a_bad_row_refuses_the_file_and_is_named(row: str, code: str) -> None:
    with pytest.raises(StatementError) as refused:
        bank_csv.read(f"{HEADER}\n{row}\n")

    assert (refused.value.code, refused.value.where) == (code, "row 2")
    assert code in CODES


def test_a_file_without_the_columns_is_no_statement() -> None:
    with pytest.raises(StatementError, match="unsupported_format"):
        bank_csv.read("name,value\na,b\n")


def test_a_reversal_may_bear_the_reference_of_what_it_reverses() -> None:
    statement = a_statement(a_line(), a_line(reversal=True, credit=False))

    assert len(distinct(statement)) == 2
