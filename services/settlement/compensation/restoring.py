"""O's side: what was released is taken back, by a correction down or by a reversal."""

from services.settlement.books import Books
from services.settlement.compensation import postings
from services.settlement.compensation.recovering import recover_from_credit
from services.settlement.onward import announce, go_on_from
from services.settlement.states import Holder, Release
from shared.decision import Unexpected, replace
from shared.messages.settlement_compensation import BookWaiver, FundsRestored, RestoreFunds


def take_from_releases(books: Books, holder: Holder, wanted_fen: int) -> bool:
    """Brings `wanted_fen` back into an account that was released, as corrections down of the
    releases, the latest first; nothing where they do not hold so much.
    """
    held = [r for r in reversed(books.releases(holder.person, holder.region)) if not r.paid_out]
    if sum(release.owed_fen for release in held) < wanted_fen:
        return False
    for release in held:
        amount_fen = min(release.owed_fen, wanted_fen)
        if amount_fen > 0:
            correct_down(books, release, amount_fen)
            wanted_fen -= amount_fen
    return True


def correct_down(books: Books, release: Release, amount_fen: int, interest_fen: int = 0) -> None:
    """O owes less than it said, of it `interest_fen` interest: the next version of the release."""
    version = release.version + 1
    lowered_fen = release.lowered_fen + amount_fen
    lowered = replace(release, version=version, lowered_fen=lowered_fen)
    _take(books, lowered, amount_fen, "take-back", version)
    shrunk = books.release(release.person, release.transfer) or release
    books.say(announce(books, shrunk, -amount_fen, interest_fen))


def restore_funds(books: Books, m: RestoreFunds) -> None:
    """What D took back is O's person's again; once for each reversal."""
    release = books.release(m.person, m.transfer)
    if release is None or (release.region, release.destination) != (m.to, m.destination):
        raise Unexpected("unknown_transfer", "nothing was released for this transfer")
    if m.number <= release.restorations:
        _restored(books, release, m.number, 0)
        return
    amount_fen = min(m.amount_fen, release.owed_fen)
    restored = replace(
        release, restorations=m.number, restored_fen=release.restored_fen + amount_fen
    )
    _take(books, restored, amount_fen, "restore", m.number)
    restored = books.release(m.person, m.transfer) or restored
    _restored(books, restored, m.number, amount_fen)
    recovered_fen = recover_from_credit(books, m.person, m.to, amount_fen)
    if amount_fen > recovered_fen:
        go_on_from(books, restored, amount_fen - recovered_fen)


def _restored(books: Books, release: Release, number: int, amount_fen: int) -> None:
    books.say(
        FundsRestored(
            to=release.destination,
            person=release.person,
            transfer=release.transfer,
            origin=release.region,
            number=number,
            amount_fen=amount_fen,
            total_fen=release.restored_fen,
        )
    )


def _take(books: Books, release: Release, amount_fen: int, kind: str, version: int) -> None:
    payable_fen = min(release.payable_fen, amount_fen)
    waived_fen = min(release.waived_fen, amount_fen - payable_fen)
    paid_fen = amount_fen - payable_fen - waived_fen
    books.keep_release(
        replace(
            release,
            released_fen=release.released_fen - amount_fen,
            unfunded_fen=min(release.unfunded_fen, release.released_fen - amount_fen),
            payable_fen=release.payable_fen - payable_fen,
            waived_fen=release.waived_fen - waived_fen,
            # What the bank has, or will have, paid for it is D's no longer.
            debited_fen=release.debited_fen - paid_fen,
            overpaid_fen=release.overpaid_fen + paid_fen,
        )
    )
    books.post(
        kind,
        release.region,
        postings.taken_from_release(release.destination, payable_fen, waived_fen, paid_fen),
        person=release.person,
        subject=release.transfer,
        version=version,
        transfer=release.transfer,
    )


def book_waiver(books: Books, m: BookWaiver) -> None:
    """O owes D less, for D has forgiven it; what is being paid already is not held back."""
    release = books.release(m.person, m.transfer)
    if release is None or (release.region, release.destination) != (m.to, m.destination):
        raise Unexpected("unknown_transfer", "nothing was released for this transfer")
    if m.total_fen <= release.forgiven_fen:
        return
    amount_fen = min(m.amount_fen, release.payable_fen)
    books.keep_release(
        replace(
            release,
            forgiven_fen=m.total_fen,
            payable_fen=release.payable_fen - amount_fen,
            waived_fen=release.waived_fen + amount_fen,
        )
    )
    books.post(
        "waiver",
        m.to,
        postings.forgiven(m.destination, amount_fen),
        person=m.person,
        subject=f"{m.transfer}/{m.total_fen}",
        transfer=m.transfer,
    )
