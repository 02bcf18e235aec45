"""O's side: a release had earned other interest than was said, as two people have found."""

from services.settlement import ledger
from services.settlement.books import Books
from services.settlement.compensation.restoring import correct_down
from services.settlement.onward import add
from services.settlement.people import items
from services.settlement.people.states import item_id
from services.settlement.states import Release
from shared.decision import Unexpected, replace
from shared.messages.settlement_compensation import ActDeclined
from shared.messages.settlement_interest import CorrectInterest


def correct_interest(books: Books, m: CorrectInterest) -> None:
    """Corrects the release, next version, by the interest alone; the principal stays as it was."""
    items.need_two(m)
    release = books.release(m.person, m.transfer)
    if release is None or release.region != m.to or m.interest_fen < 0:
        raise Unexpected("unknown_transfer", "nothing was released for this transfer")
    item = item_id("interest", m.to, str(m.transfer))
    more_fen = m.interest_fen - release.interest_fen
    if not _can_be(release, more_fen):
        items.give_back(books, item, "nothing_to_correct")
        books.say(
            ActDeclined(
                to=m.to,
                person=m.person,
                transfer=m.transfer,
                act=m.type,
                code="nothing_to_correct",
            )
        )
        return
    corrected = replace(release, interest_fen=m.interest_fen)
    if more_fen > 0:
        _post(books, corrected, ledger.earned(more_fen))
        add(books, corrected, more_fen, interest_fen=more_fen)
    else:
        correct_down(books, corrected, -more_fen, interest_fen=-more_fen)
        _post(books, corrected, ledger.not_earned(-more_fen))
    items.settle_approved(books, item, m.type)


def _can_be(release: Release, more_fen: int) -> bool:
    """What was paid out, or has come back, is corrected no more; nor more than is there."""
    gone = release.paid_out or release.restorations > 0
    return more_fen != 0 and not gone and -more_fen <= release.owed_fen


def _post(books: Books, release: Release, postings: ledger.Postings) -> None:
    books.post(
        "correct-interest",
        release.region,
        postings,
        person=release.person,
        subject=release.transfer,
        version=release.version + 1,
        transfer=release.transfer,
    )
