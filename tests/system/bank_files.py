"""Bank statements as a destination's bank writes them, for the stories of the system tests."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

NANNING_INCOME = "4501010104000045101"


@dataclass(frozen=True)
class Line:
    """A line of a statement; what does not stand here the bank did not say."""

    reference: str
    amount: str
    payer: str = "郑州市医疗保障中心"
    remark: str = ""
    end_to_end: str = ""
    payee: str = ""
    payer_account: str = ""
    listed: tuple[tuple[str, str], ...] = ()
    """Of a lump: the end-to-end id and the amount of each payment in it."""
    debit: bool = False

    @property
    def direction(self) -> str:
        return "DBIT" if self.debit else "CRDT"

    @property
    def change(self) -> Decimal:
        return Decimal(self.amount) * (-1 if self.debit else 1)


def camt053(
    lines: list[Line],
    *,
    account: str = NANNING_INCOME,
    opening: str = "0.00",
    number: str = "1",
    booked: date = date(2026, 3, 20),
) -> str:
    """A camt.053.001.08 of one day whose entries lead from `opening` to its closing balance."""
    closing = Decimal(opening) + sum((line.change for line in lines), Decimal())
    entries = "".join(_entry(line, booked) for line in lines)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt>'
        f"<GrpHdr><MsgId>M{number}</MsgId><CreDtTm>{booked}T20:00:00+08:00</CreDtTm></GrpHdr>"
        f"<Stmt><Id>S{number}</Id><ElctrncSeqNb>{number}</ElctrncSeqNb>"
        f"<Acct><Id><Othr><Id>{account}</Id></Othr></Id><Ccy>CNY</Ccy></Acct>"
        f"{_balance('OPBD', opening, booked)}{_balance('CLBD', str(closing), booked)}"
        f"{entries}</Stmt></BkToCstmrStmt></Document>"
    )


def _balance(code: str, amount: str, booked: date) -> str:
    return (
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>"
        f'<Amt Ccy="CNY">{amount}</Amt><CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>{booked}</Dt></Dt></Bal>'
    )


def _entry(line: Line, booked: date) -> str:
    payments = line.listed or ((line.end_to_end, line.amount),)
    details = "".join(_details(line, reference, amount) for reference, amount in payments)
    return (
        f'<Ntry><Amt Ccy="CNY">{line.amount}</Amt><CdtDbtInd>{line.direction}</CdtDbtInd>'
        f"<Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>{booked}</Dt></BookgDt>"
        f"<ValDt><Dt>{booked}</Dt></ValDt><AcctSvcrRef>{line.reference}</AcctSvcrRef>"
        f"<NtryDtls>{details}</NtryDtls></Ntry>"
    )


def _details(line: Line, reference: str, amount: str) -> str:
    references = f"<Refs><EndToEndId>{reference or 'NOTPROVIDED'}</EndToEndId></Refs>"
    payee = f"<Cdtr><Pty><Nm>{line.payee}</Nm></Pty></Cdtr>" if line.payee else ""
    account = (
        f"<DbtrAcct><Id><Othr><Id>{line.payer_account}</Id></Othr></Id></DbtrAcct>"
        if line.payer_account
        else ""
    )
    return (
        f'<TxDtls>{references}<Amt Ccy="CNY">{amount}</Amt>'
        f"<RltdPties><Dbtr><Pty><Nm>{line.payer}</Nm></Pty></Dbtr>{account}{payee}</RltdPties>"
        f"<RmtInf><Ustrd>{line.remark}</Ustrd></RmtInf></TxDtls>"
    )
