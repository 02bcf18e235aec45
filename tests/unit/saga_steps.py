"""Steps of a transfer: what was heard, the facts that the last of it changes, what is then said."""

from datetime import timedelta

from shared.messages import Message
from shared.messages import enrollment as e
from shared.messages import settlement as s
from shared.messages import transfer as t
from tests.unit.saga_stories import (
    ABOUT,
    ACCEPTED,
    CANCELLED,
    DEATH,
    FROM,
    MONDAY,
    WITHDRAW,
    credited,
    funds,
    registered,
    released,
)
from tests.unit.test_saga_repair import STORY, corrected, disputed, joins

NEXT_DAY = timedelta(days=1)
MOVED = STORY[:6]
KEPT = e.RecordWithheld(**FROM, code="sealed")
REVERSE = t.Reverse(**ABOUT, proposed_by="chen", approved_by="li", reason="court-order")
OUT = e.RecordRestored(**FROM, region="450100")
STAYS = e.RestoreRefused(**FROM, code="moved-on")
BACK = e.RecordRestored(**FROM, region="410100")
NOTHING = s.NothingToRelease(**FROM, code="zero_balance")
DISPUTED = (registered(), released(), disputed(1))
REMINDED = t.Remind(**ABOUT, due_at=MONDAY)
NO_ACCOUNT = (registered(account=False), released())


Heard = tuple[Message | timedelta, ...]
Steps = dict[str, tuple[Heard, str, str]]
RECORD_STEPS: Steps = {
    "the origin's acceptance starts the clocks of the origin and of the whole": (
        (registered(), NEXT_DAY, ACCEPTED),
        "record=releasing accepted_at=03-03T09:30 due_at=03-25 deadlines=transfer-out@03-18 "
        "whole@03-25",
        "",
    ),
    "a release that nobody accepted before starts the whole clock": (
        (registered(), NEXT_DAY, released()),
        "record=released version=1 accepted_at=03-03T09:30 due_at=03-25 "
        "deadlines=transfer-in@03-11 whole@03-25",
        "join-record→D version=1 scheme=310 new_scheme=310; release-funds→O",
    ),
    "a release leaves the whole clock as the acceptance set it": (
        (registered(), ACCEPTED, NEXT_DAY, released(version=3)),
        "record=released version=3 deadlines=whole@03-24 transfer-in@03-11",
        "join-record→D version=3 scheme=310 new_scheme=310; release-funds→O",
    ),
    "a refusal ends it with the origin's reason": (
        (registered(), e.ReleaseRefused(**FROM, code="duplicate")),
        "record=refused money=none reason=duplicate closed_at=03-02T09:30 deadlines=-",
        "closed→D record=refused money=none reason=duplicate",
    ),
    "a refusal of what was withdrawn ends it as withdrawn": (
        (registered(), WITHDRAW, e.ReleaseRefused(**FROM, code="duplicate")),
        "record=withdrawn money=none reason=withdrawn closed_at=03-02T09:30 deadlines=-",
        "withdrawn→D code=withdrawn; closed→D record=withdrawn money=none reason=withdrawn",
    ),
    "a refusal for a death ends it as withdrawn": (
        (registered(), e.ReleaseRefused(**FROM, code="deceased")),
        "record=withdrawn money=none reason=deceased closed_at=03-02T09:30 deadlines=-",
        "closed→D record=withdrawn money=none reason=deceased",
    ),
    "a withdrawal is remembered until the origin has answered": (
        (registered(), ACCEPTED, WITHDRAW),
        "withdrawing=withdrawn",
        "cancel-release→O",
    ),
    "a death before the release withdraws it": (
        (registered(), ACCEPTED, DEATH),
        "withdrawing=deceased deceased=True",
        "cancel-release→O",
    ),
    "a death after the release is remembered": (
        (registered(), released(), DEATH),
        "deceased=True",
        "",
    ),
    "forgotten by the origin, it is withdrawn for the reason that was remembered": (
        (registered(), ACCEPTED, DEATH, CANCELLED),
        "record=withdrawn money=none reason=deceased closed_at=03-02T09:30 deadlines=-",
        "withdrawn→D code=deceased; closed→D record=withdrawn money=none reason=deceased",
    ),
    "a release forgets the withdrawal": (
        (registered(), WITHDRAW, released()),
        "record=released version=1 withdrawing=- accepted_at=03-02T09:30 due_at=03-24 "
        "deadlines=transfer-in@03-10 whole@03-24",
        "join-record→D version=1 scheme=310 new_scheme=310; release-funds→O; withdrawal-refused→D "
        "code=already-released",
    ),
    "a release after a death before it refuses nobody": (
        (registered(), DEATH, released()),
        "record=released version=1 withdrawing=- accepted_at=03-02T09:30 due_at=03-24 "
        "deadlines=transfer-in@03-10 whole@03-24",
        "join-record→D version=1 scheme=310 new_scheme=310; release-funds→O",
    ),
    "a refusal that the end of cover would undo can be withdrawn": (
        (registered(), e.ReleaseRefused(**FROM, code="origin-not-stopped"), WITHDRAW),
        "withdrawing=withdrawn",
        "cancel-release→O",
    ),
    "such a refusal is withdrawn when the origin has forgotten it": (
        (registered(), e.ReleaseRefused(**FROM, code="origin-not-stopped"), WITHDRAW, CANCELLED),
        "record=withdrawn reason=withdrawn",
        "withdrawn→D code=withdrawn; closed→D record=withdrawn money=none reason=withdrawn",
    ),
    "neither region has an account: nothing is paid out": (
        (registered(account=False, origin="340100"), released(account=False, origin="340100")),
        "record=released money=none version=1 accepted_at=03-02T09:30 due_at=03-24 "
        "deadlines=transfer-in@03-10 whole@03-24",
        "join-record→D version=1 scheme=310 new_scheme=310",
    ),
    "a withdrawal after its end is answered": (
        (registered(), WITHDRAW, CANCELLED, WITHDRAW),
        "",
        "withdrawal-refused→D code=already-ended",
    ),
    "an empty account at the origin moves no money": (
        (registered(), released(account=False)),
        "record=released money=none version=1 accepted_at=03-02T09:30 due_at=03-24 "
        "deadlines=transfer-in@03-10 whole@03-24",
        "join-record→D version=1 scheme=310 new_scheme=310",
    ),
    "months that are joined stop the destination's clock": (
        (registered(), released(), joins(1)),
        "record=joined deadlines=whole@03-24 joined_version=1",
        "terminate-record→O",
    ),
    "months that came late are joined": (
        (registered(), released(), joins(1), corrected(2), joins(2)),
        "joined_version=2",
        "",
    ),
    "a dispute stops the clocks": (
        (registered(), released(), NEXT_DAY, disputed(1)),
        "record=disputed reason=digest-mismatch stopped_at=03-03T09:30",
        "correct-record→O code=digest-mismatch version=1",
    ),
    "a corrected record lets the clocks go on, later by the days they stood": (
        (registered(), released(), NEXT_DAY, disputed(1), NEXT_DAY, corrected(2)),
        "record=released reason=- version=2 stopped_at=- due_at=03-25 deadlines=transfer-in@03-11 "
        "whole@03-25",
        "join-record→D version=2 scheme=310 new_scheme=310",
    ),
    "a corrected record that is joined already": (
        (*DISPUTED, corrected(2), corrected(2)),
        "",
        "",
    ),
    "a correction that is no later than what is disputed": (
        (registered(), released(version=2), disputed(2), corrected(2)),
        "",
        "",
    ),
    "a corrected record after the join": (
        (registered(), released(), joins(1), corrected(2)),
        "version=2",
        "join-record→D version=2 scheme=310 new_scheme=310",
    ),
    "a withheld record lets the clocks go on": (
        (registered(), released(), disputed(1), NEXT_DAY, KEPT),
        "record=refused reason=record-withheld reversing=record-withheld stopped_at=- "
        "due_at=03-25 deadlines=whole@03-25",
        "",
    ),
    "a withheld record takes joined months out": (
        (registered(), released(), joins(1), corrected(2), disputed(2), KEPT),
        "record=refused reason=record-withheld reversing=record-withheld stopped_at=-",
        "restore-record→D new_scheme=310",
    ),
    "a withheld record takes the money back": (
        (registered(), released(), funds(), credited(), disputed(1), KEPT),
        "record=refused money=restoring reason=record-withheld reversing=record-withheld "
        "stopped_at=- deadlines=whole@03-24 reversals=1",
        "reverse-advance→D number=1",
    ),
    "a withheld record waits for the advance that it takes back": (
        (registered(), released(), funds(), disputed(1), KEPT),
        "record=refused reason=record-withheld reversing=record-withheld stopped_at=- "
        "deadlines=whole@03-24",
        "",
    ),
    "two people reverse it": (
        (*MOVED, NEXT_DAY, REVERSE),
        "record=restoring reason=court-order reversing=court-order",
        "restore-record→D new_scheme=310",
    ),
    "two people reverse what was closed": (
        (*STORY, NEXT_DAY, REVERSE),
        "record=restoring reason=court-order reversing=court-order due_at=03-25 closed_at=- "
        "deadlines=whole@03-25",
        "restore-record→D new_scheme=310",
    ),
    "two people reverse what is disputed": (
        (registered(), released(), disputed(1), NEXT_DAY, REVERSE),
        "record=restoring reason=court-order reversing=court-order stopped_at=- due_at=03-25 "
        "deadlines=whole@03-25",
        "restore-record→D new_scheme=310",
    ),
    "the destination refuses to go back": (
        (*MOVED, REVERSE, STAYS),
        "record=joined reason=- reversing=-",
        "reversal-refused→D code=moved-on",
    ),
    "the destination refuses to go back before it joined": (
        (registered(), released(), REVERSE, STAYS),
        "record=released reason=- reversing=- deadlines=whole@03-24 transfer-in@03-10",
        "reversal-refused→D code=moved-on; join-record→D version=1 scheme=310 new_scheme=310",
    ),
    "the months are out": (
        (*MOVED, REVERSE, OUT),
        "money=restoring months_out=True reversals=1",
        "restore-record→O new_scheme=310; reverse-advance→D number=1",
    ),
    "the origin has the record again": ((*MOVED, REVERSE, OUT, BACK), "record=restored", ""),
    "the origin's answer is late": (
        (registered(), timedelta(days=2), REMINDED),
        "overdue=True deadlines=answer@03-12+1",
        "overdue→D step=answer due_at=03-04 region=410100",
    ),
    "one alone reverses nothing": (
        (*MOVED, REVERSE.model_copy(update={"approved_by": "chen"})),
        "",
        "reversal-refused→D code=needs_two_people",
    ),
}
