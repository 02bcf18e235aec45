"""What a feed corrects after its record was released waits here for two people of its region.

Enrollment keeps the records, so it asks for the item, and says what has become of it.
"""

from services.settlement.books import Books
from services.settlement.people import items
from services.settlement.people.states import BOOKS
from shared.decision import replace
from shared.messages.enrollment import AmendRecord, DropAmendment
from shared.messages.settlement_people import AskCorrection, CloseCorrection


def _item(m: AskCorrection | CloseCorrection) -> items.Subject:
    return items.Subject("correction", m.to, m.person, str(m.refers_to))


def changes_fen(
    books: Books, m: AmendRecord | AskCorrection | DropAmendment, balance_fen: int | None
) -> int | None:
    """By how much the account changes, up or down, if the balance is corrected to this, or by how
    much it would have; None if it is not, or the books do not know the one that it was.
    """
    was = books.movement(m.person, m.refers_to)
    if balance_fen is None or was is None or (was.what, was.region) != ("open", m.to):
        return None
    return abs(balance_fen - was.amount_fen)


def ask_correction(books: Books, m: AskCorrection) -> None:
    """Opens the item; what the feed said last about a record is what is to be decided."""
    at = _item(m)
    facts = m.model_dump(mode="json", exclude_defaults=True, exclude={"to"})
    amount_fen = changes_fen(books, m, m.balance_fen)
    found = items.item_of(books, at.item)
    if found is not None and found.state == "proposed":
        amount_fen = found.amount_fen  # what is proposed keeps its own: that is what is approved
    items.open_item(books, at, amount_fen, facts)
    found = items.item_of(books, at.item)
    if found is not None and found.facts != facts:
        items.keep(books, replace(found, facts=facts), "changed", BOOKS)


def close_correction(books: Books, m: CloseCorrection) -> None:
    """It is done, unless enrollment or these books had to refuse it: then somebody looks again."""
    item = _item(m).item
    moved = books.movement(m.person, m.record)
    code = m.code or (moved.code if moved else None)
    if code is not None:
        items.give_back(books, item, code)
    else:
        items.settle(books, item, "done")
