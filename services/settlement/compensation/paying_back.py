"""D's payments to an origin: what D owes back is told to the bank, debited and returned like any
remittance. It is kept with the claim, as O's remittances are with the release.
"""

from services.settlement import ledger
from services.settlement.books import Books
from services.settlement.states import Claim, Part
from shared.decision import replace
from shared.messages.settlement import (
    InstructRemittance,
    RecordDebit,
    RecordReceipt,
    RemittanceDebited,
    RemittanceReturned,
)


def instruct(books: Books, m: InstructRemittance, claim: Claim) -> int:
    """Books a line of a payment file to O, and gives back how much of it that was."""
    amount_fen = min(m.amount_fen, claim.back_payable_fen)
    books.keep_claim(
        replace(
            claim,
            back_payable_fen=claim.back_payable_fen - amount_fen,
            back_remitting_fen=claim.back_remitting_fen + amount_fen,
        )
    )
    books.post(
        "instruct",
        m.to,
        ledger.instructed(m.destination, amount_fen),
        person=m.person,
        subject=f"{m.transfer}/{m.run}",
        transfer=m.transfer,
    )
    return amount_fen


def pay(books: Books, m: RecordDebit, claim: Claim, amount_fen: int, number: int) -> int:
    """Books what the bank has paid to O, and gives back how much of it is explained."""
    told_fen = min(amount_fen, claim.back_remitting_fen)
    owed_fen = min(amount_fen - told_fen, claim.back_payable_fen)
    if not told_fen + owed_fen:
        return 0
    books.keep_claim(
        replace(
            claim,
            back_remitting_fen=claim.back_remitting_fen - told_fen,
            back_payable_fen=claim.back_payable_fen - owed_fen,
            back_debited_fen=claim.back_debited_fen + told_fen + owed_fen,
        )
    )
    books.post(
        "debit",
        m.to,
        ledger.debited(m.bank, claim.origin, told_fen, owed_fen, 0),
        person=claim.person,
        subject=f"{m.receipt}/{number}/{claim.transfer}",
        transfer=claim.transfer,
    )
    books.say(
        RemittanceDebited(
            to=claim.origin,
            person=claim.person,
            transfer=claim.transfer,
            destination=claim.origin,
            receipt=m.receipt,
            amount_fen=told_fen + owed_fen,
        )
    )
    return told_fen + owed_fen


def came_back(books: Books, m: RecordReceipt, part: Part, claim: Claim, code: str | None) -> int:
    """Books a payment to O that did not reach it, and gives back how much of it that was."""
    owed_fen = min(part.amount_fen, claim.back_debited_fen + claim.back_remitting_fen)
    if not owed_fen:
        return 0
    books.keep_claim(
        replace(
            claim,
            back_debited_fen=claim.back_debited_fen - owed_fen,
            back_payable_fen=claim.back_payable_fen + owed_fen,
        )
    )
    books.post(
        "return",
        claim.region,
        ledger.returned(m.bank, claim.origin, owed_fen, 0),
        person=claim.person,
        subject=f"{part.receipt}/{part.part}",
        transfer=claim.transfer,
    )
    books.say(
        RemittanceReturned(
            to=claim.origin,
            person=claim.person,
            transfer=claim.transfer,
            destination=claim.origin,
            receipt=part.receipt,
            amount_fen=owed_fen,
            code=code,
        )
    )
    return owed_fen
