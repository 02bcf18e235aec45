"""The payments inside a camt entry: whom they are from and for, and the lists of lump payments."""

from collections.abc import Iterator
from dataclasses import replace
from uuid import UUID
from xml.etree.ElementTree import Element

from services.settlement.lines import (
    CURRENCY,
    RETURNED,
    Payment,
    StatementError,
    amount,
    listed,
    references,
)


def text_at(element: Element, path: str) -> str:
    """The trimmed text at a path, empty where there is none."""
    return (element.findtext(path) or "").strip()


def first_of(element: Element, *paths: str) -> str:
    """The first text that is not empty among the paths."""
    return next((text for path in paths if (text := text_at(element, path))), "")


def texts_at(element: Element, path: str) -> list[str]:
    """All texts at a path that are not empty."""
    return [text for found in element.findall(path) if (text := (found.text or "").strip())]


def account_at(element: Element, path: str) -> str:
    """The number of the account at a path."""
    return first_of(element, f"{path}/Id/Othr/Id", f"{path}/Id/IBAN").replace(" ", "")


def money_at(element: Element, path: str) -> int | None:
    """Fen at a path, None where there is none. Raises StatementError."""
    found = element.find(path)
    if found is None:
        return None
    if found.get("Ccy", CURRENCY) != CURRENCY:
        raise StatementError("currency")
    return amount(found.text or "")


def is_credit(element: Element) -> bool:
    """The direction. Raises StatementError."""
    direction = text_at(element, "CdtDbtInd")
    if direction not in ("CRDT", "DBIT"):
        raise StatementError("bad_direction")
    return direction == "CRDT"


def payments_of(entry: Element, *, credit: bool, amount_fen: int) -> tuple[Payment, ...]:
    """What an entry consists of, at least one payment; a list in it is taken apart."""
    details = entry.findall("NtryDtls/TxDtls")
    if len(details) <= 1:
        only = _payment(details[0] if details else entry, entry)
        return _split(details[0] if details else entry, only, amount_fen)
    found: list[Payment] = []
    for detail in details:
        part = _amount_of(detail, credit=credit)
        payment = _payment(detail, entry, part)
        found.extend([payment] if part is None else _split(detail, payment, part))
    return tuple(found)


def _amount_of(detail: Element, *, credit: bool) -> int | None:
    """What one payment adds to its entry; None where the bank does not say."""
    value = money_at(detail, "Amt")
    if value is None:
        value = money_at(detail, "AmtDtls/TxAmt/Amt")
    if value is None:
        return None
    own = detail.find("CdtDbtInd") is None or is_credit(detail) == credit
    return value if own else -value


def _payment(detail: Element, entry: Element, amount_fen: int | None = None) -> Payment:
    remark = "\n".join(_remarks(detail, entry))
    ids = [text for ref in detail.findall("Refs") for text in _leaves(ref)]
    returned = detail.find("RtrInf")
    return Payment(
        amount_fen=amount_fen,
        references=tuple(dict.fromkeys((*_each(ids), *references(*remark.split("\n"))))),
        end_to_end_id=text_at(detail, "Refs/EndToEndId"),
        payer_name=_party(detail, "Dbtr") or _party(detail, "UltmtDbtr"),
        payer_account=account_at(detail, "RltdPties/DbtrAcct"),
        payee_name=" ".join(
            text for role in ("Cdtr", "UltmtCdtr") if (text := _party(detail, role))
        ),
        payee_account=account_at(detail, "RltdPties/CdtrAcct"),
        remark=remark,
        return_code=None
        if returned is None
        else first_of(returned, "Rsn/Cd", "Rsn/Prtry") or RETURNED,
    )


def _each(texts: list[str]) -> Iterator[UUID]:
    for text in texts:
        yield from references(text)


def _party(detail: Element, role: str) -> str:
    return first_of(detail, f"RltdPties/{role}/Pty/Nm", f"RltdPties/{role}/Nm")


def _leaves(element: Element) -> Iterator[str]:
    for found in element.iter():
        if len(found) == 0 and found.text and found.text.strip():
            yield found.text.strip()


def _remarks(detail: Element, entry: Element) -> list[str]:
    remittance = texts_at(detail, "RmtInf/Ustrd")
    structured = [text for found in detail.findall("RmtInf/Strd") for text in _strd(found)]
    returned = texts_at(detail, "RtrInf/AddtlInf")
    own = texts_at(detail, "AddtlTxInf")
    whole = texts_at(entry, "AddtlNtryInf") if len(entry.findall("NtryDtls/TxDtls")) <= 1 else []
    return list(dict.fromkeys([*remittance, *structured, *returned, *own, *whole]))


def _strd(structured: Element) -> list[str]:
    return [
        *texts_at(structured, "CdtrRefInf/Ref"),
        *texts_at(structured, "RfrdDocInf/Nb"),
        *texts_at(structured, "AddtlRmtInf"),
    ]


def _split(detail: Element, payment: Payment, amount_fen: int) -> tuple[Payment, ...]:
    """A lump payment's structured list as the payments it lists, where it adds up."""
    parts: list[Payment] = []
    for structured in detail.findall("RmtInf/Strd"):
        part = money_at(structured, "RfrdDocAmt/RmtdAmt")
        if part:
            remark = "\n".join(_strd(structured))
            parts.append(
                replace(payment, amount_fen=part, references=references(remark), remark=remark)
            )
    if len(parts) > 1 and sum(part.amount_fen or 0 for part in parts) == amount_fen:
        return tuple(parts)
    return listed(payment, amount_fen)
