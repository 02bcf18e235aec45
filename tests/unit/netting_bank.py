"""What the banks of a province tell of one payment."""

from datetime import date
from uuid import UUID

from shared.messages.settlement import Detail, RecordDebit, RecordReceipt
from tests.unit.settlement_world import some_id

BOOKED = date(2026, 5, 12)


def debit(region: str, name: str, amount_fen: int, reference: UUID) -> RecordDebit:
    return RecordDebit(
        to=region,
        account=f"{region}:expense",
        bank="expense",
        receipt=some_id(f"{region} {name}"),
        amount_fen=amount_fen,
        booked_on=BOOKED,
        details=(Detail(amount_fen=amount_fen, references=(reference,)),),
    )


def credit(
    region: str, name: str, amount_fen: int, reference: UUID, payer: str | None = None
) -> RecordReceipt:
    return RecordReceipt(
        to=region,
        account=f"{region}:income",
        bank="income",
        receipt=some_id(f"{region} {name}"),
        amount_fen=amount_fen,
        booked_on=BOOKED,
        details=(Detail(amount_fen=amount_fen, references=(reference,), payer_region=payer),),
    )
