"""What a bank's messages lead to in the books. PURE.

A rejected payment was never made: it is owed again, and the next run instructs it. A return that
is announced is owed again at once, against `returning`, until the statement shows the money: of
what was announced and what was seen the larger counts, so that nothing counts twice.
"""

from services.settlement import ledger
from services.settlement.bank.states import Announcement, Note
from services.settlement.books import Books
from services.settlement.netting import positions
from services.settlement.payments import came_back
from services.settlement.people import items
from services.settlement.people.states import item_id
from services.settlement.states import Instruction, Release
from shared.decision import Unexpected, replace
from shared.messages.settlement import RecordDebit, RecordReceipt
from shared.messages.settlement_bank import (
    AdjustOpening,
    AnnounceReturn,
    AnswerBankMessage,
    BankMessageAnswered,
    BankMessageNoted,
    BookLine,
    HoldLine,
    NoteBankMessage,
    RemittanceAccepted,
    RemittanceRejected,
    ReportRemittance,
)


def adjust_opening(books: Books, m: AdjustOpening) -> None:
    """What was at the bank before its first statement was less: or more, where money had gone."""
    books.post(
        "open-bank",
        m.to,
        ledger.bank_opened(m.bank, m.delta_fen),
        person=m.account,
        subject=m.cause,
    )


def report_remittance(books: Books, m: ReportRemittance) -> None:
    """Once rejected a payment stays so: what is instructed again is another payment."""
    if positions.report(books, m):
        return
    instruction = books.instruction(m.person, m.transfer, m.run)
    release = books.release(m.person, m.transfer)
    if instruction is None or release is None:
        raise Unexpected("unknown_payment", "no run has this payment")
    if instruction.status == "rejected" or (instruction.status, instruction.code) == (
        m.status,
        m.code,
    ):
        return
    books.keep_instruction(replace(instruction, status=m.status, code=m.code))
    if m.status == "rejected":
        _reject(books, m, instruction, release)
    elif m.status == "accepted":
        books.say(
            RemittanceAccepted(
                to=release.destination,
                person=m.person,
                transfer=m.transfer,
                destination=release.destination,
                run=m.run,
            )
        )


def _reject(books: Books, m: ReportRemittance, instruction: Instruction, release: Release) -> None:
    # Of what was debited or came back nothing is owed again: then the statement is right.
    amount_fen = max(0, min(instruction.amount_fen, release.remitting_fen, release.sent_fen))
    books.keep_release(
        replace(
            release,
            remitting_fen=release.remitting_fen - amount_fen,
            payable_fen=release.payable_fen + amount_fen,
        )
    )
    books.post(
        "reject",
        m.to,
        ledger.rejected(release.destination, amount_fen),
        person=m.person,
        subject=f"{m.transfer}/{m.run}",
        transfer=m.transfer,
    )
    books.say(
        RemittanceRejected(
            to=release.destination,
            person=m.person,
            transfer=m.transfer,
            destination=release.destination,
            run=m.run,
            amount_fen=amount_fen,
            code=m.code,
        )
    )


def announce_return(books: Books, m: AnnounceReturn) -> None:
    """The payment is owed again, unless the statement has shown already that it came back."""
    if books.get(("announcement", m.person, m.announcement), Announcement):
        return
    if positions.known(books, m.transfer):
        return  # the statement shows it, and then it is owed again
    release = books.release(m.person, m.transfer)
    if release is None:
        raise Unexpected("unknown_transfer", "nothing was released for this transfer")
    seen_fen = min(m.amount_fen, max(0, release.back_seen_fen - release.back_told_fen))
    news_fen = m.amount_fen - seen_fen
    over_fen = min(news_fen, release.overpaid_fen)
    owed_fen = min(news_fen - over_fen, release.sent_fen)
    books.put(
        ("announcement", m.person, m.announcement),
        Announcement(
            m.person, m.announcement, m.transfer, m.amount_fen, over_fen + owed_fen, m.code
        ),
    )
    books.keep_release(
        replace(
            release,
            overpaid_fen=release.overpaid_fen - over_fen,
            returned_fen=release.returned_fen + owed_fen,
            payable_fen=release.payable_fen + owed_fen,
            back_told_fen=release.back_told_fen + seen_fen + over_fen + owed_fen,
        )
    )
    books.post(
        "return-announced",
        m.to,
        ledger.return_announced(release.destination, owed_fen, over_fen),
        person=m.person,
        subject=m.announcement,
        transfer=m.transfer,
    )
    if over_fen + owed_fen:
        books.say(came_back(release, m.announcement, over_fen + owed_fen, m.code))


def note_bank_message(books: Books, m: NoteBankMessage) -> None:
    """Waits for a person, once."""
    if books.get(("note", m.note), Note):
        return
    note = Note(
        note=m.note,
        account=m.account,
        region=m.to,
        kind=m.kind,
        code=m.code,
        amount_fen=m.amount_fen,
        transfers=m.transfers,
        run=m.run,
        reference=m.reference,
        recorded_at=books.at,
    )
    books.put(("note", m.note), note)
    facts = {
        "note": str(m.note),
        "kind": m.kind,
        "code": m.code,
        "account": m.account,
        "transfers": [str(transfer) for transfer in m.transfers],
    }
    items.open_item(books, _item_of(note), m.amount_fen, facts)
    books.say(
        BankMessageNoted(
            to=m.to,
            account=m.account,
            note=m.note,
            kind=m.kind,
            code=m.code,
            amount_fen=m.amount_fen,
        )
    )


def _item_of(note: Note) -> items.Subject:
    return items.Subject("bank-message", note.region, note.account, str(note.note))


def hold_line(books: Books, m: HoldLine) -> None:
    """Two people say whether it is the line that another file has told already: booked it is only
    when they say that it is another.
    """
    held = items.Subject("twin", m.to, m.account, str(m.receipt))
    if items.item_of(books, held.item) is not None:
        return
    facts = {
        "receipt": str(m.receipt),
        "twin": str(m.twin),
        "account": m.account,
        "bank": m.bank,
        "direction": m.line.get("direction"),
        "message": m.message,
        "line": m.line,
    }
    items.open_item(books, held, m.amount_fen, facts)


def book_line(books: Books, m: BookLine) -> None:
    """It is booked as its file would have booked it, or, where it is the same, not at all."""
    items.need_two(m)
    item = items.item_of(books, item_id("twin", m.to, str(m.receipt)))
    if item is None or item.facts is None:
        raise Unexpected("unknown_line", "no such line is held")
    if item.state == "done":
        return
    if m.another:
        kind = RecordReceipt if item.facts["message"] == RecordReceipt.type else RecordDebit
        books.say(kind.model_validate(item.facts["line"]))
    items.settle(books, item.item, "booked" if m.another else "same")


def answer_bank_message(books: Books, m: AnswerBankMessage) -> None:
    """Is answered once; another answer to the same is refused."""
    note = books.get(("note", m.note), Note)
    if note is None:
        raise Unexpected("unknown_note", "the bank has asked nothing like this")
    if note.state == "answered":
        if note.agreed != m.agreed:
            raise Unexpected("answered", "it was answered otherwise")
        return
    books.put(
        ("note", m.note),
        replace(
            note,
            state="answered",
            agreed=m.agreed,
            answered_by=m.answered_by,
            why=m.why,
            answered_at=books.at,
        ),
    )
    items.settle(books, _item_of(note).item, "answered")
    books.say(
        BankMessageAnswered(
            to=m.to,
            account=note.account,
            note=m.note,
            kind=note.kind,
            agreed=m.agreed,
            answered_by=m.answered_by,
        )
    )
