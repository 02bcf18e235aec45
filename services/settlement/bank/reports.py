"""What a bank says of payments outside its statements, read report by report. PURE.

pain.002: whether it takes our payments. pacs.004: that one comes back. camt.056: that somebody
wants one back that we received. camt.029: what became of such a question of ours. Versions are
read leniently.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from services.settlement.bank.xml import Part
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
    many: frozenset[str] = frozenset()

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

    def take(self, name: str, part: Part) -> None:
        """Takes what is said of a payment, of a part of a file, or of a file."""
        match name:
            case "GrpHdr":
                self.id = _id(part, "MsgId")
            case "OrgnlGrpInfAndSts":
                self._run = _id(part, "OrgnlMsgId")
                self._say_of_all(part, "GrpSts")
            case "OrgnlPmtInfAndSts":
                run = self._run or _id(part, "OrgnlPmtInfId")
                self._payments += (_of(report, run) for report in self._told)
                self._told.clear()
                self._say_of_all(part, "PmtInfSts", run)
            case _:
                self._count += 1
                if self._count > MOST_ENTRIES:
                    raise StatementError("too_many_entries")
                if (report := self._payment(part)) is not None:
                    self._told.append(report)

    def _payment(self, part: Part) -> Report | None:
        status = _status(text_at(part, "TxSts"))
        if status is None:
            return None
        reference = _id(part, "OrgnlEndToEndId")
        if not reference:
            raise StatementError("no_payment")
        return Report(
            kind="pain.002",
            id=_id(part, "StsId") or self.id,
            status=status,
            reference=reference,
            code=_code(part, "StsRsnInf"),
            amount_fen=money_at(part, "OrgnlTxRef/Amt/InstdAmt"),
        )

    def _say_of_all(self, part: Part, path: str, run: str = "") -> None:
        status = _status(text_at(part, path))
        run = run or self._run
        if status is None:
            return
        if not run:
            raise StatementError("no_payment")
        # What is said of a part of the file is said again, and more closely.
        self._all = [report for report in self._all if report.run != run]
        code = _code(part, "StsRsnInf")
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
    many: frozenset[str] = frozenset()

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

    def take(self, name: str, part: Part) -> None:
        """Takes what is said of a payment, or of the message."""
        match name:
            case "GrpHdr":
                self.id = _id(part, "MsgId")
            case "Assgnmt":
                self.id = _id(part, "Id")
            case "Sts":
                self._said = text_at(part, "Conf")[:_LONGEST_CODE]
            case "OrgnlGrpInf":
                self._run = _id(part, "OrgnlMsgId")
            case _:
                if len(self._reports) >= MOST_ENTRIES:
                    raise StatementError("too_many_entries")
                self._reports.append(self._report(part))

    def _report(self, part: Part) -> Report:
        reference = _id(part, "OrgnlEndToEndId")
        if not reference:
            raise StatementError("no_payment")
        run = _id(part, "OrgnlGrpInf/OrgnlMsgId") or self._run
        report = _READERS[self.kind](part, reference, run)
        # Where a bank does not number them, the message and the payment say which it is.
        return replace(report, id=report.id or self.id, code=report.code or self._said)


def _return(part: Part, reference: str, run: str) -> Report:
    amount_fen = money_at(part, "RtrdIntrBkSttlmAmt")
    if amount_fen is None:
        amount_fen = money_at(part, "RtrdInstdAmt")
    if not amount_fen:
        raise StatementError("bad_amount")
    on = text_at(part, "IntrBkSttlmDt")
    return Report(
        kind="pacs.004",
        id=_id(part, "RtrId"),
        status="returned",
        run=run,
        reference=reference,
        code=_code(part, "RtrRsnInf"),
        amount_fen=amount_fen,
        account=account_at(part, "OrgnlTxRef/DbtrAcct"),
        on=day(on) if on else None,
    )


def _recall(part: Part, reference: str, run: str) -> Report:
    return Report(
        kind="camt.056",
        id=_id(part, "CxlId"),
        status="recalled",
        run=run,
        reference=reference,
        code=_code(part, "CxlRsnInf"),
        amount_fen=money_at(part, "OrgnlIntrBkSttlmAmt"),
        account=account_at(part, "OrgnlTxRef/CdtrAcct"),
    )


def _resolution(part: Part, reference: str, run: str) -> Report:
    said = text_at(part, "TxCxlSts")
    return Report(
        kind="camt.029",
        id=_id(part, "CxlStsId"),
        status="resolved",
        run=run,
        reference=reference,
        code=(said or _code(part, "CxlStsRsnInf"))[:_LONGEST_CODE],
        amount_fen=money_at(part, "OrgnlTxRef/IntrBkSttlmAmt"),
        account=account_at(part, "OrgnlTxRef/DbtrAcct"),
    )


_READERS = {"pacs.004": _return, "camt.056": _recall, "camt.029": _resolution}


def _id(part: Part, path: str) -> str:
    text = text_at(part, path)
    if len(text) > _LONGEST_ID:
        raise StatementError("too_long")
    return text


def _code(part: Part, path: str) -> str:
    """The first reason, as a code: what is said besides may name people."""
    text = first_of(part, f"{path}/Rsn/Cd", f"{path}/Rsn/Prtry")
    return text[:_LONGEST_CODE] or (NO_REASON if path in part.texts else "")


TAKERS: dict[str, Callable[[str], "Statuses | Single"]] = {
    "pain.002": Statuses,
    "pacs.004": Single,
    "camt.056": Single,
    "camt.029": Single,
}
