"""Bank lines exported as CSV: one row per entry, any number of accounts in a file."""

import csv
import hashlib
import re
from collections.abc import Iterable, Iterator

from services.settlement.lines import (
    CURRENCY,
    MOST_ENTRIES,
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
_LONGEST_ROW = 1 << 17
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")


def read(text: Iterable[str]) -> list[Statement]:
    """The statements in a CSV file, one per account. Raises StatementError."""
    rows = _Rows((text,) if isinstance(text, str) else text)
    accounts: dict[str, list[Line]] = {}
    named = [name.strip() for name in next(rows, [])]
    if not _NEEDED.issubset(named) or len(set(named)) != len(named):
        raise StatementError("unsupported_format")
    for values in rows:
        # A file that was cut off ends inside a row, and maybe inside an amount.
        if len(values) > len(named) or (len(values) < len(named) and rows.cut_off):
            raise StatementError("unreadable", f"row {rows.number}")
        row = {name: value.strip() for name, value in zip(named, values, strict=False)}
        if any(row.values()):
            _take_row(accounts, rows.number, row)
        if rows.number - 1 > MOST_ENTRIES:  # the first row is the header
            raise StatementError("too_many_entries")
    # Without a statement of its own the file's content names it: the same file, the same keys.
    name = f"csv:{rows.hash[:32]}"
    unknown = ("unknown_column",) if set(named) - set(COLUMNS) else ()
    return list(_statements(name, accounts, unknown))


class _Rows(Iterator[list[str]]):
    """The rows of a text in pieces; no row is read beyond what a row may be."""

    def __init__(self, text: Iterable[str]) -> None:
        self._hash = hashlib.sha256()
        self._read = 0
        self.cut_off = False
        self.number = 0
        self._reader = csv.reader(self._lines(text), strict=True)

    @property
    def hash(self) -> str:
        """Of the text, once it is read."""
        return self._hash.hexdigest()

    def __next__(self) -> list[str]:
        self.number += 1
        self._read = 0
        try:
            return next(self._reader)
        except csv.Error as error:
            raise StatementError("unreadable", f"row {self.number}") from error

    def _lines(self, text: Iterable[str]) -> Iterator[str]:
        rest = ""
        for piece in text:
            self._hash.update(piece.encode())
            found = _LINE.findall(rest + piece)
            # A return may be the first half of the end of a line.
            rest = found.pop() if found and not found[-1].endswith("\n") else ""
            yield from map(self._counted, found)
            self._counted(rest, add=False)
        if rest:
            self.cut_off = not rest.endswith("\r")
            yield self._counted(rest)

    def _counted(self, line: str, *, add: bool = True) -> str:
        if self._read + len(line) > _LONGEST_ROW:
            raise StatementError("too_long", f"row {self.number}")
        self._read += len(line) if add else 0
        return line


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
