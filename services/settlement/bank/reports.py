"""What a bank says of payments outside its statements, read report by report. PURE.

pain.002: whether it takes our payments. pacs.004: that one comes back. camt.056: that somebody
wants one back that we received. camt.029: what became of such a question of ours. Versions are
read leniently.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal
from xml.etree.ElementTree import Element

from services.settlement.camt_payments import account_at, first_of, money_at, text_at
from services.settlement.lines import MOST_ENTRIES, StatementError, day

Kind = Literal["pain.002", "pacs.004", "camt.029", "camt.056"]
Status = Literal["accepted", "pending", "rejected", "returned", "recalled", "resolved"]
NO_REASON = "NARR"
"""ISO 20022 "narrative", where a bank gives no code of its own."""

_LONGEST_ID = 35
_LONGEST_CODE = 35
_ACCEPTED = frozenset({"ACCP", "ACTC", "ACSP", "ACSC", "ACWC", "ACWP", "ACCC", "ACFC", "ACIS"})
_REJECTED = frozenset({"RJCT", "CANC", "BLCK"})


@dataclass(frozen=True, slots=True)
class Report:
    """One thing that a bank says of one payment.

    `run` is the payment file as the bank names it, `reference` the end-to-end id; without that,
    in a `pain.002`, it is said of all payments of the file of which nothing else is said.
    """

    kind: Kind
    id: str
    status: Status
    run: str = ""
    reference: str = ""
    code: str = ""
    amount_fen: int | None = None
    account: str = ""
    on: date | None = None


class Statuses:
    """A payment status report: of the file, of its part, of each payment."""

    entries = frozenset({"TxInfAndSts"})
    wholes = frozenset({"GrpHdr", "OrgnlGrpInfAndSts", "OrgnlPmtInfAndSts"})

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.id = ""
        self._run = ""
        self._told: list[Report] = []
        self._payments: list[Report] = []
        self._all: list[Report] = []
        self._count = 0

    @property
    def reports(self) -> list[Report]:
        """What was said of payments, and then of all others. Raises StatementError."""
        return [*self._payments, *self._all]

    def take(self, name: str, element: Element) -> None:
        """Takes what is said of a payment, of a part of a file, or of a file."""
        match name:
            case "GrpHdr":
                self.id = _id(element, "MsgId")
            case "OrgnlGrpInfAndSts":
                self._run = _id(element, "OrgnlMsgId")
                self._say_of_all(element, "GrpSts")
            case "OrgnlPmtInfAndSts":
                run = self._run or _id(element, "OrgnlPmtInfId")
                self._payments += (_of(report, run) for report in self._told)
                self._told.clear()
                self._say_of_all(element, "PmtInfSts", run)
            case _:
                self._count += 1
                if self._count > MOST_ENTRIES:
                    raise StatementError("too_many_entries")
                if (report := self._payment(element)) is not None:
                    self._told.append(report)

    def _payment(self, element: Element) -> Report | None:
        status = _status(text_at(element, "TxSts"))
        if status is None:
            return None
        reference = _id(element, "OrgnlEndToEndId")
        if not reference:
            raise StatementError("no_payment")
        return Report(
            kind="pain.002",
            id=_id(element, "StsId") or self.id,
            status=status,
            reference=reference,
            code=_code(element, "StsRsnInf"),
            amount_fen=money_at(element, "OrgnlTxRef/Amt/InstdAmt"),
        )

    def _say_of_all(self, element: Element, path: str, run: str = "") -> None:
        status = _status(text_at(element, path))
        run = run or self._run
        if status is None:
            return
        if not run:
            raise StatementError("no_payment")
        # What is said of a part of the file is said again, and more closely.
        self._all = [report for report in self._all if report.run != run]
        code = _code(element, "StsRsnInf")
        self._all.append(Report("pain.002", self.id, status, run=run, code=code))


def _of(report: Report, run: str) -> Report:
    if not run:
        raise StatementError("no_payment")
    return replace(report, run=run)


def _status(text: str) -> Status | None:
    """None where it says nothing of every payment, or nothing at all."""
    if text in ("", "PART"):
        return None
    if text in _REJECTED:
        return "rejected"
    return "accepted" if text in _ACCEPTED else "pending"


class Single:
    """A message that is about payments one by one: returns, recalls, resolutions."""

    entries = frozenset({"TxInf", "TxInfAndSts"})
    wholes = frozenset({"GrpHdr", "Assgnmt", "Sts", "OrgnlGrpInf"})

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.id = ""
        self._run = ""
        self._said = ""
        self._reports: list[Report] = []

    @property
    def reports(self) -> list[Report]:
        """What was said of each payment. Raises StatementError."""
        return self._reports

    def take(self, name: str, element: Element) -> None:
        """Takes what is said of a payment, or of the message."""
        match name:
            case "GrpHdr":
                self.id = _id(element, "MsgId")
            case "Assgnmt":
                self.id = _id(element, "Id")
            case "Sts":
                self._said = text_at(element, "Conf")[:_LONGEST_CODE]
            case "OrgnlGrpInf":
                self._run = _id(element, "OrgnlMsgId")
            case _:
                if len(self._reports) >= MOST_ENTRIES:
                    raise StatementError("too_many_entries")
                self._reports.append(self._report(element))

    def _report(self, element: Element) -> Report:
        reference = _id(element, "OrgnlEndToEndId")
        if not reference:
            raise StatementError("no_payment")
        run = _id(element, "OrgnlGrpInf/OrgnlMsgId") or self._run
        report = _READERS[self.kind](element, reference, run)
        # Where a bank does not number them, the message and the payment say which it is.
        return replace(report, id=report.id or self.id, code=report.code or self._said)


def _return(element: Element, reference: str, run: str) -> Report:
    amount_fen = money_at(element, "RtrdIntrBkSttlmAmt")
    if amount_fen is None:
        amount_fen = money_at(element, "RtrdInstdAmt")
    if not amount_fen:
        raise StatementError("bad_amount")
    on = text_at(element, "IntrBkSttlmDt")
    return Report(
        kind="pacs.004",
        id=_id(element, "RtrId"),
        status="returned",
        run=run,
        reference=reference,
        code=_code(element, "RtrRsnInf"),
        amount_fen=amount_fen,
        account=account_at(element, "OrgnlTxRef/DbtrAcct"),
        on=day(on) if on else None,
    )


def _recall(element: Element, reference: str, run: str) -> Report:
    return Report(
        kind="camt.056",
        id=_id(element, "CxlId"),
        status="recalled",
        run=run,
        reference=reference,
        code=_code(element, "CxlRsnInf"),
        amount_fen=money_at(element, "OrgnlIntrBkSttlmAmt"),
        account=account_at(element, "OrgnlTxRef/CdtrAcct"),
    )


def _resolution(element: Element, reference: str, run: str) -> Report:
    said = text_at(element, "TxCxlSts")
    return Report(
        kind="camt.029",
        id=_id(element, "CxlStsId"),
        status="resolved",
        run=run,
        reference=reference,
        code=(said or _code(element, "CxlStsRsnInf"))[:_LONGEST_CODE],
        amount_fen=money_at(element, "OrgnlTxRef/IntrBkSttlmAmt"),
        account=account_at(element, "OrgnlTxRef/DbtrAcct"),
    )


_READERS = {"pacs.004": _return, "camt.056": _recall, "camt.029": _resolution}


def _id(element: Element, path: str) -> str:
    text = text_at(element, path)
    if len(text) > _LONGEST_ID:
        raise StatementError("too_long")
    return text


def _code(element: Element, path: str) -> str:
    """The first reason, as a code: what is said besides may name people."""
    text = first_of(element, f"{path}/Rsn/Cd", f"{path}/Rsn/Prtry")
    return text[:_LONGEST_CODE] or (NO_REASON if element.find(path) is not None else "")


TAKERS: dict[str, Callable[[str], "Statuses | Single"]] = {
    "pain.002": Statuses,
    "pacs.004": Single,
    "camt.056": Single,
    "camt.029": Single,
}
