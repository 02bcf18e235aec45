"""The postings of what goes back: the ledger's constructors for corrections and losses."""

from collections.abc import Iterable

from services.settlement.ledger import (
    AWAITING,
    PERSONAL,
    RECOVERABLE,
    SUSPENSE,
    UNEXPLAINED,
    WAIVED,
    WRITE_OFF,
    Postings,
    advance,
    awaited,
    overpaid,
    payable,
    posted,
)


def taken_from_release(
    destination: str, payable_fen: int, waived_fen: int, overpaid_fen: int
) -> Postings:
    """O takes back what it released: what is still payable, what D has forgiven, and what was paid
    or is being paid already, which D owes back.
    """
    return posted(
        (payable(destination), PERSONAL, payable_fen),
        (WAIVED, PERSONAL, waived_fen),
        (overpaid(destination), PERSONAL, overpaid_fen),
    )


def taken_from_awaiting(origin: str, amount_fen: int) -> Postings:
    """What was only announced is announced no longer."""
    return posted((AWAITING, awaited(origin), amount_fen))


def taken_from_person(debit: str, against: Iterable[tuple[str, int]]) -> Postings:
    """D takes back a credit: out of what is unspent (`personal`), or as a debt of the person
    (`recoverable`); against what O still owes, what was given up, and else owed back to O.
    """
    return posted(*((debit, account, amount_fen) for account, amount_fen in against))


def recovered(source: str, amount_fen: int) -> Postings:
    """A person's debt is paid, from `personal` or from a receipt in `suspense`."""
    return posted((source, RECOVERABLE, amount_fen))


def written_off(account: str, amount_fen: int) -> Postings:
    """A loss is booked: of an advance or of what a person owes."""
    return posted((WRITE_OFF, account, amount_fen))


def waived(origin: str, amount_fen: int) -> Postings:
    """D forgives O an advance."""
    return posted((WAIVED, advance(origin), amount_fen))


def given_up(contra: str, origin: str, amount_fen: int) -> Postings:
    """What nothing was advanced for is given up: the person's right does not depend on O."""
    return posted((AWAITING, PERSONAL, amount_fen), (contra, awaited(origin), amount_fen))


def forgiven(destination: str, amount_fen: int) -> Postings:
    """O books what D has waived."""
    return posted((payable(destination), WAIVED, amount_fen))


def sent_back(origin: str, amount_fen: int) -> Postings:
    """A receipt, or what is too much of it, is owed back to O."""
    return posted((SUSPENSE, payable(origin), amount_fen))


def unmatched(origin: str, matched_fen: int, owed_back_fen: int) -> Postings:
    """What a receipt had funded is open again, or need not go back to O: it is in suspense."""
    return posted(
        (advance(origin), SUSPENSE, matched_fen), (payable(origin), SUSPENSE, owed_back_fen)
    )


def credit_taken_back(
    origin: str, matched_fen: int, owed_back_fen: int, amount_fen: int
) -> Postings:
    """The bank takes a credit back: it is matched no longer, and the bank's debit is explained."""
    return (
        *unmatched(origin, matched_fen, owed_back_fen),
        *posted((SUSPENSE, UNEXPLAINED, amount_fen)),
    )
