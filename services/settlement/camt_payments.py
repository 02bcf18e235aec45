"""The payments inside a camt entry: whom they are from and for, and the lists of lump payments."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from services.settlement.bank.xml import Part
from services.settlement.lines import (
    CURRENCY,
    RETURNED,
    Payment,
    StatementError,
    amount,
    listed,
    references,
)

_OURS = [CURRENCY]
_DETAILS, _LIST = "NtryDtls/TxDtls", "RmtInf/Strd"
MANY = frozenset({_DETAILS, _LIST})
"""What an entry has any number of."""


def text_at(part: Part, path: str) -> str:
    """The trimmed text at a path, empty where there is none."""
    found = part.texts.get(path)
    return found[0].strip() if found else ""


def first_of(part: Part, *paths: str) -> str:
    """The first text that is not empty among the paths."""
    return next((text for path in paths if (text := text_at(part, path))), "")


def texts_at(part: Part, path: str) -> list[str]:
    """All texts at a path that are not empty."""
    return [text for found in part.texts.get(path, ()) if (text := found.strip())]


def account_at(part: Part, path: str) -> str:
    """The number of the account at a path."""
    return first_of(part, f"{path}/Id/Othr/Id", f"{path}/Id/IBAN").replace(" ", "")


def money_at(part: Part, path: str) -> int | None:
    """Fen at a path, None where there is none. Raises StatementError."""
    found = part.texts.get(path)
    if found is None:
        return None
    if part.texts.get(f"{path}@Ccy", _OURS)[0] != CURRENCY:
        raise StatementError("currency")
    return amount(found[0])


def is_credit(part: Part) -> bool:
    """The direction. Raises StatementError."""
    direction = text_at(part, "CdtDbtInd")
    if direction not in ("CRDT", "DBIT"):
        raise StatementError("bad_direction")
    return direction == "CRDT"


def payments_of(entry: Part, *, credit: bool, amount_fen: int) -> tuple[Payment, ...]:
    """What an entry consists of, at least one payment; a list in it is taken apart."""
    details = entry.parts.get(_DETAILS, ())
    if len(details) <= 1:
        only = details[0] if details else entry
        return _split(only, _payment(only, texts_at(entry, "AddtlNtryInf")), amount_fen)
    found: list[Payment] = []
    for detail in details:
        part = _amount_of(detail, credit=credit)
        payment = _payment(detail, (), part)
        found.extend([payment] if part is None else _split(detail, payment, part))
    return tuple(found)


def _amount_of(detail: Part, *, credit: bool) -> int | None:
    """What one payment adds to its entry; None where the bank does not say."""
    value = money_at(detail, "Amt")
    if value is None:
        value = money_at(detail, "AmtDtls/TxAmt/Amt")
    if value is None:
        return None
    own = "CdtDbtInd" not in detail.texts or is_credit(detail) == credit
    return value if own else -value


def _payment(detail: Part, whole: Iterable[str], amount_fen: int | None = None) -> Payment:
    """`whole`: what is said of the entry as a whole, where this is all of it."""
    lines = list(dict.fromkeys([*_remarks(detail), *whole]))
    remark = "\n".join(lines)
    told = dict.fromkeys(found for text in _identified(detail) for found in references(text))
    return_code = None
    if "RtrInf" in detail.texts:
        return_code = first_of(detail, "RtrInf/Rsn/Cd", "RtrInf/Rsn/Prtry") or RETURNED
    return Payment(
        amount_fen=amount_fen,
        references=tuple(told | dict.fromkeys(references(*remark.split("\n")))),
        end_to_end_id=text_at(detail, "Refs/EndToEndId"),
        payer_name=_party(detail, "Dbtr") or _party(detail, "UltmtDbtr"),
        payer_account=account_at(detail, "RltdPties/DbtrAcct"),
        payee_name=" ".join(
            text for role in ("Cdtr", "UltmtCdtr") if (text := _party(detail, role))
        ),
        payee_account=account_at(detail, "RltdPties/CdtrAcct"),
        remark=remark,
        return_code=return_code,
    )


def _party(detail: Part, role: str) -> str:
    return first_of(detail, f"RltdPties/{role}/Pty/Nm", f"RltdPties/{role}/Nm")


def _identified(detail: Part) -> Iterator[str]:
    """Whatever stands as a reference, by whichever name."""
    for path, texts in detail.texts.items():
        if path == "Refs" or path.startswith("Refs/"):
            yield from texts


def _remarks(detail: Part) -> Iterator[str]:
    yield from texts_at(detail, "RmtInf/Ustrd")
    for row in detail.parts.get(_LIST, ()):
        yield from _strd(row)
    yield from texts_at(detail, "RtrInf/AddtlInf")
    yield from texts_at(detail, "AddtlTxInf")


def _strd(row: Part) -> list[str]:
    return [
        *texts_at(row, "CdtrRefInf/Ref"),
        *texts_at(row, "RfrdDocInf/Nb"),
        *texts_at(row, "AddtlRmtInf"),
    ]


def _split(detail: Part, payment: Payment, amount_fen: int) -> tuple[Payment, ...]:
    """A lump payment's structured list as the payments it lists, where it adds up."""
    parts: list[Payment] = []
    for row in detail.parts.get(_LIST, ()):
        part = money_at(row, "RfrdDocAmt/RmtdAmt")
        if part:
            remark = "\n".join(_strd(row))
            parts.append(
                replace(payment, amount_fen=part, references=references(remark), remark=remark)
            )
    if len(parts) > 1 and sum(part.amount_fen or 0 for part in parts) == amount_fen:
        return tuple(parts)
    return listed(payment, amount_fen)
