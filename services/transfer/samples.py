"""One transfer in each state of its record and one message of each kind about it, for the saga's
matrix; those of the money are in `samples_money`.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from services.transfer.states import Deadline, Funds, Paused, Transfer
from shared.calendar import SHANGHAI
from shared.decision import replace
from shared.messages import Message
from shared.messages import enrollment as e
from shared.messages import transfer as t

AT = datetime(2026, 3, 2, 9, 30, tzinfo=SHANGHAI)
ID = UUID("00000000-0000-5000-8000-000000000001")
O, D, PERSON = "410100", "450100", "0" * 32  # noqa: E741 - as the rules say it
BASE = Transfer(
    ID,
    PERSON,
    O,
    D,
    "310",
    "310",
    "auto",
    account=True,
    opened_at=AT,
    policy="v",
    deadlines=(Deadline("answer", AT),),
)
PAST = replace(BASE, version=1, accepted_at=AT, due_at=AT + timedelta(days=21))
OWED = Funds(version=1, released=100)
SENT = replace(OWED, answered=1)
CLOCK = (Deadline("whole", AT),)

BACK = replace(
    PAST, joined_version=1, reversing="court-order", reason="court-order", deadlines=CLOCK
)

RECORD_STATES: dict[str, Transfer | None] = {
    "(none)": None,
    "opened": BASE,
    "opened, withdrawing": replace(BASE, withdrawing="withdrawn"),
    "releasing": replace(BASE, record="releasing", accepted_at=AT),
    "releasing, withdrawing": replace(BASE, record="releasing", withdrawing="withdrawn"),
    "released": replace(PAST, record="released"),
    "disputed": replace(PAST, record="disputed", stopped_at=AT, reason="digest-mismatch"),
    "joined": replace(PAST, record="joined", deadlines=CLOCK, joined_version=1),
    "joined, late months on their way": replace(
        PAST, record="joined", deadlines=CLOCK, version=2, joined_version=1
    ),
    "released, paused": replace(PAST, record="released", paused=Paused(AT, "op", "why")),
    "refused": replace(BASE, record="refused", money="none", closed_at=AT),
    "refused, after the release": replace(PAST, record="refused", money="advanced"),
    "withdrawn": replace(BASE, record="withdrawn", money="none", closed_at=AT),
    "not_needed": replace(BASE, record="not_needed", money="none", closed_at=AT),
    "restoring": replace(BACK, record="restoring"),
    "restoring, not joined yet": replace(BACK, record="restoring", joined_version=0),
    "restoring, months out": replace(BACK, record="restoring", months_out=True),
    "restored": replace(BACK, record="restored", months_out=True, money="none", closed_at=AT),
}
ABOUT: dict[str, Any] = {"to": D, "person": PERSON, "transfer": ID}
_MONTHS = ((24230, 24313),)


TWO: dict[str, Any] = {"proposed_by": "chen", "approved_by": "li", "reason": "court-order"}


@dataclass(frozen=True, slots=True)
class Row:
    """A message as it stands at the head of a row."""

    name: str
    message: Message


_JOINED = e.RecordJoined(
    **ABOUT,
    origin=O,
    months=_MONTHS,
    months_total=84,
    entitled_from=24314,
    waiting_months=0,
    retroactive_from=None,
)

RECORD_MESSAGES = (
    Row(
        "registered (enroll)",
        e.Registered(
            **ABOUT,
            record=ID,
            action="enroll",
            occurred_at=AT,
            scheme="310",
            account=True,
            month=24314,
            origin=O,
            origin_scheme="310",
        ),
    ),
    Row(
        "registered (suspend)",
        e.Registered(**ABOUT, record=ID, action="suspend", occurred_at=AT, origin=O),
    ),
    Row(
        "registration-refused",
        e.RegistrationRefused(
            **ABOUT, record=ID, action="apply", occurred_at=AT, code="not_enrolled", origin=O
        ),
    ),
    Row(
        "apply",
        t.Apply(
            **ABOUT,
            origin=O,
            scheme="310",
            new_scheme="310",
            trigger="person",
            account=True,
            occurred_at=AT,
        ),
    ),
    Row(
        "cover-stopped",
        e.CoverStopped(
            **ABOUT, refused=ID, origin=O, scheme="310", new_scheme="310", trigger="auto"
        ),
    ),
    Row("release-accepted", e.ReleaseAccepted(**ABOUT, origin=O)),
    Row("release-refused", e.ReleaseRefused(**ABOUT, origin=O, code="duplicate")),
    Row(
        "record-released",
        e.RecordReleased(
            **ABOUT,
            origin=O,
            version=1,
            scheme="310",
            months=_MONTHS,
            last_month=24313,
            account=True,
            digest="",
        ),
    ),
    Row("release-cancelled", e.ReleaseCancelled(**ABOUT, origin=O)),
    Row("withdraw", t.Withdraw(**ABOUT)),
    Row("person-deceased", e.PersonDeceased(**ABOUT, died_on=date(2026, 3, 1))),
    Row("record-joined", _JOINED),
    Row("record-joined (v1)", _JOINED.model_copy(update={"version": 1})),
    Row("record-disputed", e.RecordDisputed(**ABOUT, origin=O, code="digest-mismatch")),
    Row(
        "record-disputed (v1)",
        e.RecordDisputed(**ABOUT, origin=O, code="digest-mismatch", version=1),
    ),
    Row(
        "record-corrected (v2)",
        e.RecordCorrected(
            **ABOUT, origin=O, version=2, scheme="310", months=_MONTHS, last_month=24313, digest=""
        ),
    ),
    Row("record-withheld", e.RecordWithheld(**ABOUT, origin=O, code="sealed")),
    Row("reverse", t.Reverse(**ABOUT, **TWO)),
    Row("reverse (by one)", t.Reverse(**ABOUT, **{**TWO, "approved_by": "chen"})),
    Row("record-restored (D)", e.RecordRestored(**ABOUT, origin=O, region=D)),
    Row("record-restored (O)", e.RecordRestored(**ABOUT, origin=O, region=O)),
    Row("restore-refused", e.RestoreRefused(**ABOUT, origin=O, code="moved-on")),
    Row("remind (due)", t.Remind(**ABOUT, due_at=AT)),
    Row("pause", t.Pause(**ABOUT, by="op", why="the origin asks for it")),
    Row("resume", t.Resume(**ABOUT, by="op", why="the origin asks for it")),
    Row("retry", t.Retry(**ABOUT, by="op", why="the origin asks for it")),
)
