"""Bank lines as a file gives them: what they are and what identifies them.

A file is taken whole or not at all: the first fault raises StatementError, whose code and place
are told to the sender and whose text never repeats what the file says.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from uuid import UUID

from shared.calendar import SHANGHAI
from shared.money import MoneyError, parse_yuan

CURRENCY = "CNY"
MOST_ENTRIES = 200_000
"""In one file: all of them stand in memory, as lines."""
FIRST_YEAR, LAST_YEAR = 1990, 2100
RETURNED = "MS03"
"""ISO 20022 return reason "not specified by the agent", where a bank gives none."""

CODES: dict[str, tuple[str, str]] = {
    "too_large": ("文件过大", "the file is too large"),
    "unreadable": ("文件无法读取", "the file cannot be read"),
    "forbidden_xml": (
        "文件含有不允许的XML内容",
        "the XML has a DTD, entities or is nested too deep",
    ),
    "too_many_elements": (
        "XML元素过多",
        "the XML has too many elements in one entry, or outside its entries",
    ),
    "too_long": ("文本过长", "a row, or the text of an entry, is longer than any bank's"),
    "too_many_entries": ("账目过多，请分成多个文件", "too many entries: send several files"),
    "compressed": ("文件被压缩，请解压后提交", "the file is compressed: send it unpacked"),
    "unsupported_format": (
        "不支持的文件格式",
        "neither camt.052, 053, 054, 029 or 056, pain.002, pacs.004, nor CSV with the columns of"
        " a bank statement",
    ),
    "empty": ("文件中没有账目", "the file has no statement"),
    "bad_amount": ("金额无效", "an amount is not valid"),
    "bad_date": ("日期无效", "a date is missing or not valid"),
    "bad_direction": ("借贷标志无效", "an entry is neither credit nor debit"),
    "currency": ("币种不是人民币", "the currency is not CNY"),
    "balance_mismatch": (
        "期初余额加发生额不等于期末余额",
        "the entries do not lead from the opening to the closing balance",
    ),
    "no_payment": ("未指明原付款", "it does not say which payment it is about"),
    "unknown_payment": ("不是本系统发出的付款", "no payment file of ours is known by that name"),
    "unknown_account": ("账户不属于任何经办机构", "no region holds this account"),
    "conflict": ("同一流水号内容不一致", "an entry was read before with other content"),
    "statement_conflict": (
        "同一对账单余额不一致",
        "the statement was read before with other balances",
    ),
    "not_your_region": ("无权提交该地区的对账单", "the account is not of a region of yours"),
}
"""Why a file is refused: a sentence in Chinese and one in English."""


class StatementError(ValueError):
    """The file is refused whole; `where` is a row or entry number, never its content."""

    def __init__(self, code: str, where: str = "") -> None:
        super().__init__(f"{code} {where}".strip())
        self.code = code
        self.where = where


@dataclass(frozen=True, slots=True)
class Payment:
    """One payment inside an entry. `amount_fen` counts in the entry's own direction."""

    amount_fen: int | None
    references: tuple[UUID, ...] = ()
    end_to_end_id: str = ""
    payer_name: str = ""
    payer_account: str = ""
    payee_name: str = ""
    payee_account: str = ""
    remark: str = ""
    return_code: str | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One booked entry. `reference` is the bank's own; `position` stands in where it is missing."""

    reference: str
    position: str
    credit: bool
    amount_fen: int
    booked_on: date
    value_on: date | None
    reversal: bool
    fee: bool
    payments: tuple[Payment, ...]

    @property
    def core(self) -> bytes:
        """What must agree between a notice and a statement that report the same entry."""
        facts = (self.credit, self.amount_fen, self.booked_on, self.reversal)
        return _digest(facts)

    @property
    def likeness(self) -> bytes:
        """What agrees between two kinds of files that tell the same entry, one of them without the
        bank's reference: amount, value date and what the payer wrote.
        """
        told = tuple(
            sorted("".join(f"{one.end_to_end_id}{one.remark}".split()) for one in self.payments)
        )
        on = self.value_on or self.booked_on
        return _digest((self.credit, self.amount_fen, on, self.reversal, told))

    @property
    def content(self) -> bytes:
        """All that must agree when the same kind of file reports the same entry again."""
        return _digest((self.core, self.value_on, self.fee, self.payments))


@dataclass(frozen=True, slots=True)
class Statement:
    """The booked entries of one bank account; balances are None in a notice and in CSV."""

    kind: str
    id: str
    account: str
    lines: tuple[Line, ...]
    opening_fen: int | None = None
    closing_fen: int | None = None
    opened_on: date | None = None
    closed_on: date | None = None
    page: int = 0
    number: int = 0
    ignored: int = 0
    codes: tuple[str, ...] = field(default=())


@dataclass(slots=True)
class Taken:
    """What became of one statement. `gap` is (closing before, opening now) where they differ,
    `missing` the numbers of statements that are not here.
    """

    statement: str
    account: str
    entries: int
    accepted: int
    duplicate: int
    ignored: int
    gap: tuple[int, int] | None = None
    missing: tuple[int, int] | None = None
    codes: list[str] = field(default_factory=list)
    messages: list[UUID] = field(default_factory=list)


def _digest(facts: object) -> bytes:
    # repr of tuples of plain values is unambiguous: texts are quoted.
    return hashlib.sha256(repr(facts).encode("utf-8", "surrogatepass")).digest()[:16]


def entry_key(statement: Statement, line: Line) -> str:
    """What identifies an entry of an account for ever.

    A reversal may bear the reference of what it reverses.
    """
    if line.reference:
        return f"{'rvsl' if line.reversal else 'ref'}:{line.reference}"
    return f"ntry:{line.booked_on.isoformat()}:{statement.id}:{line.position}"


def distinct(statement: Statement) -> dict[str, Line]:
    """The lines by key: told twice they count once. Raises StatementError (`conflict`)."""
    found: dict[str, Line] = {}
    for line in statement.lines:
        known = found.setdefault(entry_key(statement, line), line)
        if known is not line and known.content != line.content:
            raise StatementError("conflict", f"entry {line.position}")
    return found


def check_balances(statement: Statement, lines: Iterable[Line]) -> None:
    """Opening + entries = closing, where both are given. Raises StatementError."""
    if statement.opening_fen is None or statement.closing_fen is None:
        return
    moved = sum(line.amount_fen if line.credit else -line.amount_fen for line in lines)
    if statement.opening_fen + moved != statement.closing_fen:
        raise StatementError("balance_mismatch")


def amount(text: str) -> int:
    """Fen of an amount; decimals beyond the fen must be zeros. Raises StatementError."""
    try:
        return parse_yuan(re.sub(r"(\.[0-9]{2})0{1,3}$", r"\1", text.strip()))
    except MoneyError as error:
        raise StatementError("bad_amount") from error


def day(text: str) -> date:
    """The Shanghai day of a date or a time in FIRST_YEAR to LAST_YEAR. Raises StatementError."""
    try:
        at = datetime.fromisoformat(text.strip())
        found = at.date() if at.tzinfo is None else at.astimezone(SHANGHAI).date()
    except (ValueError, OverflowError) as error:
        raise StatementError("bad_date") from error
    if not FIRST_YEAR <= found.year <= LAST_YEAR:
        raise StatementError("bad_date")
    return found


_ID = re.compile(
    # Some hex digits before an id are the end of a word that was set before it without a space.
    r"(?:(?<![0-9a-f])|(?<=ref)|(?<=case)|(?<=code)|(?<=id))"
    r"([0-9a-f]{8}(-?)[0-9a-f]{4}\2[0-9a-f]{4}\2[0-9a-f]{4}\2[0-9a-f]{12})(?![0-9a-f])",
    re.IGNORECASE,
)
_FEE = re.compile(r"手续费|工本费|(?<![a-z])(?:fees?|chrg|charges?)(?![a-z])", re.IGNORECASE)


def references(*texts: str) -> tuple[UUID, ...]:
    """Transfer ids anywhere in the texts, with or without dashes, each once, in their order."""
    plain = [unicodedata.normalize("NFKC", text) for text in texts if text]
    # Banks break long remarks anywhere, so the pieces are read apart and together.
    readings = dict.fromkeys(("\n".join(plain), re.sub(r"[\r\n]+", "", "".join(plain))))
    found = dict.fromkeys(match.group(1) for text in readings for match in _ID.finditer(text))
    return tuple(dict.fromkeys(map(UUID, found)))


def without_references(text: str) -> str:
    """The text without transfer ids: their letters are no names."""
    return _ID.sub(" ", unicodedata.normalize("NFKC", text))


def is_fee(*texts: str) -> bool:
    """Whether the bank's own words say that a debit is its charge."""
    return any(_FEE.search(unicodedata.normalize("NFKC", text)) for text in texts if text)


_LISTED = re.compile(r"(?<![0-9.])([0-9]{1,12}\.[0-9]{2})(?![0-9.])")


def listed(payment: Payment, total_fen: int) -> tuple[Payment, ...]:
    """A remark that is a list (one id and one amount per row) as the payments it lists.

    Only where the rows add up to `total_fen`; else the payment stays as it is.
    """
    if len(payment.references) <= 1:
        return (payment,)
    parts: list[Payment] = []
    for row in re.split(r"[\n;；]+", payment.remark):
        ids, sums = references(row), _LISTED.findall(without_references(row))
        if len(ids) == 1 and len(sums) == 1:
            parts.append(
                replace(payment, amount_fen=amount(sums[0]), references=ids, remark=row.strip())
            )
    if sum(part.amount_fen or 0 for part in parts) != total_fen:
        return (payment,)
    return tuple(parts)
