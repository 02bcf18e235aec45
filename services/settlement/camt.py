"""ISO 20022 camt.053 (statement), camt.052 (report within the day) and camt.054 (notice) read
entry by entry.

Versions are read leniently: what this job needs has kept its place since version 4, and version 2
differs in two places.
"""

from collections.abc import Callable, Iterable
from datetime import date

from services.settlement.bank import xml
from services.settlement.bank.xml import Part
from services.settlement.camt_payments import (
    MANY,
    account_at,
    first_of,
    is_credit,
    money_at,
    payments_of,
    text_at,
)
from services.settlement.lines import (
    CURRENCY,
    MOST_ENTRIES,
    Line,
    Payment,
    Statement,
    StatementError,
    day,
    is_fee,
)

_WITHIN_THE_DAY = "camt.052"
_FEE_CODES = frozenset({"CHRG", "FEES", "COMM"})
_OPENING = ("OPBD", "PRCD")
_CLOSING = ("CLBD",)
_BETWEEN_PAGES = "ITBD"


def read(text: Iterable[str]) -> list[Statement]:
    """The statements in an XML file. Raises StatementError."""
    taker = xml.parse(text, TAKERS)
    assert isinstance(taker, Statements)
    return taker.statements


class Statements:
    """The statements of a file of one kind."""

    entries = frozenset({"Ntry"})
    wholes = frozenset({"Stmt", "Ntfctn", "Rpt"})
    many = MANY | {"Bal"}

    def __init__(self, kind: str) -> None:
        self.statements: list[Statement] = []
        self._kind = kind
        self._lines: list[Line] = []
        self._codes: dict[str, None] = {}
        self._ignored = 0
        self._seen = 0
        self._all = 0

    def take(self, name: str, part: Part) -> None:
        """Takes an entry, or what stands around the entries."""
        if name in self.entries:
            self._take_entry(part)
        else:
            self._take_statement(part)

    def _take_entry(self, entry: Part) -> None:
        self._seen += 1
        self._all += 1
        if self._all > MOST_ENTRIES:
            raise StatementError("too_many_entries")
        line = _line(entry, str(self._seen))
        if line is None:
            self._ignore("not_booked")
        elif self._kind == _WITHIN_THE_DAY and not line.reference:
            # Nothing would tell that the statement reports the same entry: it is booked from there.
            self._ignore("no_reference")
        else:
            self._lines.append(line)

    def _ignore(self, code: str) -> None:
        self._ignored += 1
        self._codes[code] = None

    def _take_statement(self, part: Part) -> None:
        if text_at(part, "Acct/Ccy") not in ("", CURRENCY):
            raise StatementError("currency")
        opening, closing = _balances(part)
        if self._kind == "camt.053" and None in (opening, closing):
            self._codes["balance_missing"] = None
        elif self._kind != "camt.053":
            opening = closing = None  # what it has are balances of a moment
        self.statements.append(
            Statement(
                kind=self._kind,
                id=text_at(part, "Id"),
                account=account_at(part, "Acct"),
                lines=tuple(self._lines),
                opening_fen=opening[0] if opening else None,
                closing_fen=closing[0] if closing else None,
                opened_on=opening[1] if opening else None,
                closed_on=closing[1] if closing else None,
                page=_number(text_at(part, "StmtPgntn/PgNb")),
                number=_number(first_of(part, "ElctrncSeqNb", "LglSeqNb")),
                ignored=self._ignored,
                codes=tuple(self._codes),
            )
        )
        self._lines, self._codes, self._ignored, self._seen = [], {}, 0, 0


TAKERS: dict[str, Callable[[str], Statements]] = dict.fromkeys(
    ("camt.052", "camt.053", "camt.054"), Statements
)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else 0


def _day(part: Part, path: str) -> date | None:
    text = first_of(part, f"{path}/Dt", f"{path}/DtTm")
    return day(text) if text else None


_Balance = tuple[int, date | None]


def _balances(part: Part) -> tuple[_Balance | None, _Balance | None]:
    by_code: dict[str, list[_Balance]] = {}
    for balance in part.parts.get("Bal", ()):
        value = money_at(balance, "Amt")
        if value is not None:
            signed = value if is_credit(balance) else -value
            code = first_of(balance, "Tp/CdOrPrtry/Cd", "Tp/CdOrPrtry/Prtry")
            by_code.setdefault(code, []).append((signed, _day(balance, "Dt")))
    between = by_code.get(_BETWEEN_PAGES, [])
    opening = next((by_code[code][0] for code in _OPENING if code in by_code), None)
    closing = next((by_code[code][-1] for code in _CLOSING if code in by_code), None)
    # The pages of one statement hand over by interim balances.
    opening = opening or (between[0] if between else None)
    closing = closing or (between[-1] if between else None)
    return opening, closing


def _line(entry: Part, position: str) -> Line | None:
    """The entry, or None where it is not booked yet, or moves nothing."""
    status = first_of(entry, "Sts/Cd", "Sts/Prtry", "Sts")
    if status not in ("", "BOOK"):
        return None
    credit, amount_fen = is_credit(entry), money_at(entry, "Amt")
    if amount_fen is None:
        raise StatementError("bad_amount")
    if amount_fen == 0:
        return None
    value_on = _day(entry, "ValDt")
    booked_on = _day(entry, "BookgDt") or value_on
    if booked_on is None:
        raise StatementError("bad_date")
    payments = payments_of(entry, credit=credit, amount_fen=amount_fen)
    return Line(
        reference=text_at(entry, "AcctSvcrRef"),
        position=text_at(entry, "NtryRef") or f"#{position}",
        credit=credit,
        amount_fen=amount_fen,
        booked_on=booked_on,
        value_on=value_on,
        reversal=text_at(entry, "RvslInd") in ("true", "1"),
        fee=not credit and _is_fee(entry, payments),
        payments=payments,
    )


def _is_fee(entry: Part, payments: tuple[Payment, ...]) -> bool:
    if any(payment.references for payment in payments):
        return False
    codes = {text_at(entry, "BkTxCd/Domn/Fmly/SubFmlyCd"), text_at(entry, "BkTxCd/Prtry/Cd")}
    words = (text_at(entry, "AddtlNtryInf"), *(payment.remark for payment in payments))
    return bool(codes & _FEE_CODES) or is_fee(*words)
