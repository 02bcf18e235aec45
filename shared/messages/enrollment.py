"""What enrollment obeys and announces: who is insured where, since when, with what entitlement."""

from datetime import date, datetime
from typing import ClassVar, Literal
from uuid import UUID

from shared.messages import (
    ByTwo,
    Event,
    Fen,
    Month,
    PersonCommand,
    PersonEvent,
    Ranges,
    RegionCode,
    Scheme,
    Text,
    Trigger,
)

Action = Literal[
    "open",
    "enroll",
    "suspend",
    "contribute",
    "apply",
    "withdraw",
    "correct",
    "spend",
    "refund",
    "decease",
]
PersonType = Literal["employee", "flexible", "resident", "benefit-recipient", "retiree"]


class Register(PersonCommand):
    """One upstream record, checked for form and sealed at the edge.

    `record` and `refers_to` are `record_uuid(source, record_id)`; `transfer` is the id that an
    `enroll` or `apply` gives to the transfer it may start, for `withdraw` the one it withdraws.
    `sealed` holds name, phone and ID under the person's data key; `name_keys` are blind keys.
    """

    record: UUID
    source: Text
    record_id: Text
    action: Action
    occurred_at: datetime
    scheme: Scheme | None = None
    person_type: PersonType | None = None
    employer: bool = False
    residence_permit: Literal["yes", "applied", "no"] | None = None
    month: Month | None = None
    months: Ranges = ()
    base_fen: Fen | None = None
    amount_fen: Fen | None = None
    balance_fen: Fen | None = None
    previous_region: RegionCode | None = None
    previous_scheme: Scheme | None = None
    reason: Text | None = None
    hukou_region: RegionCode | None = None
    account: bool | None = None
    paid_on: date | None = None
    nature: Literal["normal", "back-paid", "deemed", "repair"] = "normal"
    paid_by: (
        Literal["person", "employer", "unemployment-fund", "medical-aid", "relative"] | None
    ) = None
    plan_year: int | None = None
    category: Literal["newborn", "student", "low-income", "none"] | None = None
    applicant: Literal["person", "employer", "agency"] = "person"
    refers_to: UUID | None = None
    transfer: UUID | None = None
    sealed: str | None = None
    name_keys: tuple[str, ...] = ()


class Registered(PersonEvent):
    """A record was accepted. For `enroll`, what a transfer needs to know to open by itself.

    `origin` is where the person was insured before: as they said, else as the system knows.
    `account` says whether the person has a personal account at this region.
    """

    record: UUID
    action: Action
    occurred_at: datetime
    transfer: UUID | None = None
    scheme: Scheme | None = None
    person_type: PersonType | None = None
    account: bool = False
    month: Month | None = None
    plan_year: int | None = None
    origin: RegionCode | None = None
    origin_scheme: Scheme | None = None
    sealed: str | None = None


class RegistrationRefused(PersonEvent):
    """A record was refused by the rules. `code` is of the published list (`services.*.codes`)."""

    record: UUID
    action: Action
    occurred_at: datetime
    code: str
    transfer: UUID | None = None
    scheme: Scheme | None = None
    origin: RegionCode | None = None
    trigger: Trigger | None = None
    sealed: str | None = None


class Answered(Event):
    """What was decided about an upstream record, for the system that sent it."""

    person: str | None = None
    record: UUID
    source: Text
    record_id: Text
    decision: Literal["accepted", "refused", "unreadable", "duplicate"]
    code: str | None = None
    transfer: UUID | None = None

    answers: ClassVar[str] = "upstream.answers"

    @property
    def key(self) -> str:
        return self.person or str(self.record)

    def topic(self, cell: str) -> str:  # noqa: ARG002 - the senders' topic is the same in all cells
        return self.answers


class ReleaseRecord(PersonCommand):
    """D's transfer asks O (`to`) to release the record of this person and scheme."""

    transfer: UUID
    destination: RegionCode
    scheme: Scheme
    new_scheme: Scheme
    first_month: Month | None = None
    plan_year: int | None = None
    trigger: Trigger
    account: bool = False


class ReleaseAccepted(PersonEvent):
    """O has checked the request and took it (受理): its clock of 10 working days starts."""

    transfer: UUID
    origin: RegionCode


class ReleaseRefused(PersonEvent):
    """O does not release: `origin-not-stopped`, `duplicate`, `in_arrears`, `retiree`, …"""

    transfer: UUID
    origin: RegionCode
    code: str


class RecordReleased(PersonEvent):
    """The record of the person (参保信息表): months paid at and before O. This is the pivot.

    `digest` is a SHA-256 over version and months, in hex. `account`: O kept a personal account.
    """

    transfer: UUID
    origin: RegionCode
    version: int
    scheme: Scheme
    months: Ranges
    last_month: Month | None
    account: bool
    digest: str


class CompleteRelease(PersonCommand):
    """O's clerk is done, or O's handling time is over: the request it took is checked once more
    and the record released. Only where O answers by hand (`release.answer = "manual"`).
    """

    transfer: UUID


class CancelRelease(PersonCommand):
    """D's transfer takes its request back, if O was not quicker."""

    transfer: UUID


class ReleaseCancelled(PersonEvent):
    """O has forgotten the request; nothing was released."""

    transfer: UUID
    origin: RegionCode


class JoinRecord(PersonCommand):
    """D's transfer asks D's enrollment to join O's months to the person's own."""

    transfer: UUID
    origin: RegionCode
    version: int
    scheme: Scheme
    new_scheme: Scheme
    months: Ranges
    digest: str


class RecordJoined(PersonEvent):
    """The months are joined (转入办结); what the person is entitled to from now on.

    `entitled_from` is None while the first contribution at D is not paid.
    """

    transfer: UUID
    origin: RegionCode
    months: Ranges
    months_total: int
    entitled_from: Month | None
    waiting_months: int
    retroactive_from: Month | None
    version: int | None = None


class RecordDisputed(PersonEvent):
    """D finds the record wrong (`digest-mismatch`, `overlapping-months`); clocks stand still."""

    transfer: UUID
    origin: RegionCode
    code: str
    version: int | None = None


class CorrectRecord(PersonCommand):
    """D's transfer asks O (`to`) for a corrected record; `version` is the one that is disputed."""

    transfer: UUID
    code: str
    version: int | None = None


class RecordCorrected(PersonEvent):
    """O's record, next version (纠错)."""

    transfer: UUID
    origin: RegionCode
    version: int
    scheme: Scheme
    months: Ranges
    last_month: Month | None
    digest: str


class RecordWithheld(PersonEvent):
    """O will not correct and does not release after all."""

    transfer: UUID
    origin: RegionCode
    code: str


class TerminateRecord(PersonCommand):
    """The record has joined at D: O's (`to`) relation ends."""

    transfer: UUID


class RestoreRecord(PersonCommand):
    """The transfer is reversed: D (`to` is the destination) takes the months out again, unless the
    record has moved on; O (`to` is the origin) has the relation again, suspended.
    """

    transfer: UUID
    origin: RegionCode
    destination: RegionCode
    new_scheme: Scheme


class RecordRestored(PersonEvent):
    """`region` has done its part of it: the months are out at D, or O has the relation again."""

    transfer: UUID
    origin: RegionCode
    region: RegionCode


class RestoreRefused(PersonEvent):
    """D cannot take the months out: `moved-on`, they were asked for by the next region."""

    transfer: UUID
    origin: RegionCode
    code: str


class AmendRecord(PersonCommand, ByTwo):
    """Two people of an agency correct an earlier record (`refers_to`) after it was released: the
    filled fields replace what it said; `months` and `balance_fen` replace the old whole.

    `record` is the correction's own id, by default the message's; `transfer` the one it left by;
    `asked` the record of the feed that has asked for it.
    """

    record: UUID | None = None
    asked: UUID | None = None
    transfer: UUID | None = None
    refers_to: UUID
    month: Month | None = None
    months: Ranges = ()
    balance_fen: Fen | None = None


class RecordAmended(PersonEvent):
    """An earlier record was corrected by two people."""

    record: UUID
    refers_to: UUID


class DropAmendment(PersonCommand, ByTwo):
    """Two people of an agency leave `refers_to` as it is: what the feed asked for is refused."""

    refers_to: UUID
    asked: UUID | None = None
    transfer: UUID | None = None


class AnswerAnew(PersonCommand):
    """The books did not move the account as the rules had accepted (`insufficient_balance`,
    `no_account`, …): the sender of the record is answered once more.
    """

    record: UUID
    what: Literal["open", "contribute", "spend", "refund", "correct"]
    code: str


class AmendmentRefused(PersonEvent):
    """What two people wanted to correct stays as it is: `unknown_record`, `not_correctable`, …"""

    record: UUID
    code: str


class CoverStopped(PersonEvent):
    """The cover at O that stood in the way of a transfer has ended: D opens a new transfer.

    `transfer` is the id of the new one, `refused` of the one that was refused.
    """

    transfer: UUID
    refused: UUID
    origin: RegionCode
    scheme: Scheme
    new_scheme: Scheme
    first_month: Month | None = None
    plan_year: int | None = None
    trigger: Trigger
    account: bool = False


class PersonDeceased(PersonEvent):
    """The person has died; one message for each transfer that the region knows of, or none."""

    transfer: UUID | None = None
    died_on: date
