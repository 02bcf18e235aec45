"""Bank lines exported as CSV: one row per entry, any number of accounts in a file."""

import csv
import hashlib
import io
from collections.abc import Iterator

from services.settlement.lines import (
    CURRENCY,
    RETURNED,
    Line,
    Payment,
    Statement,
    StatementError,
    amount,
    day,
    is_fee,
    listed,
    references,
)

COLUMNS = (
    "account",
    "entry_ref",
    "booked_at",
    "direction",
    "amount",
    "currency",
    "end_to_end_id",
    "payer_name",
    "payer_account",
    "payee_name",
    "remark",
    "return_of",
)
_NEEDED = {"account", "booked_at", "direction", "amount"}
_LONGEST_TEXT = 2000


def read(text: str) -> list[Statement]:
    """The statements in a CSV file, one per account. Raises StatementError."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    accounts: dict[str, list[Line]] = {}
    try:
        named = [name.strip() for name in next(reader, [])]
        if not _NEEDED.issubset(named) or len(set(named)) != len(named):
            raise StatementError("unsupported_format")
        for number, values in enumerate(reader, start=2):
            if len(values) > len(named):
                raise StatementError("unreadable", f"row {number}")
            row = {name: value.strip() for name, value in zip(named, values, strict=False)}
            if any(row.values()):
                _take_row(accounts, number, row)
    except csv.Error as error:
        raise StatementError("unreadable", f"row {reader.line_num}") from error
    # Without a statement of its own the file's content names it: the same file, the same keys.
    name = f"csv:{hashlib.sha256(text.encode()).hexdigest()[:32]}"
    unknown = ("unknown_column",) if set(named) - set(COLUMNS) else ()
    return list(_statements(name, accounts, unknown))


def _take_row(accounts: dict[str, list[Line]], number: int, row: dict[str, str]) -> None:
    if any(len(value) > _LONGEST_TEXT for value in row.values()):
        raise StatementError("unreadable", f"row {number}")
    try:
        line = _line(number, {column: row.get(column, "") for column in COLUMNS})
    except StatementError as error:
        raise StatementError(error.code, f"row {number}") from error
    accounts.setdefault(row["account"], []).append(line)


def _line(number: int, fields: dict[str, str]) -> Line:
    if fields["currency"] not in ("", CURRENCY):
        raise StatementError("currency")
    direction = fields["direction"].lower()
    if direction not in ("credit", "debit"):
        raise StatementError("bad_direction")
    amount_fen = amount(fields["amount"])
    if amount_fen == 0:
        raise StatementError("bad_amount")
    texts = (fields["end_to_end_id"], fields["remark"], fields["return_of"])
    payment = Payment(
        amount_fen=amount_fen,
        references=references(*texts),
        end_to_end_id=fields["end_to_end_id"],
        payer_name=fields["payer_name"],
        payer_account=fields["payer_account"],
        payee_name=fields["payee_name"],
        remark=fields["remark"],
        return_code=RETURNED if fields["return_of"] else None,
    )
    return Line(
        reference=fields["entry_ref"],
        position=str(number),
        credit=direction == "credit",
        amount_fen=amount_fen,
        booked_on=day(fields["booked_at"]),
        value_on=None,
        reversal=False,
        fee=direction == "debit" and not payment.references and is_fee(fields["remark"]),
        payments=listed(payment, amount_fen),
    )


def _statements(
    name: str, accounts: dict[str, list[Line]], codes: tuple[str, ...]
) -> Iterator[Statement]:
    for account, lines in accounts.items():
        yield Statement("csv", name, account, tuple(lines), codes=codes)
