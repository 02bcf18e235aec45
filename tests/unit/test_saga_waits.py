"""What an operator is told of a transfer in each of its states, and what a retry says again."""

import pytest

from services.transfer import repair
from services.transfer.samples import AT, RECORD_STATES, D, O
from services.transfer.samples_money import MONEY_STATES
from services.transfer.states import Asked, go
from shared import regions
from shared.decision import replace
from shared.messages import enrollment as e
from shared.settings import Settings

REGIONS = regions.load(Settings().regions)
RULES = REGIONS.corridor(O, D, AT.date())
STATES = {
    **{name: now for name, now in RECORD_STATES.items() if now and name != "released"},
    **MONEY_STATES,
}
AGAIN = "jiexu retry ID"
ACCOUNT = f"money O the release of the account: {AGAIN}", "release-funds→O"
OWES = "money O the origin's remittance: ask the origin; jiexu receipts", ""
UNTIL = {
    "opened": (f"record O the origin's answer to the request (受理): {AGAIN}", "release-record→O"),
    "opened, withdrawing": (
        f"record O the origin's word on the withdrawal: {AGAIN}",
        "cancel-release→O",
    ),
    "releasing": (
        "record O the record (参保信息表): ask the origin's clerks; or jiexu retry ID",
        "release-record→O",
    ),
    "releasing, withdrawing": (
        f"record O the origin's word on the withdrawal: {AGAIN}",
        "cancel-release→O",
    ),
    "disputed": (
        "record O a corrected record (纠错): ask the origin; or jiexu retry ID | " + ACCOUNT[0],
        "correct-record→O release-funds→O",
    ),
    "joined": ACCOUNT,
    "joined, late months on their way": ACCOUNT,
    "released, paused": (
        "both D an operator: paused by op (why): jiexu resume ID --reason … | "
        f"record D the months to be joined (转入办结): {AGAIN} | {ACCOUNT[0]}",
        "release-funds→O",
    ),
    "refused, after the release": OWES,
    "restoring": (
        f"record D the record to be put back: {AGAIN} | {ACCOUNT[0]}",
        "restore-record→D release-funds→O",
    ),
    "restoring, not joined yet": (
        f"record D the record to be put back: {AGAIN} | {ACCOUNT[0]}",
        "restore-record→D release-funds→O",
    ),
    "restoring, months out": (
        f"record O the record to be put back: {AGAIN} | {ACCOUNT[0]}",
        "restore-record→O release-funds→O",
    ),
    "pending": ACCOUNT,
    "pending, going back": ACCOUNT,
    "released": (f"money D the advance (预划): {AGAIN}", ""),
    "corrected down": (f"money D the advance (预划): {AGAIN}", ""),
    "withheld": (
        "money O the account, which the origin holds back: ask the origin; or jiexu retry ID",
        "release-funds→O",
    ),
    "awaiting_funds": OWES,
    "advanced": OWES,
    "short": (
        "money O the rest of the origin's remittance: ask the origin; jiexu receipts",
        "",
    ),
    "over": ("money D the excess to be returned or credited: jiexu items --queue excess", ""),
    "recovering": ("money D what the person owes: jiexu items --queue recovery", ""),
    "restoring, asked of D": (
        f"money D what is unspent to be put back: {AGAIN}",
        "reverse-advance→D",
    ),
    "restoring, asked of O": (
        f"money O what is unspent to be put back: {AGAIN}",
        "restore-funds→O",
    ),
}
WHO = {O: "O", D: "D"}


@pytest.mark.parametrize("state", STATES)
def test_a_transfer_says_what_it_waits_for_of_whom_and_what_can_be_done(state: str) -> None:
    now = STATES[state]
    assert now

    waits = [f"{w.leg} {WHO[w.of]} {w.awaits}: {w.do}" for w in repair.waits(now)]
    said = [f"{m.type.split('.')[1]}→{WHO[m.to]}" for m in repair.unanswered(now, RULES)]

    told = " | ".join(waits).replace(" --reason …; or look at jiexu dead-letters", "")
    assert (told, " ".join(said)) == UNTIL.get(state, ("", ""))


def test_an_account_that_is_paid_out_is_asked_for_as_a_payout_again() -> None:
    now = MONEY_STATES["pending"]
    assert now
    now = replace(now, account=False)

    assert [m.type for m in repair.unanswered(now, RULES)] == ["settlement.pay-out.v1"]


def test_of_two_restorations_under_way_none_is_asked_for_again() -> None:
    now = MONEY_STATES["restoring, asked of O"]
    assert now
    both = replace(now, funds=replace(now.funds, reversals=2, reversed=2))

    assert repair.unanswered(both, RULES) == []


def test_a_closed_transfer_that_is_paused_waits_for_its_operator() -> None:
    now = RECORD_STATES["released, paused"]
    assert now

    waits = repair.waits(replace(now, closed_at=AT))

    assert waits[0].leg == "both"
    assert repair.waits(replace(now, closed_at=AT, paused=None)) == ()


def test_a_command_that_is_answered_is_not_kept() -> None:
    now = MONEY_STATES["advanced"]
    assert now
    asked = Asked("settlement.credit-advance.v1", now.funds.answered, "{}")
    step = repair.keep(go(replace(now, asked=(asked,)), "because"))

    assert step.transfer
    assert step.transfer.asked == ()
    assert not [m for m in repair.unanswered(step.transfer, RULES) if isinstance(m, e.JoinRecord)]
