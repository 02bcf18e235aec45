"""What happens to people: each story is the rows that registration systems send about one person.

A story begins with a history at the origin and goes on at the destination; times lie in office
hours. What is not given is drawn.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from random import Random

from deploy.sandbox.feed import Row
from deploy.sandbox.people import Person, balance_fen, employer_id
from shared import months
from shared.calendar import SHANGHAI, WorkingCalendar
from shared.money import yuan
from shared.regions import Regions, scheme_pair

EMPLOYEE, RESIDENT = "310", "390"
# Base of a month in yuan, and the share of it that an employee's account is credited with.
_BASES = (4300, 14_000)
_ACCOUNT_SHARE = 0.02
_FLEXIBLE_SHARE = 0.35
_HISTORY_YEARS = (1, 15)
_CALENDAR = WorkingCalendar()


@dataclass(frozen=True, slots=True)
class Stage:
    """When the stories play: histories are loaded on `opened`, people move from `first` on."""

    regions: Regions
    opened: date
    stopped: date
    first: date
    days: int

    @property
    def month(self) -> int:
        """The month in which people begin at the destination."""
        return months.month_of(self.first)


@dataclass(frozen=True, slots=True)
class Mover:
    """One person who moves, and what is special about it."""

    label: str
    person: Person
    origin: str
    destination: str
    scheme: str = EMPLOYEE
    new_scheme: str = EMPLOYEE
    day: int = 0
    gap: int = 0
    balance: int | None = None
    old_type: str = ""
    new_type: str = ""
    permit: str = "yes"
    enroll: Mapping[str, str] = field(default_factory=dict)


def moment(random: Random, day: date, first_hour: int = 9, last_hour: int = 17) -> datetime:
    """A second within office hours."""
    second = random.randrange((last_hour - first_hour) * 3600)
    return datetime.combine(day, time(first_hour), SHANGHAI) + timedelta(seconds=second)


def day_of(stage: Stage, index: int) -> date:
    """The index-th working day on which people move."""
    return _CALENDAR.add_working_days(stage.first, index)


def history(random: Random, stage: Stage, who: Mover) -> Iterator[Row]:
    """The relation at the origin as it stood when the region joined."""
    last = stage.month - 1 - who.gap
    start = last - random.randint(*_HISTORY_YEARS) * 12
    ranges = [(start, last)]
    if random.random() < 0.15:  # one in seven has a hole
        hole = random.randint(start + 2, last - 3)
        ranges = [(start, hole - 1), (hole + 2, last)]
    balance = balance_fen(random) if who.balance is None else who.balance
    account = {"balance": yuan(balance)} if who.scheme == EMPLOYEE else {}
    yield Row(
        moment(random, stage.opened),
        who.origin,
        "open",
        who.person,
        {
            "scheme": who.scheme,
            **_type(random, who.scheme, who.origin, who.old_type or _drawn_type(random, who)),
            "months": ";".join(months.ranges_text(ranges)),
            **account,
        },
    )


def stop(random: Random, stage: Stage, who: Mover, on: date | None = None) -> Row:
    """The cover at the origin ends."""
    return Row(
        moment(random, on or stage.stopped),
        who.origin,
        "suspend",
        who.person,
        {
            "scheme": who.scheme,
            "month": months.month_text(stage.month - 1 - who.gap),
            "reason": "left employment" if who.scheme == EMPLOYEE else "moved",
        },
    )


def arrival(random: Random, stage: Stage, who: Mover) -> Iterator[Row]:
    """The person enrolls at the destination, and applies where that does not start by itself."""
    day = day_of(stage, who.day)
    at = moment(random, day, 9, 15)
    pair = scheme_pair(who.scheme, who.new_scheme)
    corridor = stage.regions.corridor(who.origin, who.destination, day)
    automatic = corridor.automatic(pair)  # type: ignore[arg-type]  # a pair of known schemes
    kind = who.new_type or _drawn_type(random, who, new=True)
    facts = {
        "scheme": who.new_scheme,
        **_type(random, who.new_scheme, who.destination, kind),
        "residence_permit": "" if kind == "employee" else who.permit,
        "month": months.month_text(months.month_of(day)),
        "base": f"{random.randint(*_BASES)}.00" if who.new_scheme == EMPLOYEE else "",
        "previous_region": who.origin,
        "previous_scheme": who.scheme,
        **who.enroll,
    }
    label = who.label if automatic else f"{who.label}/enroll"
    yield Row(at, who.destination, "enroll", who.person, facts, label)
    if not automatic:
        yield application(who, at + timedelta(seconds=random.randint(60, 7000)))


def application(who: Mover, at: datetime) -> Row:
    """The person asks for the transfer."""
    facts = {
        "scheme": who.new_scheme,
        "previous_region": who.origin,
        "previous_scheme": who.scheme,
        "applicant": "person",
    }
    if "plan_year" in who.enroll:
        facts["plan_year"] = who.enroll["plan_year"]
    return Row(at, who.destination, "apply", who.person, facts, who.label)


def move(random: Random, stage: Stage, who: Mover) -> Iterator[Row]:
    """The whole story of one who simply moves."""
    yield from history(random, stage, who)
    yield stop(random, stage, who)
    yield from arrival(random, stage, who)


def onward(random: Random, stage: Stage, who: Mover, to: str, after: int) -> Iterator[Row]:
    """Moves on from the destination some working days later, before the money can have come."""
    second = replace(
        who, label=f"{who.label}/on", origin=who.destination, destination=to, day=who.day + after
    )
    left = day_of(stage, second.day - 1)
    yield Row(
        moment(random, left),
        second.origin,
        "suspend",
        who.person,
        {
            "scheme": who.new_scheme,
            "month": months.month_text(stage.month),
            "reason": "left employment",
        },
    )
    yield from arrival(random, stage, second)


def contribution(random: Random, who: Mover, on: date) -> Row:
    """A month paid at the destination, a part of it credited to the account."""
    base = random.randint(*_BASES)
    return Row(
        moment(random, on),
        who.destination,
        "contribute",
        who.person,
        {
            "scheme": who.new_scheme,
            "month": months.month_text(months.month_of(on)),
            "base": f"{base}.00",
            "amount": f"{base * _ACCOUNT_SHARE:.2f}",
            "paid_on": on.isoformat(),
        },
    )


def purchase(random: Random, who: Mover, on: date, amount_fen: int) -> Row:
    """The person spends from the account at the destination."""
    fields = {"amount": yuan(amount_fen)}
    return Row(moment(random, on), who.destination, "spend", who.person, fields)


def death(random: Random, who: Mover, on: date, region: str) -> Row:
    """The region hears that the person has died."""
    return Row(moment(random, on, 16, 17), region, "decease", who.person)


def _drawn_type(random: Random, who: Mover, *, new: bool = False) -> str:
    if (who.new_scheme if new else who.scheme) == RESIDENT:
        return "resident"
    # At Hefei who pays for themselves has no account; that is a story of its own.
    where = who.destination if new else who.origin
    flexible = where != "340100" and random.random() < _FLEXIBLE_SHARE
    return "flexible" if flexible else "employee"


def _type(random: Random, scheme: str, region: str, kind: str) -> dict[str, str]:
    kind = "resident" if scheme == RESIDENT else kind
    employer = {"employer_id": employer_id(random, region)} if kind == "employee" else {}
    return {"person_type": kind, **employer}
