"""Both sides of a transfer in the books: what O has released, and what D claims of it. Each is a
frozen row of a table, where the meaning of every column is written. Amounts are whole fen.
"""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID


@dataclass(frozen=True)
class Release:
    """O's side of a transfer; `region` is O."""

    person: str
    transfer: UUID
    region: str
    destination: str
    opened_at: datetime
    released_on: date
    paid_out: bool = False
    version: int = 0
    code: str | None = None
    principal_fen: int = 0
    interest_fen: int = 0
    unfunded_fen: int = 0
    released_fen: int = 0
    paid_out_fen: int = 0
    payable_fen: int = 0
    remitting_fen: int = 0
    debited_fen: int = 0
    returned_fen: int = 0
    overpaid_fen: int = 0
    back_told_fen: int = 0
    back_seen_fen: int = 0
    clearing: str | None = None
    waived_fen: int = 0
    forgiven_fen: int = 0
    lowered_fen: int = 0
    restored_fen: int = 0
    restorations: int = 0
    corrected_fen: int = 0

    @property
    def earned_fen(self) -> int:
        """The interest of it: as it was said, as two people have found, and what left later."""
        return self.interest_fen + self.corrected_fen

    @property
    def owed_fen(self) -> int:
        """What of it is D's, as things stand: R without what was paid out."""
        return self.released_fen - self.paid_out_fen

    @property
    def sent_fen(self) -> int:
        """What was instructed or paid and did not come back."""
        return self.remitting_fen + self.debited_fen - self.returned_fen


@dataclass(frozen=True)
class Claim:
    """D's side of a transfer: the claim on O, which is also the expected receipt."""

    person: str
    transfer: UUID
    region: str
    origin: str
    opened_at: datetime
    announced_on: date
    released_on: date
    versions: tuple[int, ...] = ()
    announced_fen: int = 0
    credited_fen: int = 0
    awaiting_fen: int = 0
    matched_fen: int = 0
    open_fen: int = 0
    reserved_fen: int = 0
    excess_fen: int = 0
    advance: bool = True
    declined: str | None = None
    declined_at: datetime | None = None
    judged_at: datetime | None = None
    judged: str | None = None
    exposure_fen: int = 0
    limit_fen: int = 0
    clearing: str | None = None
    undue_fen: int = 0
    recovered_fen: int = 0
    excused_fen: int = 0
    written_off_fen: int = 0
    waived_fen: int = 0
    lowered_fen: int = 0
    restored_fen: int = 0
    reversals: int = 0
    back_payable_fen: int = 0
    back_remitting_fen: int = 0
    back_debited_fen: int = 0
    sent_back_fen: int = 0

    @property
    def owes_back(self) -> bool:
        """Whether something is, or was, owed back to O."""
        return (self.back_payable_fen + self.back_remitting_fen + self.back_debited_fen) > 0

    @property
    def ever_credited_fen(self) -> int:
        """Grows with every credit and is never less than before, whatever is taken back."""
        return self.credited_fen + self.lowered_fen + self.restored_fen

    @property
    def recoverable_fen(self) -> int:
        """What the person had no right to and still owes."""
        return self.undue_fen - self.recovered_fen - self.excused_fen

    @property
    def lost_fen(self) -> int:
        """What of the claim on O was written off or waived, less what came after all."""
        return self.written_off_fen + self.waived_fen

    @property
    def unpaid_fen(self) -> int:
        """What O still has to pay: the open advance and what is awaited."""
        return self.open_fen + self.awaiting_fen

    @property
    def available_fen(self) -> int:
        """What may still come and no receipt is reserved for; what was given up may come too."""
        return max(0, self.unpaid_fen + self.lost_fen - self.reserved_fen)
