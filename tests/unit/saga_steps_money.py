"""Steps of the money: what was heard, the facts that the last of it changes, what is then said."""

from datetime import date, timedelta

from shared.messages import Message
from shared.messages import settlement as s
from shared.messages import settlement_compensation as k
from tests.unit.saga_steps import (
    BACK,
    DISPUTED,
    MOVED,
    NEXT_DAY,
    NO_ACCOUNT,
    NOTHING,
    OUT,
    REMINDED,
    REVERSE,
    STAYS,
    Steps,
)
from tests.unit.saga_stories import ABOUT, FROM, ID, applied, credited, funds, registered, released
from tests.unit.test_saga_repair import STORY, WITHHELD
from tests.unit.test_saga_restoring import restored, reversed_

LOST = dict.fromkeys(("credited_fen", "amount_fen", "lost_fen", "written_off_fen"), 100)


def owed(version: int, delta_fen: int) -> s.FundsCorrected:
    return s.FundsCorrected(
        **FROM, version=version, delta_fen=delta_fen, released_on=date(2026, 3, 4)
    )


def declined(version: int = 1) -> s.AdvanceDeclined:
    return s.AdvanceDeclined(**FROM, version=version, code="limit_reached", awaiting_fen=100)


def paid_out(amount_fen: int, total_fen: int | None = None) -> s.PaidOut:
    amounts = {"amount_fen": amount_fen, "total_fen": total_fen}
    return s.PaidOut.model_validate({**ABOUT, **amounts, "region": "410100", "reason": "x"})


def part_came(**facts: int) -> Message:
    return applied(s.ShortfallFound, 60).model_copy(update=facts)


def changed(kind: type[k.ClaimChanged], **facts: object) -> k.ClaimChanged:
    amounts = [name for name in k.ClaimChanged.model_fields if name.endswith("_fen")]
    return kind.model_validate({**FROM, **dict.fromkeys(amounts, 0), **facts})


def adjusted(version: int) -> k.ClaimChanged:
    facts = {"amount_fen": 7, "credited_fen": 93, "open_fen": 93, "unspent_fen": 0}
    return changed(k.AdvanceAdjusted, **facts, version=version)


BOUNCED = changed(k.ReceiptTakenBack, amount_fen=60, credited_fen=60, open_fen=60, debit=ID)

MONEY_STEPS: Steps = {
    "money that was withheld is owed with its interest": (
        (
            registered(),
            released(),
            WITHHELD,
            NEXT_DAY,
            funds(70, interest_fen=30, version=2, released_on=date(2026, 3, 3)),
        ),
        "money=released reason=- deadlines=transfer-in@03-10 whole@03-24 withheld_until=- "
        "version=2 released=100",
        "credit-advance→D version=2 amount_fen=100 released_on=03-03 advance=True",
    ),
    "more is owed": (
        (registered(), released(), funds(), owed(2, 7)),
        "version=2 released=107",
        "credit-advance→D version=2 amount_fen=7 released_on=03-04 advance=True",
    ),
    "less is owed": (
        (registered(), released(), funds(), credited(), owed(2, -7)),
        "version=2 released=93 adjusting=2",
        "adjust-advance→D version=2 amount_fen=7",
    ),
    "less is owed of what was closed": (
        (*STORY, NEXT_DAY, owed(2, -7)),
        "money=released due_at=03-25 closed_at=- deadlines=whole@03-25 version=2 released=93 "
        "adjusting=2",
        "adjust-advance→D version=2 amount_fen=7",
    ),
    "more is owed of what was closed": (
        (*STORY, NEXT_DAY, owed(2, 7)),
        "money=short due_at=03-25 closed_at=- deadlines=whole@03-25 version=2 released=107",
        "credit-advance→D version=2 amount_fen=7 released_on=03-04 advance=True",
    ),
    "withheld money has the origin's date": (
        (registered(), released(), WITHHELD),
        "money=withheld reason=account_frozen deadlines=transfer-in@03-10 whole@03-24 funds@03-05 "
        "withheld_until=03-05",
        "",
    ),
    "withheld money has turned out to be none": (
        (registered(), released(), WITHHELD, NOTHING),
        "money=none reason=- deadlines=transfer-in@03-10 whole@03-24 withheld_until=-",
        "",
    ),
    "an advance is remembered with its day": (
        (registered(), released(), funds(), NEXT_DAY, credited()),
        "money=advanced advanced_at=03-03T09:30 answered=1 credited=100 open=100",
        "",
    ),
    "the day of the first advance stays": (
        (registered(), released(), funds(), credited(), owed(2, 7), NEXT_DAY, credited(107, 2)),
        "answered=2 credited=107 open=107",
        "",
    ),
    "a declined advance has its reason": (
        (registered(), released(), funds(), declined()),
        "money=awaiting_funds reason=limit_reached answered=1",
        "",
    ),
    "an advance that was declined first has none": (
        (registered(), released(), funds(), declined(), credited()),
        "money=advanced reason=- advanced_at=03-02T09:30 credited=100 open=100",
        "",
    ),
    "an account paid out": ((*NO_ACCOUNT, paid_out(7)), "money=paid_out paid_out=7", ""),
    "an account paid out twice": ((*NO_ACCOUNT, paid_out(7), paid_out(2)), "paid_out=9", ""),
    "an account paid out, with its total": (
        (*NO_ACCOUNT, paid_out(7), paid_out(2, 9)),
        "paid_out=9",
        "",
    ),
    "an account with nothing to pay out": ((*NO_ACCOUNT, paid_out(0)), "", ""),
    "withheld money is asked for again on its date, and nothing is late": (
        (registered(), released(), WITHHELD, timedelta(days=3), REMINDED),
        "deadlines=transfer-in@03-10 whole@03-24 funds@04-04T09:30+1",
        "release-funds→O",
    ),
    "what is late stays late when withheld money is asked for": (
        (
            registered(),
            timedelta(days=2),
            REMINDED,
            released(),
            WITHHELD,
            timedelta(days=3),
            REMINDED,
        ),
        "deadlines=transfer-in@03-12 whole@03-26 funds@04-06T09:30+1",
        "release-funds→O",
    ),
    "owed while the record is disputed, it keeps the reason of the dispute": (
        (*DISPUTED, funds()),
        "money=released version=1 released=100",
        "credit-advance→D version=1 amount_fen=100 released_on=03-02 advance=True",
    ),
    "held back while the record is disputed, it keeps the reason of the dispute": (
        (*DISPUTED, WITHHELD),
        "money=withheld deadlines=transfer-in@03-10 whole@03-24 funds@03-05 withheld_until=03-05",
        "",
    ),
    "no money at all while the record is disputed, it keeps the reason of the dispute": (
        (*DISPUTED, NOTHING),
        "money=none",
        "",
    ),
    "credited while the record is disputed, it keeps the reason of the dispute": (
        (*DISPUTED, funds(), credited()),
        "money=advanced advanced_at=03-02T09:30 answered=1 credited=100 open=100",
        "",
    ),
    "credited in part while the record is disputed, it keeps the reason of the dispute": (
        (*DISPUTED, funds(), owed(2, 7), credited(100)),
        "money=advanced advanced_at=03-02T09:30 answered=1 credited=100 open=100",
        "",
    ),
    "declined while the record is disputed, it keeps the reason of the dispute": (
        (*DISPUTED, funds(), declined()),
        "money=awaiting_funds answered=1",
        "",
    ),
    "a part of what was declined comes: the reason stays": (
        (registered(), released(), funds(), declined(), part_came(credited_fen=60)),
        "money=short credited=60 matched=60",
        "",
    ),
    "a part of what was advanced comes": (
        (registered(), released(), funds(), credited(), part_came(open_fen=40)),
        "money=short matched=60 open=40",
        "",
    ),
    "an earlier answer after a later one": (
        (registered(), released(), funds(), owed(2, 7), declined(2), credited(100)),
        "money=advanced reason=- advanced_at=03-02T09:30 credited=100 open=100",
        "",
    ),
    "an earlier version is declined after all was answered": (
        (registered(), released(), funds(), owed(2, 7), declined(2), declined(1)),
        "",
        "",
    ),
    "the money of a transfer that goes back is credited and taken back": (
        (registered(), released(), REVERSE, OUT, NEXT_DAY, funds()),
        "money=restoring version=1 released=100 reversals=1",
        "credit-advance→D version=1 amount_fen=100 released_on=03-02 advance=False; "
        "reverse-advance→D number=1",
    ),
    "the money of a transfer that goes back is held, and kept": (
        (registered(), released(), REVERSE, OUT, WITHHELD),
        "money=none",
        "",
    ),
    "held money is asked for again while D may still refuse to go back": (
        (registered(), released(), REVERSE, WITHHELD),
        "money=withheld deadlines=whole@03-24 funds@03-05 withheld_until=03-05",
        "",
    ),
    "held money that is let go after D has refused to go back is credited": (
        (registered(), released(), REVERSE, WITHHELD, STAYS, funds()),
        "money=released deadlines=whole@03-24 transfer-in@03-10 withheld_until=- version=1 "
        "released=100",
        "credit-advance→D version=1 amount_fen=100 released_on=03-02 advance=True",
    ),
    "held money of a transfer that goes back is held no more": (
        (registered(), released(), WITHHELD, REVERSE, OUT),
        "money=none months_out=True deadlines=whole@03-24 withheld_until=-",
        "restore-record→O new_scheme=310",
    ),
    "a transfer that goes back has no money": (
        (registered(), released(), REVERSE, OUT, NOTHING),
        "money=none",
        "",
    ),
    "more is owed of what goes back": (
        (*MOVED, REVERSE, OUT, owed(2, 7)),
        "version=2 released=107 reversals=2",
        "credit-advance→D version=2 amount_fen=7 released_on=03-04 advance=False; "
        "reverse-advance→D number=2",
    ),
    "less is owed of what goes back": (
        (*MOVED, REVERSE, OUT, owed(2, -7)),
        "version=2 released=93 adjusting=2",
        "adjust-advance→D version=2 amount_fen=7",
    ),
    "what goes back waits until D has answered all that O owes": (
        (*MOVED, owed(2, -7), REVERSE, OUT, adjusted(2)),
        "money=restoring answered=2 credited=93 open=93 reversals=1",
        "reverse-advance→D number=1",
    ),
    "taken back by the bank while some is awaited, it keeps why": (
        (registered(), released(), funds(), declined(), part_came(credited_fen=60), BOUNCED),
        "money=advanced matched=0 open=60",
        "",
    ),
    "D took back what was unspent": (
        (*MOVED, REVERSE, OUT, reversed_(1, 100)),
        "released=0 credited=0 open=0 reversed=1 restoring=100",
        "restore-funds→O number=1 amount_fen=100",
    ),
    "O gave back what D took": (
        (*MOVED, REVERSE, OUT, BACK, reversed_(1, 100), NEXT_DAY, restored(1, 100, 100)),
        "money=restored closed_at=03-03T09:30 deadlines=- restorations=1 restoring=0 restored=100",
        "closed→D record=restored money=restored reason=court-order restored_fen=100",
    ),
    "D took back what O does not owe": (
        (registered(), released(), funds(), credited(), owed(2, -7), adjusted(2)),
        "answered=2 credited=93 open=93",
        "",
    ),
    "the bank takes a receipt back: what was closed is due again": (
        (
            *STORY,
            NEXT_DAY,
            changed(k.ReceiptTakenBack, open_fen=100, credited_fen=100, amount_fen=100, debit=ID),
        ),
        "money=advanced due_at=03-25 closed_at=- deadlines=whole@03-25 matched=0 open=100",
        "",
    ),
    "what came twice goes back: a closed transfer stays closed": (
        (
            *STORY,
            NEXT_DAY,
            changed(k.ReceiptReturned, credited_fen=100, matched_fen=100, amount_fen=5, receipt=ID),
        ),
        "",
        "",
    ),
    "a claim is given up": (
        (*MOVED, changed(k.WrittenOff, **LOST, what="claim", reason="insolvent")),
        "money=written_off closed_at=03-02T09:30 deadlines=- open=0 lost=100 written_off=100",
        "closed→D record=joined money=written_off reason=- released_fen=100 advanced_fen=100 "
        "written_off_fen=100",
    ),
}
