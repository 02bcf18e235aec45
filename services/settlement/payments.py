"""O's bank: opening balances, remittances told to the bank, debits, and what comes back."""

from collections.abc import Sequence
from uuid import UUID

from services.settlement import ledger
from services.settlement.books import Books
from services.settlement.netting import positions
from services.settlement.states import Instruction, Part, Receipt, Release
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
    books.say(
        RemittanceInstructed(
            to=m.destination,
            person=m.person,
            transfer=m.transfer,
            destination=m.destination,
            run=m.run,
            amount_fen=m.amount_fen,
        )
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


def _named(m: RecordDebit) -> list[tuple[int, Detail]]:
    return [(n, detail) for n, detail in enumerate(m.details) if detail.references]


def _without_reference(m: RecordDebit, rest_fen: int) -> tuple[str, ledger.Postings]:
    if m.counter is not None and m.counter != m.bank:
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


def _ours(books: Books, region: str, references: Sequence[UUID]) -> list[Release]:
    found = [books.released(reference) for reference in dict.fromkeys(references)]
    return [
        release
        for release in found
        if release and release.region == region and not release.paid_out and release.version
    ]


def _pay(books: Books, m: RecordDebit, detail: Detail, number: int) -> int:
    """Books what a detail paid, and gives back how much of it is explained."""
    netted_fen = positions.pay(books, m, detail, number)
    if netted_fen:
        return netted_fen
    releases = _ours(books, m.to, detail.references)
    if not releases or len(releases) < len(set(detail.references)):
        return 0
    if len(releases) == 1:
        _pay_one(books, m, releases[0], detail.amount_fen, number)
        return detail.amount_fen
    told = [(release, release.remitting_fen) for release in releases]
    if sum(fen for _, fen in told) != detail.amount_fen:
        return 0  # a lump that does not add up is looked at by a person
    for release, amount_fen in told:
        _pay_one(books, m, release, amount_fen, number)
    return detail.amount_fen


def _pay_one(books: Books, m: RecordDebit, release: Release, amount_fen: int, number: int) -> None:
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

    It is a credit that refers to a release of this region: on the expense account, or with a
    return code, or as the bank's reversal of a debit.
    """
    if not (m.bank == "expense" or m.reversal or detail.return_code):
        return 0
    if netted_fen := positions.take_back(books, m, part):
        return netted_fen
    releases = _ours(books, m.to, detail.references)
    if len(releases) != 1 or len(part.refs) != 1:
        return 0
    release = releases[0]
    told_fen = min(part.amount_fen, max(0, release.back_told_fen - release.back_seen_fen))
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
            back_seen_fen=release.back_seen_fen + back_fen,
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
        books.say(came_back(release, m.receipt, over_fen + owed_fen, detail.return_code))
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
