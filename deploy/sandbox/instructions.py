"""Reads what an agency tells its bank to pay: `pain.001.001.09`."""

from collections.abc import Iterator
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
    message = _text(root, "GrpHdr/MsgId")
    return [
        _payment(message, block, transaction)
        for block in _all(root, "PmtInf")
        for transaction in _all(block, "CdtTrfTxInf")
    ]


def _payment(message: str, block: Element, transaction: Element) -> Payment:
    return Payment(
        message=message,
        reference=_text(transaction, "PmtId/EndToEndId"),
        amount_fen=parse_yuan(_text(transaction, "Amt/InstdAmt")),
        debtor_account=_account(block, "DbtrAcct"),
        creditor_account=_account(transaction, "CdtrAcct"),
        remark=" ".join(found.text or "" for found in _all(transaction, "Ustrd")),
    )


def _account(parent: Element, tag: str) -> str:
    holder = next(iter(_all(parent, tag)), None)
    if holder is None:
        return ""
    return _text(holder, "Othr/Id") or _text(holder, "IBAN")


def _text(parent: Element, path: str) -> str:
    """The text at the first place whose last tags are those of the path, whatever namespace."""
    names = path.split("/")
    places = _all(parent, names[0])
    for step in names[1:]:
        places = [child for place in places for child in place if _local(child) == step]
    return next(((place.text or "").strip() for place in places), "")


def _all(parent: Element, tag: str) -> list[Element]:
    return [found for found in _descendants(parent) if _local(found) == tag]


def _descendants(parent: Element) -> Iterator[Element]:
    for child in parent:
        yield child
        yield from _descendants(child)


def _local(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]
