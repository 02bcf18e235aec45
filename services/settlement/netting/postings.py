"""The postings of netting: the ledger's constructors for the account `clearing:<window>`. PURE."""

from services.settlement.funding import Legs
from services.settlement.ledger import (
    REMITTING,
    SUSPENSE,
    Postings,
    advance,
    applied,
    bank,
    clearing,
    overpaid,
    payable,
    posted,
)


def netted_out(destination: str, window: str, owed_fen: int, over_fen: int) -> Postings:
    """O's side of a final line: what it owes D is owed to the province; what D was paid already
    is to come back.
    """
    return posted(
        (payable(destination), clearing(window), owed_fen),
        (overpaid(destination), clearing(window), over_fen),
    )


def netted_in(origin: str, window: str, legs: Legs, back_fen: int) -> Postings:
    """D's side of a final line: as if a receipt came, but from the province; what D has no claim
    for is owed back to O.
    """
    source = clearing(window)
    return (
        *applied(origin, *legs, source=source),
        *posted((source, payable(origin), back_fen)),
    )


def netted_back(origin: str, window: str, back_fen: int, open_fen: int) -> Postings:
    """D's side of a final line of the other direction: what it owed back, or claims again."""
    return posted(
        (payable(origin), clearing(window), back_fen),
        (advance(origin), clearing(window), open_fen),
    )


def netted_home(destination: str, window: str, over_fen: int, owed_fen: int) -> Postings:
    """O's side of it: what it had paid too much, or owes again."""
    return posted(
        (clearing(window), overpaid(destination), over_fen),
        (clearing(window), payable(destination), owed_fen),
    )


def position_instructed(window: str, amount_fen: int) -> Postings:
    """The bank is told to pay a net position."""
    return posted((clearing(window), REMITTING, amount_fen))


def position_rejected(window: str, amount_fen: int) -> Postings:
    """The bank has not paid a net position: it is owed again."""
    return posted((REMITTING, clearing(window), amount_fen))


def position_debited(kind: str, amount_fen: int) -> Postings:
    """The bank has paid a net position."""
    return posted((REMITTING, bank(kind), amount_fen))


def position_received(window: str, amount_fen: int) -> Postings:
    """A receipt is the payment of a net position."""
    return posted((SUSPENSE, clearing(window), amount_fen))


def position_returned(kind: str, window: str, amount_fen: int) -> Postings:
    """The payment of a net position came back: it is owed again."""
    return posted((bank(kind), clearing(window), amount_fen))
