"""O's bank: opening balances, remittances told to the bank, debits, and what comes back."""

from collections.abc import Sequence
from uuid import UUID

from services.settlement import ledger
from services.settlement.books import Books
from services.settlement.compensation import paying_back
from services.settlement.netting import positions
from services.settlement.states import Claim, Instruction, Part, Receipt, Release
from shared.decision import Unexpected, replace
from shared.messages.settlement import (
    Detail,
    InstructRemittance,
    OpenBank,
    RecordDebit,
    RecordReceipt,
    RemittanceDebited,
    RemittanceInstructed,
    RemittanceReturned,
)
from shared.messages.settlement_compensation import TakeBackReceipt

Payee = Release | Claim
"""What a region pays for: what it has released, or what of a claim it owes back."""


def open_bank(books: Books, m: OpenBank) -> None:
    """What was at the bank before its first statement here."""
    books.post(
        "open-bank", m.to, ledger.bank_opened(m.bank, m.balance_fen), person=m.account, subject=""
    )


def instruct_remittance(books: Books, m: InstructRemittance) -> None:
    """The transfer is in a payment file: once per file. What was paid before is settled."""
    if books.instruction(m.person, m.transfer, m.run):
        return
    release = books.release(m.person, m.transfer)
    claim = books.claim(m.person, m.transfer)
    if claim is not None and (claim.region, claim.origin) == (m.to, m.destination):
        books.keep_instruction(Instruction(m.person, m.transfer, m.run, m.amount_fen))
        paying_back.instruct(books, m, claim)
        books.say(_instructed(m))
        return
    if release is None or release.destination != m.destination:
        raise Unexpected("unknown_transfer", "nothing was released for this transfer")
    amount_fen = min(m.amount_fen, release.payable_fen)
    settled_fen = min(amount_fen, release.overpaid_fen)
    books.keep_instruction(Instruction(m.person, m.transfer, m.run, m.amount_fen))
    books.keep_release(
        replace(
            release,
            payable_fen=release.payable_fen - amount_fen,
            remitting_fen=release.remitting_fen + amount_fen - settled_fen,
            debited_fen=release.debited_fen + settled_fen,
            overpaid_fen=release.overpaid_fen - settled_fen,
        )
    )
    books.post(
        "instruct",
        m.to,
        ledger.instructed(m.destination, amount_fen, settled_fen),
        person=m.person,
        subject=f"{m.transfer}/{m.run}",
        transfer=m.transfer,
    )
    books.say(_instructed(m))


def _instructed(m: InstructRemittance) -> RemittanceInstructed:
    return RemittanceInstructed(
        to=m.destination,
        person=m.person,
        transfer=m.transfer,
        destination=m.destination,
        run=m.run,
        amount_fen=m.amount_fen,
    )


def record_debit(books: Books, m: RecordDebit) -> None:
    """Books a debit: remittances it names, else a sweep, a fee, or what nobody instructed."""
    if m.amount_fen <= 0:
        raise Unexpected("bad_amount", "a debit is above zero")
    known = books.receipt(m.receipt)
    if known is not None:
        if (known.account, known.amount_fen) != (m.account, m.amount_fen):
            raise Unexpected("conflict", "the debit was booked with another content")
        return
    paid_fen = 0 if m.reversal or m.counter else sum(_pay(books, m, d, n) for n, d in _named(m))
    rest_fen = m.amount_fen - paid_fen
    booked, postings = _without_reference(m, rest_fen)
    books.keep_receipt(_debit(books, m, booked if rest_fen else "remitted"))
    books.post(booked, m.to, postings, person=m.account, subject=m.receipt)
    if not paid_fen and m.counter is None and m.bank != "expense":
        _ask_for_receipts(books, m)


def _ask_for_receipts(books: Books, m: RecordDebit) -> None:
    """The bank takes credits back that were applied: each person's claim is told to reopen."""
    for number, detail in _named(m):
        claim = books.claimed(detail.references[0])
        if not (m.reversal or detail.return_code) or claim is None or claim.region != m.to:
            continue
        books.say(
            TakeBackReceipt(
                to=m.to,
                person=claim.person,
                transfer=claim.transfer,
                origin=claim.origin,
                debit=m.receipt,
                part=number,
                amount_fen=detail.amount_fen,
            )
        )


def _named(m: RecordDebit) -> list[tuple[int, Detail]]:
    return [(n, detail) for n, detail in enumerate(m.details) if detail.references]


def _without_reference(m: RecordDebit, rest_fen: int) -> tuple[str, ledger.Postings]:
    if m.counter == m.bank:
        return "sweep", ()  # to the account that came in the place of this one
    if m.counter is not None:
        return "sweep", ledger.swept(m.counter, m.bank, rest_fen)
    if m.fee and not m.reversal:
        return "fee", ledger.charged(m.bank, rest_fen)
    return "unexplained", ledger.unexplained(m.bank, rest_fen)


def _debit(books: Books, m: RecordDebit, booked: str) -> Receipt:
    return Receipt(
        receipt=m.receipt,
        account=m.account,
        region=m.to,
        bank=m.bank,
        direction="debit",
        amount_fen=m.amount_fen,
        booked_on=m.booked_on,
        value_on=m.value_on,
        reversal=m.reversal,
        booked=booked,
        sealed=m.sealed,
        recorded_at=books.at,
    )


def _ours(books: Books, region: str, references: Sequence[UUID]) -> list[Payee]:
    """What this region pays or has paid under these references: releases, or what it owes back."""
    found: list[Payee] = []
    for reference in dict.fromkeys(references):
        release, claim = books.released(reference), books.claimed(reference)
        if release and release.region == region and not release.paid_out and release.version:
            found.append(release)
        elif claim and claim.region == region and claim.owes_back:
            found.append(claim)
    return found


def _pay(books: Books, m: RecordDebit, detail: Detail, number: int) -> int:
    """Books what a detail paid, and gives back how much of it is explained."""
    if detail.return_code and m.bank != "expense":
        return 0  # the bank takes a credit back: we have paid nothing
    netted_fen = positions.pay(books, m, detail, number)
    if netted_fen:
        return netted_fen
    payees = _ours(books, m.to, detail.references)
    if not payees or len(payees) < len(set(detail.references)):
        return 0
    if len(payees) == 1:
        return _pay_one(books, m, payees[0], detail.amount_fen, number)
    told = [
        (payee, payee.back_remitting_fen if isinstance(payee, Claim) else payee.remitting_fen)
        for payee in payees
    ]
    if sum(fen for _, fen in told) != detail.amount_fen:
        return 0  # a lump that does not add up is looked at by a person
    return sum(_pay_one(books, m, payee, amount_fen, number) for payee, amount_fen in told)


def _pay_one(books: Books, m: RecordDebit, payee: Payee, amount_fen: int, number: int) -> int:
    if isinstance(payee, Claim):
        return paying_back.pay(books, m, payee, amount_fen, number)
    _remit(books, m, payee, amount_fen, number)
    return amount_fen


def _remit(books: Books, m: RecordDebit, release: Release, amount_fen: int, number: int) -> None:
    told_fen = min(amount_fen, release.remitting_fen)
    # Paid without one of our payment files: were it still payable, it would be paid twice.
    owed_fen = min(amount_fen - told_fen, release.payable_fen)
    over_fen = amount_fen - told_fen - owed_fen
    books.keep_release(
        replace(
            release,
            remitting_fen=release.remitting_fen - told_fen,
            payable_fen=release.payable_fen - owed_fen,
            debited_fen=release.debited_fen + told_fen + owed_fen,
            overpaid_fen=release.overpaid_fen + over_fen,
        )
    )
    books.post(
        "debit",
        m.to,
        ledger.debited(m.bank, release.destination, told_fen, owed_fen, over_fen),
        person=release.person,
        subject=f"{m.receipt}/{number}/{release.transfer}",
        transfer=release.transfer,
    )
    books.say(
        RemittanceDebited(
            to=release.destination,
            person=release.person,
            transfer=release.transfer,
            destination=release.destination,
            receipt=m.receipt,
            amount_fen=amount_fen,
        )
    )


def take_back(books: Books, m: RecordReceipt, part: Part, detail: Detail) -> int:
    """Books a remittance of ours that came back, and gives back how much of the part it was.

    It is a credit that refers to a payment of this region: on the expense account, or with a
    return code, or as the bank's reversal of a debit, or paid back by the destination itself.
    """
    bounced = m.bank == "expense" or m.reversal or detail.return_code is not None
    if bounced and (netted_fen := positions.take_back(books, m, part)):
        return netted_fen
    payees = _ours(books, m.to, detail.references)
    if len(payees) != 1 or len(part.refs) != 1:
        return 0
    payee = payees[0]
    if isinstance(payee, Claim):
        code = detail.return_code
        return paying_back.came_back(books, m, part, payee, code) if bounced else 0
    if not bounced and part.payer_region not in {None, payee.destination}:
        return 0
    announced_fen = max(0, payee.back_told_fen - payee.back_seen_fen) if bounced else 0
    told_fen = min(part.amount_fen, announced_fen)
    return _owed_again(books, m, part, payee, told_fen, seen=bounced)


def _owed_again(
    books: Books, m: RecordReceipt, part: Part, release: Release, told_fen: int, *, seen: bool
) -> int:
    """What was announced already, what was paid too much, and what is owed again."""
    code = next((d.return_code for d in m.details if release.transfer in d.references), None)
    over_fen = min(part.amount_fen - told_fen, release.overpaid_fen)
    owed_fen = min(part.amount_fen - told_fen - over_fen, release.sent_fen)
    back_fen = told_fen + over_fen + owed_fen
    if not back_fen:
        return 0
    books.keep_release(
        replace(
            release,
            overpaid_fen=release.overpaid_fen - over_fen,
            returned_fen=release.returned_fen + owed_fen,
            payable_fen=release.payable_fen + owed_fen,
            back_seen_fen=release.back_seen_fen + (back_fen if seen else 0),
        )
    )
    books.post(
        "return",
        m.to,
        ledger.returned(m.bank, release.destination, owed_fen, over_fen, told_fen),
        person=release.person,
        subject=f"{m.receipt}/{part.part}",
        transfer=release.transfer,
    )
    if over_fen + owed_fen:
        books.say(came_back(release, m.receipt, over_fen + owed_fen, code))
    return back_fen


def came_back(
    release: Release, receipt: UUID, amount_fen: int, code: str | None
) -> RemittanceReturned:
    """Says so. `receipt` is the bank line that shows it, or the announcement of it."""
    return RemittanceReturned(
        to=release.destination,
        person=release.person,
        transfer=release.transfer,
        destination=release.destination,
        receipt=receipt,
        amount_fen=amount_fen,
        code=code,
    )
