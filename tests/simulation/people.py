"""People and their stories (domain 12.6): what registration systems send about each, and when."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

from services.enrollment.feed import Feed, Form
from shared import names
from shared.messages import record_uuid, transfer_uuid
from shared.messages.enrollment import CompleteRelease, Register
from shared.money import yuan
from shared.months import month_text
from tests.simulation.origins import GUILIN, NANNING

if TYPE_CHECKING:
    from tests.simulation.world import World

NAMES = ("张伟", "王芳", "欧阳娜娜", "李强", "张薇")
ID_NO = "410102199003078512"
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
AUTOMATIC = (NANNING, GUILIN)
Fields = Any


@dataclass(slots=True)
class Person:
    """Somebody in a world: what was sent about them, and the amounts by record."""

    world: "World"
    number: int
    story: str = ""
    records: list[UUID] = field(default_factory=list)
    amounts: dict[UUID, tuple[str, int]] = field(default_factory=dict)

    @property
    def key(self) -> str:
        return f"{self.number:032x}"

    @property
    def name(self) -> str:
        return NAMES[self.number % len(NAMES)]

    def send(self, after: timedelta, action: str, region: str, **fields: Fields) -> str:
        """A record of the feed, some time from now; gives its id."""
        record_id = f"{self.number}-{len(self.records)}"
        self.records.append(record_uuid(f"{region}-hrss", record_id))
        act = partial(self._put, record_id, action, region, fields)
        self.world.later(after, act)
        if self.world.rng.random() < 0.1:
            self.world.later(after + HOUR, act)  # the sender is not sure and sends it again
        return record_id

    def _put(self, record_id: str, action: str, region: str, fields: Mapping[str, Fields]) -> None:
        world = self.world
        row = {
            "source": f"{region}-hrss",
            "record_id": record_id,
            "action": action,
            "occurred_at": world.begun.isoformat(),
            "region": region,
            "id_type": "01",
            "id_no": ID_NO,
            **{name: str(value) for name, value in fields.items()},
        }
        form = Feed(world.regions, world.at).read(row)
        assert isinstance(form, Form), form
        message = self._register(form)
        if message.amount_fen or message.balance_fen:
            fen = message.balance_fen or message.amount_fen or 0
            self.amounts[message.record] = (action, fen)
        world.feed("enrollment", message.record, message)

    def _register(self, form: Form) -> Register:
        """As the edge makes it, with nothing sealed."""
        return Register(
            to=form.region,
            person=self.key,
            record=record_uuid(form.source, form.record_id),
            source=form.source,
            record_id=form.record_id,
            refers_to=record_uuid(form.source, form.refers_to) if form.refers_to else None,
            sealed=form.name or None,
            name_keys=names.forms(form.name) if form.name else (),
            **form.values,  # type: ignore[arg-type]  # each was parsed to its field's type
        )

    # --- what most stories consist of ---------------------------------------------------------

    def month(self, ago: int) -> str:
        at = self.world.begun
        return month_text(at.year * 12 + at.month - 1 - ago)

    def opens(self, region: str, **fields: Fields) -> str:
        """The region joined while the person was insured there."""
        rng = self.world.rng
        fen = rng.choice((0, 1, 408412, rng.randrange(1, 900000), rng.randrange(1, 900000)))
        given = {
            "name": self.name,
            "scheme": "310",
            "person_type": "flexible",
            "account": "yes",
            "months": f"2019-03..{self.month(rng.choice((0, 1, 1, 1, 5, 12)))}",
            "balance": yuan(fen),
        }
        given |= fields
        if given["scheme"] == "390":
            given |= {"balance": "", "account": "no"}
        return self.send(timedelta(), "open", region, **given)

    def stops(self, after: timedelta, region: str, scheme: str = "310") -> str:
        return self.send(after, "suspend", region, scheme=scheme)

    def enrolls(self, after: timedelta, origin: str, region: str, **fields: Fields) -> str:
        """Enrolls, and applies for the transfer where it does not start by itself; gives the id
        of the record that starts it.
        """
        given = {
            "name": self.name,
            "scheme": "310",
            "person_type": "flexible",
            "residence_permit": "yes",
            "month": self.month(0),
            "previous_region": origin,
        }
        given |= fields
        started = self.send(after, "enroll", region, **given)
        schemes = given["scheme"], given.get("previous_scheme", given["scheme"])
        if region in AUTOMATIC and schemes == ("310", "310"):
            return started
        asked = {k: v for k, v in given.items() if k.startswith("previous") or k == "plan_year"}
        return self.send(after + 5 * MINUTE, "apply", region, scheme=given["scheme"], **asked)

    def withdraws(self, after: timedelta, region: str, record_id: str) -> None:
        self.send(after, "withdraw", region, refers_to=record_id)

    def clerk(self, after: timedelta, origin: str, region: str, record_id: str) -> None:
        """A clerk of an origin that answers by hand is done with the request, if it came."""
        transfer = transfer_uuid(f"{region}-hrss", record_id)
        order = CompleteRelease(to=origin, person=self.key, transfer=transfer)

        def complete() -> None:
            if transfer in self.world.enrollment.releases[self.key]:
                self.world.feed("enrollment", transfer_uuid("clerk", record_id), order)

        self.world.later(after, complete)


def populate(world: "World") -> None:
    """People by seed, each with a story."""
    from tests.simulation.stories import STORIES  # stories are told of people

    weights = [weight for _, weight in STORIES.values()]
    for number in range(1, world.rng.choice((1, 2, 3, 4)) + 1):
        person = Person(world, number)
        world.people.append(person)
        person.story = world.rng.choices(list(STORIES), weights)[0]
        tell: Callable[[Person], None] = STORIES[person.story][0]
        tell(person)
        if world.rng.random() < 0.06:
            world.origins.misprinted[person.key] = world.rng.choice((1, 1, 2, 99))  # type: ignore[index]
        if world.rng.random() < 0.08:
            until = world.begun + timedelta(days=world.rng.randrange(5, 90))
            world.ledger.frozen[person.key] = until.date()  # type: ignore[index]


def regions_of(person: Person, count: int) -> list[str]:
    """Different regions, by seed; in some worlds the same for everybody."""
    if person.world.one_way:
        return person.world.places[:count]
    return person.world.rng.sample(person.world.places, count)
