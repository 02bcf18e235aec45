"""Reads what an agency tells its bank to pay: `pain.001.001.09`."""

from dataclasses import dataclass
from xml.etree.ElementTree import Element

from defusedxml import ElementTree

from shared.money import parse_yuan


@dataclass(frozen=True, slots=True)
class Payment:
    """One credit transfer as instructed. `listed` are the lines of a lump payment's list."""

    message: str
    reference: str
    amount_fen: int
    debtor_account: str
    creditor_account: str
    remark: str


def payments(xml: bytes) -> list[Payment]:
    """The payments of one file, in its order; raises ParseError where it is no XML."""
    root = ElementTree.fromstring(xml)
    message = _text(root, "CstmrCdtTrfInitn/GrpHdr/MsgId")
    found: list[Payment] = []
    for block in root.iterfind(_any("CstmrCdtTrfInitn/PmtInf")):
        debtor_account = _account(block, "DbtrAcct")
        transactions = block.iterfind(_any("CdtTrfTxInf"))
        found += (_payment(message, debtor_account, transaction) for transaction in transactions)
    return found


def _payment(message: str, debtor_account: str, transaction: Element) -> Payment:
    remarks = transaction.iterfind(_any("RmtInf/Ustrd"))
    return Payment(
        message=message,
        reference=_text(transaction, "PmtId/EndToEndId"),
        amount_fen=parse_yuan(_text(transaction, "Amt/InstdAmt")),
        debtor_account=debtor_account,
        creditor_account=_account(transaction, "CdtrAcct"),
        remark=" ".join(found.text or "" for found in remarks),
    )


def _account(parent: Element, tag: str) -> str:
    return _text(parent, f"{tag}/Id/Othr/Id") or _text(parent, f"{tag}/Id/IBAN")


def _text(parent: Element, path: str) -> str:
    return (parent.findtext(_any(path)) or "").strip()


def _any(path: str) -> str:
    """The path in whatever namespace: banks differ in the version of the scheme."""
    return "/".join(f"{{*}}{tag}" for tag in path.split("/"))
