"""What a person had no right to comes back (追回): from later credits by itself, else by demand.

A person owes in `recoverable` only; the spendable account never goes below zero.
"""

from services.settlement import ledger
from services.settlement.books import Books
from services.settlement.compensation import postings
from services.settlement.compensation.telling import claim_of, decline, done, tell
from services.settlement.states import Claim
from shared.decision import replace
from shared.messages.settlement_compensation import Recover, Recovered


def recover_from_credit(books: Books, person: str, region: str, credited_fen: int) -> int:
    """Takes what the person owes at `region` out of what was credited there just now, the oldest
    debt first, and gives back how much that was.
    """
    taken_fen = 0
    credited_fen = min(credited_fen, books.free_fen(person, region))
    for claim in books.claims(person, region):
        amount_fen = min(claim.recoverable_fen, credited_fen - taken_fen)
        if amount_fen > 0:
            _take(books, claim, amount_fen, ledger.PERSONAL, by_demand=False)
            taken_fen += amount_fen
    return taken_fen


def recover(books: Books, m: Recover) -> None:
    """By demand: from the account as far as it goes, or from what the person has paid in."""
    claim = claim_of(books, m)
    wanted_fen = claim.recoverable_fen if m.amount_fen is None else m.amount_fen
    amount_fen = min(wanted_fen, claim.recoverable_fen)
    if m.receipt is None:
        amount_fen = min(amount_fen, books.free_fen(m.person, m.to))
    else:
        part = books.part(m.receipt, m.part)
        rest_fen = part.rest_fen if part and part.region == m.to else 0
        amount_fen = min(amount_fen, rest_fen)
        if part and amount_fen > 0:
            applied_fen = part.applied_fen + amount_fen
            paid = tuple(dict.fromkeys((*part.transfers, claim.transfer)))
            books.keep_part(replace(part, applied_fen=applied_fen, transfers=paid, rule="recovery"))
    if amount_fen <= 0:
        decline(books, m, "nothing_to_recover")
        return
    source = ledger.PERSONAL if m.receipt is None else ledger.SUSPENSE
    _take(books, claim, amount_fen, source, by_demand=True)
    done(books, m)


def _take(books: Books, claim: Claim, amount_fen: int, source: str, *, by_demand: bool) -> None:
    books.post(
        "recover",
        claim.region,
        postings.recovered(source, amount_fen),
        person=claim.person,
        subject=f"{claim.transfer}/{claim.recovered_fen}",
        transfer=claim.transfer,
    )
    paid = replace(claim, recovered_fen=claim.recovered_fen + amount_fen)
    books.keep_claim(paid)
    tell(books, Recovered, paid, amount_fen, by_demand=by_demand)
