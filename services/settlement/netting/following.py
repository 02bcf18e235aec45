"""What the books do to a release or a claim that is netted becomes lines, whatever the act was.

So no act has to know of netting: after each of them its changes are looked at. PURE.
"""

from datetime import date

from services.settlement.books import Books
from services.settlement.netting.terms import Terms
from services.settlement.states import Claim, Release
from shared.decision import replace
from shared.messages import Message
from shared.messages.settlement_netting import ProposeLine, SettleLine, ShrinkLine, Side


def follow(books: Books, message: Message, terms: Terms) -> None:
    """Proposes what a message has changed, and makes lines smaller by what was paid outside."""
    if isinstance(message, SettleLine):
        return
    for before, after in books.changed(Release, Claim):
        if isinstance(after, Release):
            _release(books, terms, before if isinstance(before, Release) else None, after)
        elif isinstance(after, Claim):
            day = message.__dict__.get("released_on", books.today)
            _claim(books, terms, before if isinstance(before, Claim) else None, after, day)


def _release(books: Books, terms: Terms, before: Release | None, after: Release) -> None:
    if after.version and not (before and before.version):
        # The first money decides how it is settled, though it was asked for on an earlier day.
        province = terms.province_of(after.region, after.destination, books.today)
        if (province, books.today) != (after.clearing, after.released_on):
            after = replace(after, clearing=province, released_on=books.today)
            books.keep_release(after)
    if after.clearing is not None:
        owed_fen = after.owed_fen - (before.owed_fen if before else 0)
        outside_fen = _paid(after) - (_paid(before) if before else 0)
        _say(books, after, "origin", (owed_fen, after.version, books.today), outside_fen)


def _paid(release: Release) -> int:
    """What left O's bank for it, or D has forgiven: moving it to `overpaid` pays nothing."""
    return release.sent_fen + release.overpaid_fen + release.waived_fen


def _claim(books: Books, terms: Terms, before: Claim | None, after: Claim, day: date) -> None:
    province = terms.province_of(after.origin, after.region, day) if before is None else None
    if province is not None:
        after = replace(after, clearing=province)
        books.keep_claim(after)
    if after.clearing is not None:
        announced_fen = after.announced_fen - (before.announced_fen if before else 0)
        outside_fen = _come(after) - (_come(before) if before else 0)
        version = max(after.versions, default=0)
        _say(books, after, "destination", (announced_fen, version, day), outside_fen)


def _come(claim: Claim) -> int:
    """What came to D's bank for it, less what D has paid back, or was forgiven: owing it back pays
    nothing.
    """
    owed_back_fen = claim.back_payable_fen + claim.back_remitting_fen
    return claim.matched_fen + owed_back_fen + claim.waived_fen


def _say(
    books: Books, of: Release | Claim, side: Side, line: tuple[int, int, date], outside_fen: int
) -> None:
    amount_fen, version, day = line
    corridor = {
        "to": of.clearing,
        "origin": of.region if isinstance(of, Release) else of.origin,
        "destination": of.destination if isinstance(of, Release) else of.region,
        "person": of.person,
        "transfer": of.transfer,
        "side": side,
    }
    if amount_fen:
        proposed = {"version": version, "amount_fen": amount_fen, "released_on": day}
        books.say(ProposeLine.model_validate(corridor | proposed))
    if outside_fen:
        books.say(ShrinkLine.model_validate(corridor | {"amount_fen": outside_fen}))
