"""ISO 20022 camt.053 (statement) and camt.054 (notice) read entry by entry.

Later minor versions are read leniently: what this job needs has kept its place since version 8,
and version 2 differs in two places. Entities, DTDs and deep nesting are refused before they cost.
"""

import re
from collections.abc import Iterator
from datetime import date
from xml.etree.ElementTree import Element, ParseError, TreeBuilder

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from services.settlement.camt_payments import (
    account_at,
    first_of,
    is_credit,
    money_at,
    payments_of,
    text_at,
)
from services.settlement.lines import (
    CURRENCY,
    Line,
    Payment,
    Statement,
    StatementError,
    day,
    is_fee,
)

_NAMESPACE = re.compile(r"\{[^}]*camt\.(05[34])\.001\.[0-9]{2}\}Document")
_DEEPEST = 64
MOST_ELEMENTS = 100_000
"""In one entry, and in the whole file outside its entries: what stands in memory at once."""
_FEE_CODES = frozenset({"CHRG", "FEES", "COMM"})
_OPENING = ("OPBD", "PRCD")
_CLOSING = ("CLBD",)
_BETWEEN_PAGES = "ITBD"


def read(text: str) -> list[Statement]:
    """The statements in an XML file. Raises StatementError."""
    reader = _Reader()
    parser = DefusedXMLParser(target=reader, forbid_dtd=True)
    try:
        parser.feed(text.lstrip())
        parser.close()
    except ParseError as error:
        raise StatementError("unreadable", f"line {error.position[0]}") from error
    except DefusedXmlException as error:
        raise StatementError("forbidden_xml") from error
    return reader.statements


class _Reader:
    """Builds the tree and hands it over piece by piece: a big file never stands in memory whole."""

    def __init__(self) -> None:
        self.statements: list[Statement] = []
        self._builder = TreeBuilder()
        self._open: list[Element] = []
        self._outside = 0
        self._inside = 0
        self._entry_at = 0
        self._kind = ""
        self._entries: list[Line] = []
        self._ignored = 0
        self._seen = 0

    def start(self, tag: str, attributes: dict[str, str]) -> Element:
        name = tag.rpartition("}")[2]
        if not self._open:
            known = _NAMESPACE.fullmatch(tag)
            if known is None:
                raise StatementError("unsupported_format")
            self._kind = f"camt.{known.group(1)}"
        if len(self._open) >= _DEEPEST:
            raise StatementError("forbidden_xml")
        self._count(name)
        self._open.append(self._builder.start(name, attributes))
        return self._open[-1]

    def _count(self, name: str) -> None:
        if name == "Ntry" and not self._entry_at:
            self._entry_at, self._inside = len(self._open) + 1, 0
        if self._entry_at:
            self._inside += 1
        else:
            self._outside += 1
        if max(self._inside, self._outside) > MOST_ELEMENTS:
            where = f"entry {self._seen + 1}" if self._entry_at else ""
            raise StatementError("too_many_elements", where)

    def data(self, text: str) -> None:
        self._builder.data(text)

    def end(self, tag: str) -> Element:
        name = tag.rpartition("}")[2]
        element = self._builder.end(name)
        if len(self._open) == self._entry_at:
            self._take_entry(element)
            # An empty element for each entry would add up: its parent lets go of it.
            del self._open[-2][-1]
            self._entry_at = 0
        elif name in ("Stmt", "Ntfctn"):
            self._take_statement(element)
            element.clear()
        self._open.pop()
        return element

    def close(self) -> None:
        self._builder.close()

    def _take_entry(self, entry: Element) -> None:
        self._seen += 1
        try:
            line = _line(entry, str(self._seen))
        except StatementError as error:
            raise StatementError(error.code, f"entry {self._seen}") from error
        if line is None:
            self._ignored += 1
        else:
            self._entries.append(line)

    def _take_statement(self, element: Element) -> None:
        if text_at(element, "Acct/Ccy") not in ("", CURRENCY):
            raise StatementError("currency")
        opening, closing = _balances(element)
        self.statements.append(
            Statement(
                kind=self._kind,
                id=text_at(element, "Id"),
                account=account_at(element, "Acct"),
                lines=tuple(self._entries),
                opening_fen=opening[0] if opening else None,
                closing_fen=closing[0] if closing else None,
                opened_on=opening[1] if opening else None,
                closed_on=closing[1] if closing else None,
                page=_number(text_at(element, "StmtPgntn/PgNb")),
                ignored=self._ignored,
                codes=tuple(self._codes(opening, closing)),
            )
        )
        self._entries, self._ignored, self._seen = [], 0, 0

    def _codes(self, *balances: "_Balance | None") -> Iterator[str]:
        if self._ignored:
            yield "not_booked"
        if self._kind == "camt.053" and None in balances:
            yield "balance_missing"


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else 0


def _day(element: Element, path: str) -> date | None:
    text = first_of(element, f"{path}/Dt", f"{path}/DtTm")
    return day(text) if text else None


_Balance = tuple[int, date | None]


def _balances(element: Element) -> tuple[_Balance | None, _Balance | None]:
    by_code: dict[str, list[_Balance]] = {}
    for balance in element.findall("Bal"):
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


def _line(entry: Element, position: str) -> Line | None:
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


def _is_fee(entry: Element, payments: tuple[Payment, ...]) -> bool:
    if any(payment.references for payment in payments):
        return False
    codes = {text_at(entry, "BkTxCd/Domn/Fmly/SubFmlyCd"), text_at(entry, "BkTxCd/Prtry/Cd")}
    words = (text_at(entry, "AddtlNtryInf"), *(payment.remark for payment in payments))
    return bool(codes & _FEE_CODES) or is_fee(*words)
