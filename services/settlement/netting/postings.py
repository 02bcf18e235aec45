"""The postings of netting: the ledger's constructors for the account `clearing:<window>`. PURE."""

from services.settlement.ledger import (
    AWAITING,
    PERSONAL,
    REMITTING,
    SUSPENSE,
    Postings,
    advance,
    awaited,
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


def netted_in(
    origin: str, window: str, to_advance_fen: int, to_awaited_fen: int, back_fen: int
) -> Postings:
    """D's side of a final line: it makes an advance real, or credits what nothing was advanced
    for; what D has no claim for is owed back to O.
    """
    return posted(
        (clearing(window), advance(origin), to_advance_fen),
        (clearing(window), awaited(origin), to_awaited_fen),
        (AWAITING, PERSONAL, to_awaited_fen),
        (clearing(window), payable(origin), back_fen),
    )


def netted_back(
    origin: str, destination: str, window: str, amount_fen: int
) -> tuple[Postings, Postings]:
    """A final line of the other direction, at D and at O: what D owes back to O."""
    return (
        posted((payable(origin), clearing(window), amount_fen)),
        posted((clearing(window), overpaid(destination), amount_fen)),
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
