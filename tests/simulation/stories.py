"""The stories that people live through, by name, with how often they are drawn.

Each is told to a person: what registration systems send, in which order and how far apart. The
rest (money, deadlines, faults) comes by itself.
"""

from collections.abc import Callable
from datetime import timedelta

from shared.money import yuan
from tests.simulation.origins import (
    BAODING,
    GUILIN,
    HEFEI,
    NANNING,
    SHIJIAZHUANG,
    ZHENGZHOU,
)
from tests.simulation.people import DAY, HOUR, MINUTE, Person, regions_of

NOTHING, SECOND = timedelta(), timedelta(seconds=1)
Story = Callable[[Person], None]


def _soon(p: Person) -> timedelta:
    """Minutes, hours or days: what follows may come before, during or after the transfer."""
    return p.world.rng.choice((NOTHING, SECOND, 2 * SECOND, MINUTE, HOUR, DAY, 12 * DAY, 40 * DAY))


def plain(p: Person) -> None:
    """Leaves one region for another, spends there, and pays contributions."""
    origin, destination = regions_of(p, 2)
    p.opens(origin)
    p.stops(MINUTE, origin)
    p.enrolls(HOUR, origin, destination)
    after = 2 * HOUR + _soon(p)
    spent = p.send(after, "spend", destination, amount=yuan(p.world.rng.randrange(1, 300000)))
    p.send(after + DAY, "refund", destination, refers_to=spent, amount="0.01")
    month = p.month(-1)
    paid = {"month": month, "amount": "120.00", "paid_on": p.world.begun.date().isoformat()}
    p.send(after + DAY, "contribute", destination, scheme="310", **paid)


def still_insured(p: Person) -> None:
    """Enrolls before cover at the origin has stopped; it stops later, or never."""
    origin, destination = regions_of(p, 2)
    p.opens(origin)
    started = p.enrolls(MINUTE, origin, destination)
    if p.world.rng.random() < 0.8:
        p.stops(HOUR + _soon(p), origin)
    if p.world.rng.random() < 0.3:
        p.withdraws(HOUR + _soon(p), destination, started)


def withdrawn(p: Person) -> None:
    """Takes the application back, in time or too late."""
    origin, destination = regions_of(p, 2)
    p.opens(origin)
    p.stops(MINUTE, origin)
    started = p.enrolls(HOUR, origin, destination)
    p.withdraws(HOUR + 5 * MINUTE + _soon(p), destination, started)


def two_destinations(p: Person) -> None:
    """Asks for the same record from two regions at once."""
    origin, one, other = regions_of(p, 3)
    p.opens(origin)
    p.stops(MINUTE, origin)
    p.enrolls(HOUR, origin, one)
    p.enrolls(HOUR + p.world.rng.choice((NOTHING, MINUTE)), origin, other)


def asked_twice(p: Person) -> None:
    """The person and the employer both apply."""
    origin, destination = regions_of(p, 2)
    p.opens(origin)
    p.stops(MINUTE, origin)
    p.enrolls(HOUR, origin, destination)
    again = {"previous_region": origin, "applicant": "employer"}
    p.send(HOUR + 5 * MINUTE, "apply", destination, **again)


def moves_on(p: Person) -> None:
    """A→B→C, or back to A, soon after: B has no money of A yet."""
    origin, middle, last = regions_of(p, 3)
    last = p.world.rng.choice((last, last, origin))
    p.opens(origin)
    p.stops(MINUTE, origin)
    p.enrolls(HOUR, origin, middle)
    wait = HOUR + 6 * MINUTE + _soon(p)
    if p.world.rng.random() < 0.4:
        p.send(wait, "spend", middle, amount=yuan(p.world.rng.randrange(1, 300000)))
    p.stops(wait + MINUTE, middle)
    p.enrolls(wait + HOUR, middle, last)


def dies(p: Person) -> None:
    """Dies before, while or after the money moves; may have spent some of it."""
    origin, destination = regions_of(p, 2)
    p.opens(origin)
    p.stops(MINUTE, origin)
    p.enrolls(HOUR, origin, destination)
    after = HOUR + 5 * MINUTE + _soon(p)
    if p.world.rng.random() < 0.4:
        p.send(after, "spend", destination, amount="100.00")
    p.send(after, "decease", p.world.rng.choice((origin, destination)))


def no_account(p: Person) -> None:
    """Goes where there is no account for the balance: kept, or paid out."""
    origin = p.world.rng.choice((HEFEI, HEFEI, ZHENGZHOU))
    destination = p.world.rng.choice((NANNING, GUILIN))
    p.opens(origin)
    p.stops(MINUTE, origin)
    if p.world.rng.random() < 0.5:
        p.enrolls(HOUR, origin, destination, account="no")
    else:
        p.enrolls(
            HOUR,
            origin,
            destination,
            scheme="390",
            person_type="resident",
            previous_scheme="310",
        )


def resident(p: Person) -> None:
    """Moves as a resident: for the next plan year, or too early; or becomes employed."""
    origin, destination = regions_of(p, 2)
    p.opens(origin, scheme="390", person_type="resident")
    p.stops(MINUTE, origin, scheme="390")
    if p.world.rng.random() < 0.4:
        p.enrolls(HOUR, origin, destination, previous_scheme="390")
        return
    year = p.world.begun.year + p.world.rng.randrange(2)
    fields = {"scheme": "390", "person_type": "resident", "plan_year": year}
    p.enrolls(HOUR, origin, destination, **fields)


def retired(p: Person) -> None:
    """A retiree's cover stays where it is; one who did not say so is found out by the origin."""
    origin, destination = regions_of(p, 2)
    p.opens(origin, person_type="retiree")
    p.stops(MINUTE, origin)
    kind = p.world.rng.choice(("retiree", "flexible"))
    p.enrolls(HOUR, origin, destination, person_type=kind)


def inside_hebei(p: Person) -> None:
    """No transfer is needed; a resident's is."""
    there, here = p.world.rng.sample((SHIJIAZHUANG, BAODING), 2)
    p.opens(there)
    p.stops(MINUTE, there)
    p.enrolls(HOUR, there, here)


def by_hand(p: Person) -> None:
    """The origin's clerk takes days; meanwhile people die, withdraw, or ask again elsewhere."""
    p.opens(BAODING)
    p.stops(MINUTE, BAODING)
    destination = p.world.rng.choice((NANNING, ZHENGZHOU))
    started = p.enrolls(HOUR, BAODING, destination)
    chance = p.world.rng.random()
    if chance < 0.4:
        p.clerk(
            p.world.rng.choice((HOUR, 2 * DAY, 9 * DAY, 30 * DAY)), BAODING, destination, started
        )
    elif chance < 0.6:
        p.withdraws(HOUR + 6 * MINUTE + _soon(p), destination, started)
    elif chance < 0.8:
        p.enrolls(DAY, BAODING, GUILIN)
    elif chance < 0.9:
        p.send(DAY, "decease", BAODING)


def in_arrears(p: Person) -> None:
    """A month is due and unpaid at the origin; paid later, too late for this transfer."""
    origin, destination = regions_of(p, 2)
    p.opens(origin)
    p.send(MINUTE, "contribute", origin, scheme="310", month=p.month(0))
    p.stops(2 * MINUTE, origin)
    p.enrolls(HOUR, origin, destination)
    late = {"month": p.month(0), "paid_on": p.world.begun.date().isoformat(), "nature": "back-paid"}
    p.send(HOUR + _soon(p), "contribute", origin, scheme="310", amount="90.00", **late)


def corrected(p: Person) -> None:
    """The origin's history or balance was wrong; it is said in time, or in a race."""
    origin, destination = regions_of(p, 2)
    opened = p.opens(origin)
    p.stops(MINUTE, origin)
    after = p.world.rng.choice((2 * MINUTE, HOUR, HOUR + 5 * MINUTE, HOUR + 6 * MINUTE, DAY))
    p.enrolls(HOUR, origin, destination)
    if p.world.rng.random() < 0.5:
        p.send(
            after,
            "correct",
            origin,
            refers_to=opened,
            balance=yuan(p.world.rng.randrange(1, 900000)),
        )
    else:
        p.send(after, "correct", origin, refers_to=opened, months="2018-01..2020-12")


def too_much(p: Person) -> None:
    """The origin had less than it said, which is found when some of it is spent."""
    opened = p.opens(ZHENGZHOU, balance="3000.00")
    p.stops(MINUTE, ZHENGZHOU)
    p.enrolls(HOUR, ZHENGZHOU, NANNING)
    p.send(12 * HOUR, "spend", NANNING, amount="1000.00")
    p.send(DAY, "correct", ZHENGZHOU, refers_to=opened, balance="0.01")
    month = {"month": p.month(-1), "paid_on": p.world.begun.date().isoformat()}
    p.send(60 * DAY, "contribute", NANNING, scheme="310", amount="900.00", **month)


def paid_late(p: Person) -> None:
    """Money reaches the origin's account while it is being emptied, or has been."""
    origin, destination = regions_of(p, 2)
    p.opens(origin)
    spent = p.send(MINUTE, "spend", origin, amount="0.01")
    p.stops(2 * MINUTE, origin)
    p.enrolls(HOUR, origin, destination)
    late = (NOTHING, MINUTE, 6 * MINUTE, DAY, 40 * DAY)
    after = HOUR - MINUTE + p.world.rng.choice(late)
    p.send(after, "refund", origin, refers_to=spent, amount="0.01")
    month = {
        "month": p.month(2),
        "paid_on": p.world.begun.date().isoformat(),
        "nature": "back-paid",
    }
    p.send(after, "contribute", origin, scheme="310", amount="88.80", **month)


def refused(p: Person) -> None:
    """The destination's rules refuse: no permit, enrolled already, or nobody is known."""
    origin, destination = ZHENGZHOU, p.world.rng.choice((NANNING, GUILIN))
    p.opens(origin)
    p.stops(MINUTE, origin)
    p.enrolls(HOUR, origin, destination, residence_permit="no")
    p.send(2 * HOUR, "spend", destination, amount="1.00")
    p.send(2 * HOUR, "apply", destination, previous_region=origin)


def unknown_there(p: Person) -> None:
    """The origin has never heard of the person."""
    origin, destination = regions_of(p, 2)
    p.enrolls(HOUR, origin, destination)


STORIES: dict[str, tuple[Story, int]] = {
    "plain": (plain, 8),
    "still insured": (still_insured, 3),
    "withdrawn": (withdrawn, 3),
    "two destinations": (two_destinations, 2),
    "asked twice": (asked_twice, 1),
    "moves on": (moves_on, 5),
    "dies": (dies, 4),
    "no account": (no_account, 2),
    "resident": (resident, 2),
    "retired": (retired, 1),
    "inside Hebei": (inside_hebei, 1),
    "by hand": (by_hand, 3),
    "in arrears": (in_arrears, 1),
    "corrected": (corrected, 2),
    "too much": (too_much, 1),
    "paid late": (paid_late, 2),
    "refused": (refused, 1),
    "unknown there": (unknown_there, 1),
}
