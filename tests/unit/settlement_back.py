"""Commands by which the books go back, as the transfer service or two people give them."""

from typing import TypeVar

from services.settlement.states import Claim
from shared.messages import Message
from shared.messages.settlement import FundsCorrected
from shared.messages.settlement_compensation import AdjustAdvance, AdvanceReversed, RestoreFunds

Wanted = TypeVar("Wanted", bound=Message)


def about(claim: Claim, kind: type[Wanted], **fields: object) -> Wanted:
    """A command about a claim."""
    whose = {"to": claim.region, "person": claim.person, "origin": claim.origin}
    return kind.model_validate({**whose, "transfer": claim.transfer, **fields})


def adjust(m: FundsCorrected) -> AdjustAdvance:
    """O's correction down, as D is told of it."""
    return AdjustAdvance(
        to=m.to,
        person=m.person,
        transfer=m.transfer,
        origin=m.origin,
        version=m.version,
        amount_fen=-m.delta_fen,
    )


def restore(m: AdvanceReversed) -> RestoreFunds:
    """What D took back, as O is told of it."""
    return RestoreFunds(
        to=m.origin,
        person=m.person,
        transfer=m.transfer,
        destination=m.to,
        number=m.number,
        amount_fen=m.amount_fen,
    )
