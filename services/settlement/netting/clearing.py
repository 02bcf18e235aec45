"""What a final sheet does to the books of both regions, line by line. PURE."""

from services.settlement import funding
from services.settlement.books import Books
from services.settlement.compensation.recovering import recover_from_credit
from services.settlement.exposure import opened
from services.settlement.ledger import Postings
from services.settlement.netting import postings
from services.settlement.netting.states import Line, receipt_of
from services.settlement.netting.terms import Terms
from services.settlement.onward import send_on_claim
from services.settlement.states import Claim
from shared.decision import Unexpected, replace
from shared.messages.settlement_netting import SettleLine
from shared.months import month_text


def settle_line(books: Books, m: SettleLine, _: Terms) -> None:
    """Books a line of a final sheet, once: what O owes D is owed through the province."""
    key = ("net-line", m.person, m.transfer, m.version)
    line = books.get(key, Line)
    claim = books.claim(m.person, m.transfer)
    if line is None or line.entered != m.month or claim is None:
        raise Unexpected("unknown_line", "the line is in no sheet of that month")
    if line.settled:
        return
    books.put(key, replace(line, settled=True))
    if line.agreed_fen > 0:
        _pay(books, line)
        _fund(books, line, claim)
    else:
        _give_back(books, line, claim)


def _pay(books: Books, line: Line) -> None:
    release = books.release(line.person, line.transfer)
    assert release is not None, "a line that both have was released"
    owed_fen = min(line.agreed_fen, release.payable_fen)
    over_fen = line.agreed_fen - owed_fen
    books.keep_release(
        replace(
            release,
            payable_fen=release.payable_fen - owed_fen,
            debited_fen=release.debited_fen + owed_fen,
            overpaid_fen=release.overpaid_fen + over_fen,
        )
    )
    _post(
        books,
        line,
        line.origin,
        postings.netted_out(line.destination, _month(line), owed_fen, over_fen),
    )


def _fund(books: Books, line: Line, claim: Claim) -> None:
    legs = funding.legs_of(claim, line.agreed_fen)
    to_advance_fen, to_awaited_fen, *_ = legs
    back_fen = line.agreed_fen - sum(legs)
    funded = funding.paid_in(books, claim, legs)
    funded = replace(funded, back_payable_fen=claim.back_payable_fen + back_fen)
    books.keep_claim(funded)
    rows = postings.netted_in(claim.origin, _month(line), legs, back_fen)
    _post(books, line, line.destination, rows)
    receipt = receipt_of(line.entered or 0, line.transfer, line.version)
    funding.tell(books, funded, receipt, sum(legs), to_awaited_fen, 0)
    funding.ask(books, funded)
    if to_awaited_fen:
        owed_fen = recover_from_credit(books, line.person, line.destination, to_awaited_fen)
        send_on_claim(books, funded, to_awaited_fen - owed_fen, 0)
    if to_advance_fen:
        funding.free(books, claim, funded)


def _give_back(books: Books, line: Line, claim: Claim) -> None:
    """D gives back what O has paid too much; where both have made that good by a later version
    already, O owes it again and D claims it.
    """
    amount_fen = -line.agreed_fen
    release = books.release(line.person, line.transfer)
    assert release is not None, "a line that both have was released"
    over_fen = min(amount_fen, release.overpaid_fen)
    owed_fen = amount_fen - over_fen
    books.keep_release(
        replace(
            release,
            overpaid_fen=release.overpaid_fen - over_fen,
            payable_fen=release.payable_fen + owed_fen,
            debited_fen=release.debited_fen - owed_fen,
        )
    )
    rows = postings.netted_home(line.destination, _month(line), over_fen, owed_fen)
    _post(books, line, line.origin, rows)
    back_fen = min(amount_fen, claim.back_payable_fen)
    open_fen = amount_fen - back_fen
    given = replace(
        claim,
        back_payable_fen=claim.back_payable_fen - back_fen,
        back_debited_fen=claim.back_debited_fen + back_fen,
        matched_fen=claim.matched_fen - open_fen,
        open_fen=claim.open_fen + open_fen,
    )
    books.keep_claim(given)
    corridor = books.corridor(claim.origin, claim.region)
    books.keep_corridor(opened(corridor, claim.open_fen, given.open_fen))
    rows = postings.netted_back(line.origin, _month(line), back_fen, open_fen)
    _post(books, line, line.destination, rows)


def _month(line: Line) -> str:
    return month_text(line.entered or 0)


def _post(books: Books, line: Line, region: str, rows: Postings) -> None:
    books.post(
        "net",
        region,
        rows,
        person=line.person,
        subject=line.transfer,
        version=line.version,
        transfer=line.transfer,
    )
