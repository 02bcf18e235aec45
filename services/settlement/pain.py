"""ISO 20022 pain.001.001.09: the file that tells an origin's bank to pay. PURE.

Written as text, every text in it by `_element`: a tree of twenty-five elements a payment costs
eight times as much.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from uuid import UUID
from xml.sax.saxutils import escape

from shared.calendar import shanghai_day
from shared.money import yuan
from shared.regions import AccountKind, Entity

_DECLARED = "<?xml version='1.0' encoding='utf-8'?>\n"
_NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"
_LONGEST_NAME = 140
_LONGEST_ACCOUNT_NAME = 70
_LONGEST_REMARK = 140
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Due:
    """What is to be paid for one transfer. `name` is empty where the person was erased."""

    transfer: UUID
    destination: str
    amount_fen: int
    name: str


@dataclass(frozen=True, slots=True)
class Run:
    """One payment file; `name` identifies it at the bank for ever."""

    name: str
    region: str
    on: date
    lump: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Sweep:
    """What a month has left in the income account, on its way to the fiscal account."""

    region: str
    month: date
    amount_fen: int
    created_at: datetime

    @property
    def name(self) -> str:
        """What identifies it at the bank for ever: `450100-202603-S`."""
        return f"{self.region}-{self.month:%Y%m}-S"


def document(run: Run, origin: Entity, payees: Mapping[str, Entity], dues: Sequence[Due]) -> bytes:
    """The file of a run. The same facts give the same bytes."""
    told = _lumps(run, dues) if run.lump else [(due.transfer.hex, [due]) for due in dues]
    # Of the day of the run: what came back is paid again to the account that is right by now.
    paid = {code: _payee(payees[code], "income", run.on) for code in {d.destination for d in dues}}
    payments = [
        _payment(ref, sum(due.amount_fen for due in parts), paid[parts[0].destination], remittance)
        for ref, parts in told
        for remittance in (_listed(parts) if run.lump else _named(ref, parts[0]),)
    ]
    total_fen = sum(due.amount_fen for due in dues)
    return _file(run.name, run.on, run.created_at, origin, "expense", payments, total_fen)


def sweep(found: Sweep, region: Entity) -> bytes:
    """The file of a sweep: one payment between two accounts of the agency."""
    on = shanghai_day(found.created_at)
    remark = _element("Ustrd", f"{found.month:%Y-%m} 收入户资金归集至财政专户")
    payee = _payee(region, "fiscal", on)
    payment = _payment(found.name, found.amount_fen, payee, remark)
    at = found.created_at
    return _file(found.name, on, at, region, "income", [payment], found.amount_fen)


def _file(
    name: str,
    on: date,
    created_at: datetime,
    origin: Entity,
    kind: AccountKind,
    payments: Sequence[str],
    total_fen: int,
) -> bytes:
    count, holder = _element("NbOfTxs", str(len(payments))), _element("Nm", _holder(origin))
    total = _element("CtrlSum", yuan(total_fen))
    account = _account(origin.bank.account_on(kind, on))
    created = _element("CreDtTm", created_at.isoformat(timespec="seconds"))
    return (
        f'{_DECLARED}<Document xmlns="{_NAMESPACE}"><CstmrCdtTrfInitn><GrpHdr>'
        f"{_element('MsgId', name)}{created}{count}{total}<InitgPty>{holder}</InitgPty></GrpHdr>"
        f"<PmtInf>{_element('PmtInfId', name)}<PmtMtd>TRF</PmtMtd>{count}{total}"
        f"<ReqdExctnDt>{_element('Dt', on.isoformat())}</ReqdExctnDt><Dbtr>{holder}</Dbtr>"
        f"<DbtrAcct>{account}</DbtrAcct><DbtrAgt>{_bank(origin)}</DbtrAgt>"
        f"{''.join(payments)}</PmtInf></CstmrCdtTrfInitn></Document>"
    ).encode()


def lump_id(run: str, destination: str) -> str:
    """The end-to-end id of a lump payment: at most 35 characters."""
    return f"{run}-{destination}"


def _lumps(run: Run, dues: Sequence[Due]) -> list[tuple[str, list[Due]]]:
    by_destination = groupby(
        sorted(dues, key=lambda due: (due.destination, due.transfer.hex)),
        key=lambda due: due.destination,
    )
    return [(lump_id(run.name, code), list(parts)) for code, parts in by_destination]


def _payment(end_to_end_id: str, amount_fen: int, payee: str, remittance: str) -> str:
    return (
        f"<CdtTrfTxInf><PmtId>{_element('EndToEndId', end_to_end_id)}</PmtId>"
        f'<Amt><InstdAmt Ccy="CNY">{yuan(amount_fen)}</InstdAmt></Amt>{payee}'
        f"<RmtInf>{remittance}</RmtInf></CdtTrfTxInf>"
    )


def _payee(region: Entity, kind: AccountKind, on: date) -> str:
    holder = _holder(region)
    account = _account(region.bank.account_on(kind, on))
    return (
        f"<CdtrAgt>{_bank(region)}</CdtrAgt><Cdtr>{_element('Nm', holder)}</Cdtr>"
        f"<CdtrAcct>{account}{_element('Nm', holder[:_LONGEST_ACCOUNT_NAME])}</CdtrAcct>"
    )


def _named(end_to_end_id: str, due: Due) -> str:
    # The case must be read whatever the length of the name.
    name = _plain(due.name)[: _LONGEST_REMARK - len(end_to_end_id) - 1]
    return _element("Ustrd", f"{name} {end_to_end_id}".strip())


def _listed(dues: Iterable[Due]) -> str:
    rows = []
    for due in dues:
        name = _plain(due.name)[:_LONGEST_REMARK]
        rows.append(
            f'<Strd><RfrdDocAmt><RmtdAmt Ccy="CNY">{yuan(due.amount_fen)}</RmtdAmt></RfrdDocAmt>'
            f"<CdtrRefInf>{_element('Ref', due.transfer.hex)}</CdtrRefInf>"
            f"{_element('AddtlRmtInf', name) if name else ''}</Strd>"
        )
    return "".join(rows)


def _account(number: str) -> str:
    return f"<Id><Othr>{_element('Id', number)}</Othr></Id><Ccy>CNY</Ccy>"


def _bank(region: Entity) -> str:
    # CNAPS: the clearing system of the People's Bank.
    member = _element("MmbId", region.bank.bank_code)
    return (
        "<FinInstnId><ClrSysMmbId><ClrSysId><Cd>CNAPS</Cd></ClrSysId>"
        f"{member}</ClrSysMmbId></FinInstnId>"
    )


def _holder(region: Entity) -> str:
    """The name in which the agency holds its accounts."""
    return region.bank.payer_names[0][:_LONGEST_NAME]


def _plain(text: str) -> str:
    """One line of what XML can carry: a bank's field has no lines."""
    return " ".join(_NOT_XML.sub("", text).split())


def _element(tag: str, text: str) -> str:
    return f"<{tag}>{escape(text)}</{tag}>"
