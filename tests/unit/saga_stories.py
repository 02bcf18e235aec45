"""The paths of a transfer: a message in, the two states after it, the messages out."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from shared.calendar import SHANGHAI
from shared.messages import Message
from shared.messages import enrollment as e
from shared.messages import settlement as s
from shared.messages import transfer as t

MONDAY = datetime(2026, 3, 2, 9, 30, tzinfo=SHANGHAI)
ID = UUID("00000000-0000-5000-8000-00000000000a")
ABOUT: dict[str, Any] = {"to": "450100", "person": "p", "transfer": ID}
FROM: dict[str, Any] = {**ABOUT, "origin": "410100"}
MONTHS = ((24230, 24313),)


def registered(**fields: Any) -> e.Registered:  # noqa: ANN401 - fields of the message
    given = {
        "record": ID,
        "action": "enroll",
        "occurred_at": MONDAY,
        "scheme": "310",
        "account": True,
        "month": 24314,
        "origin_scheme": "310",
        **FROM,
    }
    return e.Registered(**{**given, **fields})


def released(**fields: Any) -> e.RecordReleased:  # noqa: ANN401 - fields of the message
    given = {
        "version": 1,
        "scheme": "310",
        "months": MONTHS,
        "last_month": 24313,
        "account": True,
        "digest": "d",
        **FROM,
    }
    return e.RecordReleased(**{**given, **fields})


def joined() -> e.RecordJoined:
    return e.RecordJoined(
        **FROM,
        months=MONTHS,
        months_total=84,
        entitled_from=24314,
        waiting_months=0,
        retroactive_from=None,
    )


def funds(amount: int = 100, **fields: Any) -> s.FundsReleased:  # noqa: ANN401
    given = {
        "version": 1,
        "principal_fen": amount,
        "interest_fen": 0,
        "unfunded_fen": 0,
        "released_on": MONDAY.date(),
        **FROM,
    }
    return s.FundsReleased(**{**given, **fields})


def credited(amount: int = 100, version: int = 1, opened: int | None = None) -> s.AdvanceCredited:
    claim = amount if opened is None else opened
    return s.AdvanceCredited(
        **FROM, version=version, amount_fen=amount, credited_fen=amount, open_fen=claim
    )


def applied(kind: type[s.Applied], matched: int, opened: int = 0, excess: int = 0) -> s.Applied:
    return kind(
        **FROM,
        receipt=ID,
        applied_fen=matched,
        matched_fen=matched,
        credited_fen=100,
        open_fen=opened,
        excess_fen=excess,
    )


WITHDRAW = t.Withdraw(**ABOUT)
DEATH = e.PersonDeceased(**ABOUT, died_on=date(2026, 3, 2))
ACCEPTED = e.ReleaseAccepted(**FROM)
CANCELLED = e.ReleaseCancelled(**FROM)
APPLY = t.Apply(
    **FROM, scheme="310", new_scheme="310", trigger="person", account=True, occurred_at=MONDAY
)

STORIES: dict[str, list[tuple[Message, str, list[str]]]] = {
    "an advance that is funded exactly": [
        (registered(), "opened/pending", ["release-record"]),
        (ACCEPTED, "releasing/pending", []),
        (released(), "released/pending", ["join-record", "release-funds"]),
        (funds(), "released/released", ["credit-advance"]),
        (credited(), "released/advanced", []),
        (joined(), "joined/advanced", ["terminate-record"]),
        (applied(s.AdvanceFunded, 100), "joined/funded", ["closed"]),
    ],
    "the record is joined after the money came": [
        (registered(), "opened/pending", ["release-record"]),
        (released(), "released/pending", ["join-record", "release-funds"]),
        (funds(), "released/released", ["credit-advance"]),
        (credited(), "released/advanced", []),
        (applied(s.AdvanceFunded, 100), "released/funded", []),
        (joined(), "joined/funded", ["terminate-record", "closed"]),
    ],
    "less arrives, then the rest": [
        (registered(), "opened/pending", ["release-record"]),
        (released(), "released/pending", ["join-record", "release-funds"]),
        (joined(), "joined/pending", ["terminate-record"]),
        (funds(), "joined/released", ["credit-advance"]),
        (credited(), "joined/advanced", []),
        (applied(s.ShortfallFound, 60, opened=40), "joined/short", []),
        (applied(s.AdvanceFunded, 100), "joined/funded", ["closed"]),
    ],
    "too much arrives, and the excess goes": [
        (registered(), "opened/pending", ["release-record"]),
        (released(), "released/pending", ["join-record", "release-funds"]),
        (joined(), "joined/pending", ["terminate-record"]),
        (funds(), "joined/released", ["credit-advance"]),
        (credited(), "joined/advanced", []),
        (applied(s.ExcessFound, 100, excess=5), "joined/over", []),
        (applied(s.AdvanceFunded, 100), "joined/funded", ["closed"]),
    ],
    "a late duplicate reopens what was closed": [
        (registered(), "opened/pending", ["release-record"]),
        (released(), "released/pending", ["join-record", "release-funds"]),
        (joined(), "joined/pending", ["terminate-record"]),
        (funds(), "joined/released", ["credit-advance"]),
        (credited(), "joined/advanced", []),
        (applied(s.AdvanceFunded, 100), "joined/funded", ["closed"]),
        (applied(s.ExcessFound, 100, excess=100), "joined/over", []),
    ],
    "the advance is declined, the money is credited when it comes": [
        (registered(), "opened/pending", ["release-record"]),
        (released(), "released/pending", ["join-record", "release-funds"]),
        (joined(), "joined/pending", ["terminate-record"]),
        (funds(), "joined/released", ["credit-advance"]),
        (
            s.AdvanceDeclined(**FROM, version=1, code="limit_reached", awaiting_fen=100),
            "joined/awaiting_funds",
            [],
        ),
        (applied(s.FundsCredited, 100), "joined/funded", ["closed"]),
    ],
    "declined, and offered again when the limit has room": [
        (registered(), "opened/pending", ["release-record"]),
        (released(), "released/pending", ["join-record", "release-funds"]),
        (funds(), "released/released", ["credit-advance"]),
        (
            s.AdvanceDeclined(**FROM, version=1, code="limit_reached", awaiting_fen=100),
            "released/awaiting_funds",
            [],
        ),
        (credited(), "released/advanced", []),
    ],
    "the origin refuses": [
        (registered(), "opened/pending", ["release-record"]),
        (
            e.ReleaseRefused(**FROM, code="origin-not-stopped"),
            "refused/none",
            ["closed"],
        ),
    ],
    "withdrawn before the release": [
        (registered(), "opened/pending", ["release-record"]),
        (ACCEPTED, "releasing/pending", []),
        (WITHDRAW, "releasing/pending", ["cancel-release"]),
        (CANCELLED, "withdrawn/none", ["withdrawn", "closed"]),
    ],
    "withdrawn too late: the origin was quicker": [
        (registered(), "opened/pending", ["release-record"]),
        (WITHDRAW, "opened/pending", ["cancel-release"]),
        (
            released(),
            "released/pending",
            ["join-record", "release-funds", "withdrawal-refused"],
        ),
        (released(), "released/pending", []),
        (WITHDRAW, "released/pending", ["withdrawal-refused"]),
    ],
    "death before the release": [
        (registered(), "opened/pending", ["release-record"]),
        (DEATH, "opened/pending", ["cancel-release"]),
        (CANCELLED, "withdrawn/none", ["withdrawn", "closed"]),
    ],
    "no account at the destination, the origin keeps the money": [
        (registered(account=False), "opened/pending", ["release-record"]),
        (released(), "released/none", ["join-record"]),
        (joined(), "joined/none", ["terminate-record", "closed"]),
    ],
    "no account at the destination, the origin pays out": [
        (
            registered(account=False, to="450100", origin="340100"),
            "opened/pending",
            ["release-record"],
        ),
        (released(origin="340100"), "released/pending", ["join-record", "pay-out"]),
        (
            s.PaidOut(**ABOUT, region="340100", amount_fen=7, reason="x"),
            "released/paid_out",
            [],
        ),
        (joined(), "joined/paid_out", ["terminate-record", "closed"]),
    ],
    "inside Hebei no transfer is needed": [
        (
            registered(to="130100", origin="130600"),
            "not_needed/none",
            ["closed"],
        )
    ],
    "zero balance: only the record moves": [
        (registered(), "opened/pending", ["release-record"]),
        (released(), "released/pending", ["join-record", "release-funds"]),
        (s.NothingToRelease(**FROM, code="zero_balance"), "released/none", []),
        (joined(), "joined/none", ["terminate-record", "closed"]),
    ],
    "the record is disputed and corrected": [
        (registered(), "opened/pending", ["release-record"]),
        (released(), "released/pending", ["join-record", "release-funds"]),
        (
            e.RecordDisputed(**FROM, code="digest-mismatch"),
            "disputed/pending",
            ["correct-record"],
        ),
        (
            e.RecordCorrected(
                **FROM, version=2, scheme="310", months=MONTHS, last_month=1, digest=""
            ),
            "released/pending",
            ["join-record"],
        ),
        (joined(), "joined/pending", ["terminate-record"]),
    ],
    "the chain: the origin owes more than it said": [
        (registered(), "opened/pending", ["release-record"]),
        (released(), "released/pending", ["join-record", "release-funds"]),
        (joined(), "joined/pending", ["terminate-record"]),
        (s.NothingToRelease(**FROM, code="zero_balance"), "joined/none", ["closed"]),
        (
            s.FundsCorrected(**FROM, version=2, delta_fen=100, released_on=MONDAY.date()),
            "joined/released",
            ["credit-advance"],
        ),
        (credited(version=2), "joined/advanced", []),
    ],
    "an application starts what enrolling does not": [
        (registered(to="340100"), "-", []),
        (APPLY, "opened/pending", ["release-record"]),
    ],
}
