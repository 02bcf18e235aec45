"""One transfer in each state and one message of each kind, for the saga's matrix."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from services.transfer.states import Deadline, Funds, Paused, Transfer
from shared.calendar import SHANGHAI
from shared.decision import replace
from shared.messages import Message
from shared.messages import enrollment as e
from shared.messages import settlement as s
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
}
_JOINED = replace(PAST, record="joined", deadlines=CLOCK, joined_version=1)
MONEY_STATES: dict[str, Transfer | None] = {
    "pending": replace(_JOINED, money="pending"),
    "withheld": replace(_JOINED, money="withheld", deadlines=(Deadline("funds", AT, 1),)),
    "released": replace(_JOINED, money="released", funds=OWED),
    "awaiting_funds": replace(_JOINED, money="awaiting_funds", funds=SENT),
    "advanced": replace(_JOINED, money="advanced", funds=replace(SENT, credited=100, open=100)),
    "short": replace(
        _JOINED, money="short", funds=replace(SENT, credited=100, open=40, matched=60)
    ),
    "over": replace(
        _JOINED, money="over", funds=replace(SENT, credited=100, matched=100, excess=5)
    ),
    "funded": replace(
        _JOINED, money="funded", funds=replace(SENT, credited=100, matched=100), closed_at=AT
    ),
    "paid_out": replace(_JOINED, money="paid_out", funds=Funds(paid_out=100), closed_at=AT),
    "none": replace(_JOINED, money="none", closed_at=AT),
}

_ABOUT: dict[str, Any] = {"to": D, "person": PERSON, "transfer": ID}
_MONTHS = ((24230, 24313),)
_APPLIED: dict[str, Any] = {**_ABOUT, "origin": O, "receipt": ID}


@dataclass(frozen=True, slots=True)
class Row:
    """A message as it stands at the head of a row."""

    name: str
    message: Message


RECORD_MESSAGES = (
    Row(
        "registered (enroll)",
        e.Registered(
            **_ABOUT,
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
        e.Registered(**_ABOUT, record=ID, action="suspend", occurred_at=AT, origin=O),
    ),
    Row(
        "registration-refused",
        e.RegistrationRefused(
            **_ABOUT, record=ID, action="apply", occurred_at=AT, code="not_enrolled", origin=O
        ),
    ),
    Row(
        "apply",
        t.Apply(
            **_ABOUT,
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
            **_ABOUT, refused=ID, origin=O, scheme="310", new_scheme="310", trigger="auto"
        ),
    ),
    Row("release-accepted", e.ReleaseAccepted(**_ABOUT, origin=O)),
    Row("release-refused", e.ReleaseRefused(**_ABOUT, origin=O, code="duplicate")),
    Row(
        "record-released",
        e.RecordReleased(
            **_ABOUT,
            origin=O,
            version=1,
            scheme="310",
            months=_MONTHS,
            last_month=24313,
            account=True,
            digest="",
        ),
    ),
    Row("release-cancelled", e.ReleaseCancelled(**_ABOUT, origin=O)),
    Row("withdraw", t.Withdraw(**_ABOUT)),
    Row("person-deceased", e.PersonDeceased(**_ABOUT, died_on=date(2026, 3, 1))),
    Row(
        "record-joined",
        e.RecordJoined(
            **_ABOUT,
            origin=O,
            months=_MONTHS,
            months_total=84,
            entitled_from=24314,
            waiting_months=0,
            retroactive_from=None,
        ),
    ),
    Row("record-disputed", e.RecordDisputed(**_ABOUT, origin=O, code="digest-mismatch")),
    Row(
        "record-corrected (v2)",
        e.RecordCorrected(
            **_ABOUT, origin=O, version=2, scheme="310", months=_MONTHS, last_month=24313, digest=""
        ),
    ),
    Row("record-withheld", e.RecordWithheld(**_ABOUT, origin=O, code="sealed")),
    Row("remind (due)", t.Remind(**_ABOUT, due_at=AT)),
    Row("pause", t.Pause(**_ABOUT, by="op", why="the origin asks for it")),
    Row("resume", t.Resume(**_ABOUT, by="op", why="the origin asks for it")),
    Row("retry", t.Retry(**_ABOUT, by="op", why="the origin asks for it")),
)

MONEY_MESSAGES = (
    Row(
        "funds-released (v1)",
        s.FundsReleased(
            **_ABOUT,
            origin=O,
            version=1,
            principal_fen=100,
            interest_fen=0,
            unfunded_fen=0,
            released_on=AT.date(),
        ),
    ),
    Row("nothing-to-release", s.NothingToRelease(**_ABOUT, origin=O, code="zero_balance")),
    Row(
        "funds-withheld",
        s.FundsWithheld(**_ABOUT, origin=O, code="account_frozen", until=date(2026, 4, 1)),
    ),
    Row(
        "funds-corrected (v2)",
        s.FundsCorrected(**_ABOUT, origin=O, version=2, delta_fen=10, released_on=AT.date()),
    ),
    Row(
        "advance-credited",
        s.AdvanceCredited(
            **_ABOUT, origin=O, version=1, amount_fen=100, credited_fen=100, open_fen=100
        ),
    ),
    Row(
        "advance-declined",
        s.AdvanceDeclined(**_ABOUT, origin=O, version=1, code="limit_reached", awaiting_fen=100),
    ),
    Row(
        "advance-funded",
        s.AdvanceFunded(
            **_APPLIED, applied_fen=100, matched_fen=100, credited_fen=100, open_fen=0, excess_fen=0
        ),
    ),
    Row(
        "funds-credited",
        s.FundsCredited(
            **_APPLIED, applied_fen=100, matched_fen=100, credited_fen=100, open_fen=0, excess_fen=0
        ),
    ),
    Row(
        "shortfall-found",
        s.ShortfallFound(
            **_APPLIED, applied_fen=60, matched_fen=60, credited_fen=100, open_fen=40, excess_fen=0
        ),
    ),
    Row(
        "excess-found",
        s.ExcessFound(
            **_APPLIED, applied_fen=100, matched_fen=100, credited_fen=100, open_fen=0, excess_fen=5
        ),
    ),
    Row("paid-out", s.PaidOut(**_ABOUT, region=O, amount_fen=100, reason="x")),
    Row("remind (due)", t.Remind(**_ABOUT, due_at=AT)),
    Row("retry", t.Retry(**_ABOUT, by="op", why="the origin asks for it")),
)
