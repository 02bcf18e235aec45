"""Writes a bank's end-of-day statement, `camt.053.001.08`, and its notice, `camt.054.001.08`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from xml.sax.saxutils import escape

from shared.money import yuan

_NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"
_NOTICE = "urn:iso:std:iso:20022:tech:xsd:camt.054.001.08"
_MOST_ENTRIES = 20_000


@dataclass(frozen=True, slots=True)
class Detail:
    """One payment inside an entry; what is empty is not written."""

    amount_fen: int
    reference: str = ""
    debtor: str = ""
    debtor_account: str = ""
    creditor: str = ""
    creditor_account: str = ""
    remark: str = ""
    return_code: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of an account: money in (`credit`) or out, of one or many payments."""

    bank_reference: str
    credit: bool
    details: tuple[Detail, ...]
    reversal: bool = False

    @property
    def amount_fen(self) -> int:
        return sum(detail.amount_fen for detail in self.details)


@dataclass(frozen=True, slots=True)
class Statement:
    """One account on one day, from its opening to its closing balance."""

    id: str
    number: int
    account: str
    day: date
    opening_fen: int
    entries: Sequence[Entry]

    @property
    def closing_fen(self) -> int:
        moved = (one.amount_fen if one.credit else -one.amount_fen for one in self.entries)
        return self.opening_fen + sum(moved)


def statement(content: Statement) -> bytes:
    """The file of one statement."""
    created = f"{content.day}T23:59:00+08:00"
    entries = "".join(_entry(content.day, one) for one in content.entries)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="{_NAMESPACE}"><BkToCstmrStmt>'
        f"<GrpHdr><MsgId>{content.id}</MsgId><CreDtTm>{created}</CreDtTm></GrpHdr>"
        f"<Stmt><Id>{content.id}</Id><ElctrncSeqNb>{content.number}</ElctrncSeqNb>"
        f"<CreDtTm>{created}</CreDtTm>"
        f"<Acct>{_account_id(content.account)}<Ccy>CNY</Ccy></Acct>"
        f"{_balance('OPBD', content.opening_fen, content.day)}"
        f"{_balance('CLBD', content.closing_fen, content.day)}"
        f"{entries}</Stmt></BkToCstmrStmt></Document>\n"
    ).encode()


def notice(content: Statement) -> bytes:
    """The same entries as they are told before the day is over."""
    created = f"{content.day}T16:00:00+08:00"
    entries = "".join(_entry(content.day, one) for one in content.entries)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="{_NOTICE}">'
        f"<BkToCstmrDbtCdtNtfctn><GrpHdr><MsgId>N{content.id}</MsgId><CreDtTm>{created}</CreDtTm>"
        f"</GrpHdr><Ntfctn><Id>N{content.id}</Id><CreDtTm>{created}</CreDtTm>"
        f"<Acct>{_account_id(content.account)}<Ccy>CNY</Ccy></Acct>"
        f"{entries}</Ntfctn></BkToCstmrDbtCdtNtfctn></Document>\n"
    ).encode()


def _account_id(account: str) -> str:
    return f"<Id><Othr><Id>{account}</Id></Othr></Id>"


def _sign(*, credit: bool) -> str:
    return f"<CdtDbtInd>{'CRDT' if credit else 'DBIT'}</CdtDbtInd>"


def _amount(fen: int) -> str:
    return f'<Amt Ccy="CNY">{yuan(fen)}</Amt>'


def _balance(kind: str, fen: int, day: date) -> str:
    return (
        f"<Bal><Tp><CdOrPrtry><Cd>{kind}</Cd></CdOrPrtry></Tp>{_amount(abs(fen))}"
        f"{_sign(credit=fen >= 0)}<Dt><Dt>{day}</Dt></Dt></Bal>"
    )


def _entry(day: date, one: Entry) -> str:
    details = "".join(_detail(detail, credit=one.credit) for detail in one.details)
    return (
        f"\n<Ntry><NtryRef>{one.bank_reference}</NtryRef>{_amount(one.amount_fen)}"
        f"{_sign(credit=one.credit)}{'<RvslInd>true</RvslInd>' if one.reversal else ''}"
        "<Sts><Cd>BOOK</Cd></Sts>"
        f"<BookgDt><Dt>{day}</Dt></BookgDt><ValDt><Dt>{day}</Dt></ValDt>"
        f"<AcctSvcrRef>{one.bank_reference}</AcctSvcrRef>"
        f"<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>{'RCDT' if one.credit else 'ICDT'}</Cd>"
        f"<SubFmlyCd>DMCT</SubFmlyCd></Fmly></Domn></BkTxCd>"
        f"<NtryDtls>{details}</NtryDtls></Ntry>"
    )


def _detail(one: Detail, *, credit: bool) -> str:
    reference = escape(one.reference) if one.reference else "NOTPROVIDED"
    remark = f"<RmtInf><Ustrd>{escape(one.remark)}</Ustrd></RmtInf>" if one.remark else ""
    returned = f"<RtrInf><Rsn><Cd>{one.return_code}</Cd></Rsn></RtrInf>" if one.return_code else ""
    parties = _party("Dbtr", one.debtor, one.debtor_account)
    parties += _party("Cdtr", one.creditor, one.creditor_account)
    return (
        f"<TxDtls><Refs><EndToEndId>{reference}</EndToEndId></Refs>{_amount(one.amount_fen)}"
        f"{_sign(credit=credit)}"
        f"{f'<RltdPties>{parties}</RltdPties>' if parties else ''}{remark}{returned}</TxDtls>"
    )


def _party(role: str, name: str, account: str) -> str:
    named = f"<{role}><Pty><Nm>{escape(name)}</Nm></Pty></{role}>" if name else ""
    return named + (f"<{role}Acct>{_account_id(account)}</{role}Acct>" if account else "")


def pages(entries: Sequence[Entry]) -> Iterator[Sequence[Entry]]:
    """The entries of a day as statements of not too many."""
    return (entries[i : i + _MOST_ENTRIES] for i in range(0, len(entries), _MOST_ENTRIES))
