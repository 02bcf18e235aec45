"""Bank lines as commands to the books: whose account, which transfers, which names. PURE."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from services.settlement.lines import (
    Line,
    Payment,
    Statement,
    entry_key,
    without_references,
)
from shared import names
from shared.ids import uuid5
from shared.messages import NAMESPACE, Message, next_uuid
from shared.messages.settlement import BankKind, Detail, RecordDebit, RecordReceipt
from shared.messages.settlement_bank import HoldLine
from shared.months import month_of, month_text
from shared.regions import Regions
from shared.sealing import Keyring, seal

# A message must stay under a megabyte on the bus, whatever a lump payment lists.
MOST_DETAILS = 2500
_MOST_NAME_KEYS = 10_000
_NAME_KEYS_PER_DETAIL = 64
_LONGEST_SEALED = 300_000
_SEALED_OF_A_LIST = ("payee_name", "remark")
_SEALED = ("end_to_end_id", "payer_name", "payer_account", "payee_account", *_SEALED_OF_A_LIST)

Leg = Literal["credits", "debits"]
Numbered = tuple[UUID, Message]


@dataclass(frozen=True, slots=True)
class OwnAccount:
    """A bank account of a region; `key` is how the books call it (`450100:income`), and one that
    came in the place of another (`450100:income:2`).
    """

    region: str
    bank: BankKind
    number: int = 0

    @property
    def key(self) -> str:
        """The key of its messages."""
        return f"{self.region}:{self.bank}{f':{self.number + 1}' if self.number else ''}"

    @classmethod
    def of(cls, regions: Regions, account: str) -> "OwnAccount | None":
        """The account of that number, if a region has or had it."""
        known = regions.by_account(account) if account else None
        if known is None:
            return None
        return cls(known[0].code, known[1], regions.account_number(account))


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of one of our accounts, with the key and the id it has for ever."""

    own: OwnAccount
    key: str
    receipt: UUID
    line: Line


def entries_of(own: OwnAccount, statement: Statement, lines: Iterable[Line]) -> list[Entry]:
    """The lines of a statement as entries of our account."""
    keyed = ((entry_key(statement, line), line) for line in lines)
    return [Entry(own, key, receipt_id(own, key), line) for key, line in keyed]


def receipt_id(own: OwnAccount, key: str) -> UUID:
    """The same whenever and in whatever file the entry is read."""
    return uuid5(NAMESPACE, f"receipt\x1f{own.key}\x1f{key}")


def other_leg(entry: Entry, regions: Regions) -> tuple[OwnAccount, Leg] | None:
    """The agency's own account on the other side, where money only moves inside the agency."""
    line = entry.line
    if line.reversal or any(payment.return_code for payment in line.payments):
        return None
    found = {_counter(payment, regions, credit=line.credit) for payment in line.payments}
    counter = found.pop() if len(found) == 1 else None
    if counter is None or counter.region != entry.own.region or counter == entry.own:
        return None
    return counter, "credits" if line.credit else "debits"


def _counter(payment: Payment, regions: Regions, *, credit: bool) -> OwnAccount | None:
    # CSV has one column for the account of the other side.
    accounts = [payment.payer_account] if credit else [payment.payee_account, payment.payer_account]
    for account in filter(None, accounts):
        known = OwnAccount.of(regions, account)
        if known is not None and (credit or account == accounts[0] or not accounts[0]):
            return known
    return None


def details_of(
    entry: Entry, regions: Regions, keyring: Keyring
) -> tuple[tuple[Detail, ...], tuple[str, ...]]:
    """What the entry consists of, as matching needs it, and codes of what could not be used."""
    line, payments = entry.line, entry.line.payments
    amounts = [line.amount_fen] if len(payments) == 1 else [p.amount_fen or 0 for p in payments]
    if len(payments) > MOST_DETAILS:
        return (Detail(amount_fen=line.amount_fen),), ("too_many_details",)
    if min(amounts) <= 0 or sum(amounts) != line.amount_fen:
        return (_whole(entry, regions),), ("details_mismatch",)
    limit = min(_NAME_KEYS_PER_DETAIL, _MOST_NAME_KEYS // len(payments))
    return tuple(
        Detail(
            amount_fen=amount_fen,
            references=payment.references,
            name_keys=_name_keys(payment, regions, keyring, limit) if line.credit else (),
            payer_region=_payer(entry, payment, regions),
            return_code=payment.return_code,
        )
        for amount_fen, payment in zip(amounts, payments, strict=True)
    ), ()


def _whole(entry: Entry, regions: Regions) -> Detail:
    """All references on the whole amount: nothing can be matched by itself, all can be seen."""
    payments = entry.line.payments
    payers = {_payer(entry, payment, regions) for payment in payments}
    return Detail(
        amount_fen=entry.line.amount_fen,
        references=tuple(dict.fromkeys(r for p in payments for r in p.references))[:MOST_DETAILS],
        payer_region=payers.pop() if len(payers) == 1 else None,
        return_code=next((p.return_code for p in payments if p.return_code), None),
    )


def _payer(entry: Entry, payment: Payment, regions: Regions) -> str | None:
    # A returned payment names ourselves as its payer; of a debit we are it. And whoever pays
    # premiums in Nanning is called Nanning too: no region pays itself.
    if not entry.line.credit or entry.line.reversal or payment.return_code:
        return None
    region = regions.payer(payment.payer_name, payment.payer_account or None)
    return None if region is None or region.code == entry.own.region else region.code


def _name_keys(payment: Payment, regions: Regions, keyring: Keyring, limit: int) -> tuple[str, ...]:
    payee = payment.payee_name
    if payee and regions.payer(payee, None) is not None:
        payee = ""  # the agency itself, not a person
    text = "\n".join(part for part in (payee, payment.remark) if part)
    return keyring.blind(names.candidates(without_references(text), limit)) if text else ()


def sealed(entry: Entry, key: bytes) -> str | None:
    """What the line says of people, payment by payment; of a long list only whom each is for.

    None where even that is too long for a message.
    """
    payments = entry.line.payments
    for fields in (_SEALED, _SEALED_OF_A_LIST):
        text = seal(
            key,
            {"payments": [{name: getattr(one, name) for name in fields} for one in payments]},
        )
        if len(text) <= _LONGEST_SEALED:
            return text
    return None


Booked = dict[str, tuple[OwnAccount, OwnAccount] | None]
"""By entry key: money inside the agency as (from, to), or None where its other leg was booked."""


def commands_of(
    fresh: Sequence[Entry],
    booked: Booked,
    regions: Regions,
    keyring: Keyring,
    keys: Mapping[str, bytes],
) -> tuple[list[Numbered], list[str]]:
    """The commands for entries never read before, and codes of what could not be used.

    `keys` are the statement keys by month (`2026-03`).
    """
    sent: list[Numbered] = []
    codes: dict[str, None] = {}
    for entry in fresh:
        inside = booked.get(entry.key)
        if entry.key in booked and inside is None:
            continue
        details, found = details_of(entry, regions, keyring)
        codes |= dict.fromkeys(found)
        line = sealed(entry, keys[month_text(month_of(entry.line.booked_on))])
        message: Message
        if inside is not None:
            message = _debit(entry, details, line, *inside)
        elif entry.line.credit:
            message = _receipt(entry, details, line)
        else:
            message = _debit(entry, details, line, entry.own, None)
        sent.append((next_uuid(entry.receipt, "record"), message))
    return sent, list(codes)


def held_back(numbered: Numbered, twins: Mapping[UUID, UUID]) -> Numbered:
    """The command, or, where its line has a twin, what asks two people about it."""
    _, line = numbered
    if not isinstance(line, RecordReceipt | RecordDebit) or line.receipt not in twins:
        return numbered
    hold = HoldLine(
        to=line.to,
        account=line.account,
        bank=line.bank,
        receipt=line.receipt,
        twin=twins[line.receipt],
        amount_fen=line.amount_fen,
        message=line.type,
        line=line.model_dump(mode="json"),
    )
    return next_uuid(line.receipt, "hold"), hold


def _receipt(entry: Entry, details: Sequence[Detail], sealed_line: str | None) -> RecordReceipt:
    return RecordReceipt(
        to=entry.own.region,
        account=entry.own.key,
        bank=entry.own.bank,
        receipt=entry.receipt,
        amount_fen=entry.line.amount_fen,
        booked_on=entry.line.booked_on,
        value_on=entry.line.value_on,
        details=tuple(details),
        reversal=entry.line.reversal,
        sealed=sealed_line,
    )


def _debit(
    entry: Entry,
    details: Sequence[Detail],
    sealed_line: str | None,
    own: OwnAccount,
    counter: OwnAccount | None,
) -> RecordDebit:
    # `own` is the line's account, or that of the other leg.
    return RecordDebit(
        to=own.region,
        account=own.key,
        bank=own.bank,
        receipt=entry.receipt,
        amount_fen=entry.line.amount_fen,
        booked_on=entry.line.booked_on,
        value_on=entry.line.value_on,
        details=tuple(details),
        counter=counter.bank if counter else None,
        fee=entry.line.fee,
        reversal=entry.line.reversal,
        sealed=sealed_line,
    )
