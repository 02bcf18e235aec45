"""All messages by type string, and how one is read from bytes."""

from pydantic import ValidationError

from shared.decision import Unexpected
from shared.messages import (
    CATALOGUE,
    Message,
    chassis,
    enrollment,
    notification,
    settlement,
    settlement_accounts,  # noqa: F401 - declared by being imported
    settlement_bank,  # noqa: F401 - declared by being imported
    settlement_closing,  # noqa: F401 - declared by being imported
    settlement_compensation,
    settlement_freezing,  # noqa: F401 - declared by being imported
    settlement_interest,  # noqa: F401 - declared by being imported
    settlement_limits,
    settlement_netting,
    settlement_people,
    transfer,
)

__all__ = ["CATALOGUE", "OWNERS", "REDRIVE", "read"]

_ABSTRACT = (
    settlement.BankCommand,
    settlement.Applied,
    settlement_limits.CorridorCommand,
    settlement_limits.CorridorEvent,
    settlement_people.ItemCommand,
    settlement_people.ItemEvent,
    settlement_netting.LinesCommand,
    settlement_netting.LineCommand,
    settlement_netting.LineEvent,
    settlement_netting.WindowCommand,
    settlement_netting.NextLines,
    settlement_netting.WindowEvent,
    settlement_compensation.ClaimChanged,
    transfer.FromEnrollment,
    transfer.Act,
)
for _class in _ABSTRACT:
    CATALOGUE.pop(_class.type)

OWNERS = tuple(
    module.__name__.rsplit(".", 1)[1] for module in (enrollment, transfer, settlement, notification)
)
REDRIVE = chassis.Redrive.type


def read(kind: str, body: bytes) -> Message:
    """The message of type string `kind` in `body`. Raises Unexpected, with the reason."""
    message_class = CATALOGUE.get(kind)
    if message_class is None:
        raise Unexpected("unknown_type", f"no message is called {kind!r}")
    try:
        # Without the method around it, which takes a third as long again.
        message: Message = message_class.__pydantic_validator__.validate_json(body)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise Unexpected("unreadable", f"{kind}: {where}: {first['msg']}") from None
    return message
