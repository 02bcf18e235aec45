"""ISO 20022 pain.001.001.09: the file that tells an origin's bank to pay. PURE."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from uuid import UUID
from xml.etree.ElementTree import Element, SubElement, tostring

from shared.calendar import shanghai_day
from shared.money import yuan
from shared.regions import AccountKind, Entity

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
    payments = [_payment(run, ref, payees[parts[0].destination], parts) for ref, parts in told]
    total_fen = sum(due.amount_fen for due in dues)
    return _file(run.name, run.on, run.created_at, origin, "expense", payments, total_fen)


def sweep(found: Sweep, region: Entity) -> bytes:
    """The file of a sweep: one payment between two accounts of the agency."""
    on = shanghai_day(found.created_at)
    payment = _credit(found.name, found.amount_fen, region, "fiscal", on)
    remark = f"{found.month:%Y-%m} 收入户资金归集至财政专户"
    _add(SubElement(payment, "RmtInf"), "Ustrd", remark)
    at = found.created_at
    return _file(found.name, on, at, region, "income", [payment], found.amount_fen)


def _file(
    name: str,
    on: date,
    created_at: datetime,
    origin: Entity,
    kind: AccountKind,
    payments: Sequence[Element],
    total_fen: int,
) -> bytes:
    total = yuan(total_fen)
    root = Element("Document", xmlns=_NAMESPACE)
    initiation = SubElement(root, "CstmrCdtTrfInitn")
    header = SubElement(initiation, "GrpHdr")
    _add(header, "MsgId", name)
    _add(header, "CreDtTm", created_at.isoformat(timespec="seconds"))
    _add(header, "NbOfTxs", str(len(payments)))
    _add(header, "CtrlSum", total)
    _add(header, "InitgPty/Nm", _holder(origin))
    information = SubElement(initiation, "PmtInf")
    _add(information, "PmtInfId", name)
    _add(information, "PmtMtd", "TRF")
    _add(information, "NbOfTxs", str(len(payments)))
    _add(information, "CtrlSum", total)
    _add(information, "ReqdExctnDt/Dt", on.isoformat())
    _add(information, "Dbtr/Nm", _holder(origin))
    account = SubElement(information, "DbtrAcct")
    _add(account, "Id/Othr/Id", origin.bank.account_on(kind, on))
    _add(account, "Ccy", "CNY")
    _bank(SubElement(information, "DbtrAgt"), origin)
    information.extend(payments)
    body: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return body


def lump_id(run: str, destination: str) -> str:
    """The end-to-end id of a lump payment: at most 35 characters."""
    return f"{run}-{destination}"


def _lumps(run: Run, dues: Sequence[Due]) -> list[tuple[str, list[Due]]]:
    by_destination = groupby(
        sorted(dues, key=lambda due: (due.destination, due.transfer.hex)),
        key=lambda due: due.destination,
    )
    return [(lump_id(run.name, code), list(parts)) for code, parts in by_destination]


def _payment(run: Run, end_to_end_id: str, payee: Entity, dues: Sequence[Due]) -> Element:
    # Of the day of the run: what came back is paid again to the account that is right by now.
    total_fen = sum(due.amount_fen for due in dues)
    payment = _credit(end_to_end_id, total_fen, payee, "income", run.on)
    remittance = SubElement(payment, "RmtInf")
    if run.lump:
        remittance.extend(_listed(dues))
    else:
        # The case must be read whatever the length of the name.
        name = _plain(dues[0].name)[: _LONGEST_REMARK - len(end_to_end_id) - 1]
        _add(remittance, "Ustrd", f"{name} {end_to_end_id}".strip())
    return payment


def _credit(
    end_to_end_id: str, amount_fen: int, payee: Entity, kind: AccountKind, on: date
) -> Element:
    payment = Element("CdtTrfTxInf")
    _add(payment, "PmtId/EndToEndId", end_to_end_id)
    amount = SubElement(SubElement(payment, "Amt"), "InstdAmt", Ccy="CNY")
    amount.text = yuan(amount_fen)
    _bank(SubElement(payment, "CdtrAgt"), payee)
    _add(payment, "Cdtr/Nm", _holder(payee))
    account = SubElement(payment, "CdtrAcct")
    _add(account, "Id/Othr/Id", payee.bank.account_on(kind, on))
    _add(account, "Ccy", "CNY")
    _add(account, "Nm", _holder(payee)[:_LONGEST_ACCOUNT_NAME])
    return payment


def _listed(dues: Iterable[Due]) -> Iterable[Element]:
    for due in dues:
        row = Element("Strd")
        amount = SubElement(SubElement(row, "RfrdDocAmt"), "RmtdAmt", Ccy="CNY")
        amount.text = yuan(due.amount_fen)
        _add(row, "CdtrRefInf/Ref", due.transfer.hex)
        if name := _plain(due.name)[:_LONGEST_REMARK]:
            _add(row, "AddtlRmtInf", name)
        yield row


def _bank(agent: Element, region: Entity) -> None:
    member = SubElement(SubElement(agent, "FinInstnId"), "ClrSysMmbId")
    # CNAPS: the clearing system of the People's Bank.
    _add(member, "ClrSysId/Cd", "CNAPS")
    _add(member, "MmbId", region.bank.bank_code)


def _holder(region: Entity) -> str:
    """The name in which the agency holds its accounts."""
    return region.bank.payer_names[0][:_LONGEST_NAME]


def _plain(text: str) -> str:
    """One line of what XML can carry: a bank's field has no lines."""
    return " ".join(_NOT_XML.sub("", text).split())


def _add(parent: Element, path: str, text: str) -> None:
    for tag in path.split("/"):
        parent = SubElement(parent, tag)
    parent.text = text
