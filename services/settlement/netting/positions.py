"""One payment a region: net payers pay the province, and the province pays the others.

A payment is found by the reference of its position, never by a name or an amount. PURE.
"""

from uuid import UUID

from services.settlement.books import Books
from services.settlement.netting import postings
from services.settlement.netting.states import Owed
from services.settlement.netting.terms import Terms
from services.settlement.netting.windows import keep_window, window_of
from services.settlement.people import items
from services.settlement.people.states import part_subject
from services.settlement.states import Part
from shared.decision import Unexpected, replace
from shared.messages.settlement import Detail, ReceiptUnmatched, RecordDebit, RecordReceipt
from shared.messages.settlement_bank import ReportRemittance
from shared.messages.settlement_netting import InstructPosition, PositionPaid
from shared.months import month_text

RULE = "net-position"


def instruct_position(books: Books, m: InstructPosition, _: Terms) -> None:
    """The payment of a position is in a payment file: once per file."""
    owed = _owed(books, (m.reference,))
    if owed is None:
        raise Unexpected("unknown_position", "no final sheet has such a position")
    if m.run in owed.runs:
        return
    amount_fen = min(m.amount_fen, owed.amount_fen - owed.instructed_fen)
    instructed_fen = owed.instructed_fen + amount_fen
    _keep(books, replace(owed, instructed_fen=instructed_fen, runs=(*owed.runs, m.run)))
    rows = postings.position_instructed(month_text(owed.month), amount_fen)
    account = f"{owed.payer}:expense"
    books.post("net-instruct", owed.payer, rows, person=account, subject=m.run)


def pay(books: Books, m: RecordDebit, detail: Detail, number: int) -> int:
    """The bank has paid a position; how much of the detail that explains."""
    owed = _owed(books, detail.references)
    if owed is None or owed.payer != m.to:
        return 0
    paid_fen = min(detail.amount_fen, owed.instructed_fen - owed.debited_fen)
    if paid_fen <= 0:
        return 0
    line = f"{m.receipt}/{number}"
    debited_fen = owed.debited_fen + paid_fen
    _keep(books, replace(owed, debited_fen=debited_fen, debits=(*owed.debits, line)))
    rows = postings.position_debited(m.bank, paid_fen)
    books.post("net-debit", m.to, rows, person=m.account, subject=line)
    return paid_fen


def receive(books: Books, m: RecordReceipt, part: Part) -> bool:
    """Whether a payment in the bank's credit is that of a position; then it is booked."""
    owed = _owed(books, part.refs)
    if owed is None or owed.payee != m.to or part.payer_region not in {None, owed.payer}:
        return False
    amount_fen = min(part.rest_fen, owed.amount_fen - owed.received_fen)
    if amount_fen <= 0:
        return False
    verdict = "exact" if amount_fen == part.rest_fen else "over"
    if amount_fen < owed.amount_fen - owed.received_fen:
        verdict = "partial"
    books.keep_part(
        replace(
            part,
            applied_fen=part.applied_fen + amount_fen,
            verdict=verdict,
            rule=RULE,
            evidence={"references": [str(owed.reference)]},
        )
    )
    received = replace(owed, received_fen=owed.received_fen + amount_fen)
    _keep(books, received)
    rows = postings.position_received(month_text(owed.month), amount_fen)
    subject = f"{m.receipt}/{part.part}"
    books.post("net-receipt", m.to, rows, person=m.account, subject=subject)
    if received.paid:
        _tell_paid(books, received)
    if amount_fen < part.rest_fen:
        _ask(books, m, part, part.rest_fen - amount_fen)
    return True


def take_back(books: Books, m: RecordReceipt, part: Part) -> int:
    """The payment of a position came back to who paid it: it is owed, and instructed, again."""
    owed = _owed(books, part.refs)
    if owed is None or owed.payer != m.to:
        return 0
    back_fen = min(part.amount_fen, owed.debited_fen - owed.received_fen)
    if back_fen <= 0:
        return 0
    _keep(
        books,
        replace(
            owed,
            instructed_fen=owed.instructed_fen - back_fen,
            debited_fen=owed.debited_fen - back_fen,
        ),
    )
    rows = postings.position_returned(m.bank, month_text(owed.month), back_fen)
    subject = f"{m.receipt}/{part.part}"
    books.post("net-return", m.to, rows, person=m.account, subject=subject)
    return back_fen


def known(books: Books, reference: UUID) -> bool:
    """Whether it is the reference of a position."""
    return _owed(books, (reference,)) is not None


def report(books: Books, m: ReportRemittance) -> bool:
    """Whether the bank's report is about a position; what it rejected is owed again, once a run."""
    owed = _owed(books, (m.transfer,))
    if owed is None:
        return False
    rejected = f"{m.run}:rejected"
    back_fen = owed.instructed_fen - owed.debited_fen
    if m.status == "rejected" and rejected not in owed.runs and back_fen:
        runs = (*owed.runs, rejected)
        _keep(books, replace(owed, instructed_fen=owed.debited_fen, runs=runs))
        rows = postings.position_rejected(month_text(owed.month), back_fen)
        books.post("net-reject", m.to, rows, person=f"{m.to}:expense", subject=rejected)
    return True


def _ask(books: Books, m: RecordReceipt, part: Part, rest_fen: int) -> None:
    """What came beyond the position is looked at by a person."""
    about = part_subject(part.receipt, part.part)
    item = items.Subject("receipt", part.region, m.account, about)
    facts = {"receipt": str(part.receipt), "part": part.part, "verdict": "over", "rule": RULE}
    items.open_item(books, item, rest_fen, facts)
    books.say(
        ReceiptUnmatched(
            to=m.to,
            account=m.account,
            receipt=part.receipt,
            code="ambiguous",
            amount_fen=rest_fen,
        )
    )


def _owed(books: Books, references: tuple[UUID, ...]) -> Owed | None:
    if len(references) != 1:
        return None
    return books.get(("net-position", references[0]), Owed)


def _keep(books: Books, owed: Owed) -> None:
    books.put(("net-position", owed.reference), owed)


def _tell_paid(books: Books, owed: Owed) -> None:
    """With the last position the window is paid."""
    books.say(
        PositionPaid(
            to=owed.province,
            month=owed.month,
            region=owed.region,
            payer=owed.payer,
            payee=owed.payee,
            amount_fen=owed.amount_fen,
        )
    )
    references = books.get(("net-positions", owed.province, owed.month), tuple) or ()
    every = [books.get(("net-position", reference), Owed) for reference in references]
    if all(one is None or one.paid for one in every):
        window = window_of(books, owed.province, owed.month)
        keep_window(books, replace(window, state="paid"))
