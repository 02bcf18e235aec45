"""O's side: a release had earned other interest than was said, as two people have found."""

from services.settlement import ledger
from services.settlement.books import Books
from services.settlement.compensation.restoring import correct_down
from services.settlement.compensation.telling import decline, done
from services.settlement.onward import add
from services.settlement.people import items
from services.settlement.states import Release
from shared.decision import replace
from shared.messages.settlement_interest import CorrectInterest


def correct_interest(books: Books, m: CorrectInterest) -> None:
    """Corrects the release, next version, by the interest alone; the principal stays as it was."""
    items.need_two(m)
    release = books.release(m.person, m.transfer)
    if release is None or release.region != m.to:
        decline(books, m, "unknown_transfer")
        return
    more_fen = m.interest_fen - release.earned_fen
    if m.interest_fen < 0 or not _can_be(release, more_fen):
        decline(books, m, "bad_amount" if m.interest_fen < 0 else "nothing_to_correct")
        return
    corrected = replace(release, corrected_fen=release.corrected_fen + more_fen)
    if more_fen > 0:
        _post(books, corrected, ledger.earned(more_fen))
        add(books, corrected, more_fen, interest_fen=more_fen)
    else:
        correct_down(books, corrected, -more_fen, interest_fen=-more_fen)
        _post(books, corrected, ledger.not_earned(-more_fen))
    done(books, m)


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
