"""One transfer in each state of its money and one message of each kind about it."""

from datetime import date
from typing import Any

from services.transfer.samples import ABOUT, AT, BACK, CLOCK, ID, PAST, TWO, O, Row
from services.transfer.states import Deadline, Funds, Transfer
from shared.decision import replace
from shared.messages import settlement as s
from shared.messages import settlement_compensation as k
from shared.messages import transfer as t

OWED = Funds(version=1, released=100)
SENT = replace(OWED, answered=1)
_JOINED = replace(PAST, record="joined", deadlines=CLOCK, joined_version=1)
_RESTORED = replace(BACK, record="restored", months_out=True)
_UNDUE = Funds(version=2, answered=2, released=90, credited=100, matched=90, undue=10)
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
    "corrected down": replace(
        _JOINED,
        money="released",
        funds=Funds(version=2, answered=1, adjusting=2, released=90, credited=100, matched=100),
    ),
    "recovering": replace(_JOINED, money="recovering", funds=replace(_UNDUE, recoverable=10)),
    "recovered": replace(
        _JOINED, money="recovered", funds=replace(_UNDUE, recovered=10), closed_at=AT
    ),
    "written_off": replace(
        _JOINED,
        money="written_off",
        funds=replace(SENT, credited=100, lost=100, written_off=100),
        closed_at=AT,
    ),
    "returned_to_origin": replace(
        _JOINED,
        money="returned_to_origin",
        funds=Funds(version=2, answered=2, sent_back=100),
        closed_at=AT,
    ),
    "pending, going back": replace(_RESTORED, money="pending"),
    "restoring, asked of D": replace(
        _RESTORED, money="restoring", funds=replace(SENT, credited=100, open=100, reversals=1)
    ),
    "restoring, asked of O": replace(
        _RESTORED,
        money="restoring",
        funds=replace(SENT, released=0, reversals=1, reversed=1, restoring=100),
    ),
    "restored": replace(
        _RESTORED,
        money="restored",
        funds=replace(SENT, released=0, reversals=1, reversed=1, restorations=1, restored=100),
        closed_at=AT,
    ),
}

_APPLIED: dict[str, Any] = {**ABOUT, "origin": O, "receipt": ID}


def _changed(kind: type[k.ClaimChanged], **facts: object) -> k.ClaimChanged:
    names = [name for name in k.ClaimChanged.model_fields if name.endswith("_fen")]
    return kind.model_validate({**ABOUT, "origin": O, **dict.fromkeys(names, 0), **facts})


MONEY_MESSAGES = (
    Row(
        "funds-released (v1)",
        s.FundsReleased(
            **ABOUT,
            origin=O,
            version=1,
            principal_fen=100,
            interest_fen=0,
            unfunded_fen=0,
            released_on=AT.date(),
        ),
    ),
    Row("nothing-to-release", s.NothingToRelease(**ABOUT, origin=O, code="zero_balance")),
    Row(
        "funds-withheld",
        s.FundsWithheld(**ABOUT, origin=O, code="account_frozen", until=date(2026, 4, 1)),
    ),
    Row(
        "funds-corrected (v2)",
        s.FundsCorrected(**ABOUT, origin=O, version=2, delta_fen=10, released_on=AT.date()),
    ),
    Row(
        "advance-credited",
        s.AdvanceCredited(
            **ABOUT, origin=O, version=1, amount_fen=100, credited_fen=100, open_fen=100
        ),
    ),
    Row(
        "advance-declined",
        s.AdvanceDeclined(**ABOUT, origin=O, version=1, code="limit_reached", awaiting_fen=100),
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
    Row(
        "funds-corrected (v3, less)",
        s.FundsCorrected(**ABOUT, origin=O, version=3, delta_fen=-10, released_on=AT.date()),
    ),
    Row("reverse", t.Reverse(**ABOUT, **TWO)),
    Row(
        "advance-adjusted (v2)",
        _changed(
            k.AdvanceAdjusted,
            amount_fen=10,
            credited_fen=90,
            matched_fen=90,
            version=2,
            unspent_fen=10,
        ),
    ),
    Row("advance-reversed", _changed(k.AdvanceReversed, amount_fen=100, number=1)),
    Row(
        "funds-restored",
        k.FundsRestored(**ABOUT, origin=O, number=1, amount_fen=100, total_fen=100),
    ),
    Row(
        "written-off (claim)",
        _changed(
            k.WrittenOff,
            amount_fen=100,
            credited_fen=100,
            lost_fen=100,
            written_off_fen=100,
            what="claim",
            reason="insolvent",
        ),
    ),
    Row(
        "waived",
        _changed(
            k.Waived,
            amount_fen=100,
            credited_fen=100,
            lost_fen=100,
            written_off_fen=100,
            reason="small",
        ),
    ),
    Row(
        "recovered",
        _changed(
            k.Recovered,
            amount_fen=10,
            credited_fen=100,
            matched_fen=90,
            undue_fen=10,
            recovered_fen=10,
        ),
    ),
    Row(
        "receipt-returned",
        _changed(
            k.ReceiptReturned,
            amount_fen=5,
            credited_fen=100,
            matched_fen=100,
            sent_back_fen=5,
            receipt=ID,
        ),
    ),
    Row(
        "match-undone",
        _changed(k.MatchUndone, amount_fen=100, credited_fen=100, open_fen=100, receipt=ID, part=0),
    ),
    Row(
        "receipt-taken-back",
        _changed(k.ReceiptTakenBack, amount_fen=100, credited_fen=100, open_fen=100, debit=ID),
    ),
    Row("paid-out", s.PaidOut(**ABOUT, region=O, amount_fen=100, reason="x")),
    Row("remind (due)", t.Remind(**ABOUT, due_at=AT)),
    Row("retry", t.Retry(**ABOUT, by="op", why="the origin asks for it")),
)
