"""A person's life told to enrollment message by message, for the tests of its decisions."""

from collections.abc import Hashable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import shared.messages.catalogue  # noqa: F401  messages know their types once it is read
from services.enrollment.decisions import decide
from services.enrollment.entitlement import record_digest
from services.enrollment.persons import Person, Relation
from shared import months, regions
from shared.calendar import SHANGHAI
from shared.decision import Delivery, Timer
from shared.messages import NAMESPACE, Message, record_uuid, transfer_uuid
from shared.messages import enrollment as e

REGIONS = regions.load(Path(__file__).parents[2] / "deploy" / "regions")
NANNING, GUILIN, ZHENGZHOU, HEFEI, SHIJIAZHUANG, BAODING = (
    "450100",
    "450300",
    "410100",
    "340100",
    "130100",
    "130600",
)
PERSON = "ab" * 16
MARCH = datetime(2026, 3, 2, 9, 30, tzinfo=SHANGHAI)

ROW = {
    "source": "test",
    "record_id": "7",
    "action": "enroll",
    "occurred_at": "2026-03-02T09:30:00+08:00",
    "region": "450100",
    "id_type": "01",
    "id_no": "410102199003078512",
    "name": "张伟",
    "phone": "13800000000",
    "scheme": "310",
    "person_type": "flexible",
    "residence_permit": "yes",
    "month": "2026-03",
    "base": "5500.00",
    "previous_region": "410100",
}
EXAMPLE = (
    "source,record_id,action,occurred_at,region,id_type,id_no,name,phone,scheme,person_type,"
    "employer_id,residence_permit,month,months,base,amount,balance,previous_region,reason\n"
    "ha-hrss,1,open,2026-02-20T09:00:00+08:00,410100,01,410102199003078512,张伟,,310,employee,"
    "91410100MA3X0QK72Y,,,2019-03..2026-02,,,4084.12,,\n"
    "ha-hrss,2,suspend,2026-02-27T17:00:00+08:00,410100,01,410102199003078512,,,310,,,,2026-02,"
    ",,,,,left employment\n"
    "gx-hrss,7,enroll,2026-03-02T09:30:00+08:00,450100,01,410102199003078512,张伟,13800000000,"
    "310,flexible,,yes,2026-03,,5500.00,,,410100,\n"
)


def month(text: str) -> int:
    return months.parse_month(text)


def ranges(text: str) -> months.Ranges:
    return months.parse_ranges(text)


def record(name: str) -> UUID:
    return record_uuid("test", name)


def transfer(name: str) -> UUID:
    return transfer_uuid("test", name)


Field = Any  # whatever the message has there


class World:
    """What enrollment knows, and what it has said."""

    def __init__(self, at: datetime = MARCH) -> None:
        self.at = at
        self.states: dict[Hashable, object] = {}
        self.changes: dict[Hashable, object] = {}
        self.said: list[Message] = []
        self.timers: dict[UUID, Timer] = {}
        self._deliveries = 0

    def tell(self, message: Message) -> Sequence[Message]:
        self._deliveries += 1
        id_ = uuid5(NAMESPACE, f"delivery {self._deliveries}")
        delivery = Delivery(id_, message.key, message, self.at, self.at, id_)
        decision = decide(self.states, delivery, REGIONS)
        self.states.update(decision.changes)
        self.changes.update(decision.changes)
        self.said += decision.out
        for timer in decision.timers:
            assert timer.key == message.key
            if timer.message is None:
                self.timers.pop(timer.id, None)
            else:
                self.timers[timer.id] = timer
        return decision.out

    def register(self, action: str, name: str = "1", **fields: Field) -> str | None:
        """Sends an upstream record; gives the code of its refusal, None if it was accepted."""
        defaults: dict[str, Any] = {
            "to": NANNING,
            "person": PERSON,
            "record": record(name),
            "source": "test",
            "record_id": name,
            "action": action,
            "occurred_at": self.at,
        }
        out = self.tell(e.Register(**{**defaults, **fields}))
        answers = [m for m in out if isinstance(m, e.Answered)]
        assert len(answers) == 1
        announced = [m for m in out if isinstance(m, e.Registered | e.RegistrationRefused)]
        assert len(announced) == 1
        return answers[0].code

    def open(self, region: str = ZHENGZHOU, name: str = "open", **fields: Field) -> str | None:
        defaults = {
            "scheme": "310",
            "person_type": "employee",
            "employer": True,
            "months": ranges("2019-03..2026-02"),
            "balance_fen": 408412 if fields.get("scheme") != "390" else None,
        }
        return self.register("open", name, to=region, **{**defaults, **fields})

    def stop(self, region: str = ZHENGZHOU, name: str = "stop", **fields: Field) -> str | None:
        defaults = {"scheme": "310", "month": month("2026-02")}
        return self.register("suspend", name, to=region, **{**defaults, **fields})

    def enroll(self, region: str = NANNING, name: str = "enroll", **fields: Field) -> str | None:
        defaults = {
            "scheme": "310",
            "person_type": "flexible",
            "residence_permit": "yes",
            "month": month("2026-03"),
        }
        return self.register("enroll", name, to=region, **{**defaults, **fields})

    def contribute(
        self, name: str, paid: str, region: str = NANNING, **fields: Field
    ) -> str | None:
        defaults = {"scheme": "310", "month": month(paid), "paid_on": self.at.date()}
        return self.register("contribute", name, to=region, **{**defaults, **fields})

    def ask(self, name: str = "enroll", **fields: Field) -> Sequence[Message]:
        """The destination asks for the record."""
        defaults: dict[str, Any] = {
            "to": ZHENGZHOU,
            "person": PERSON,
            "transfer": transfer(name),
            "destination": NANNING,
            "scheme": "310",
            "new_scheme": "310",
            "trigger": "auto",
            "account": True,
        }
        return self.tell(e.ReleaseRecord(**{**defaults, **fields}))

    def complete(self, name: str = "enroll", region: str = BAODING) -> Sequence[Message]:
        """A clerk at the origin is done with the request."""
        return self.tell(e.CompleteRelease(to=region, person=PERSON, transfer=transfer(name)))

    def go_to(self, at: datetime) -> Sequence[Message]:
        """Time passes; what has become due is told. Gives what was said to it."""
        self.at = at
        out: list[Message] = []
        for id_, timer in list(self.timers.items()):
            assert timer.due_at is not None
            assert timer.message is not None
            if timer.due_at <= at:
                del self.timers[id_]
                out += self.tell(timer.message)
        return out

    def join(
        self, text: str = "2019-03..2026-02", name: str = "enroll", **fields: Field
    ) -> Sequence[Message]:
        """The destination is given another region's months."""
        record_months = ranges(text)
        version = fields.get("version", 1)
        defaults: dict[str, Any] = {
            "to": NANNING,
            "person": PERSON,
            "transfer": transfer(name),
            "origin": ZHENGZHOU,
            "version": version,
            "scheme": "310",
            "new_scheme": "310",
            "months": record_months,
            "digest": record_digest(version, record_months),
        }
        return self.tell(e.JoinRecord(**{**defaults, **fields}))

    @property
    def person(self) -> Person:
        person = self.states["person", PERSON]
        assert isinstance(person, Person)
        return person

    def relation(self, region: str = NANNING, scheme: str = "310") -> Relation:
        return self.person.relations[region, scheme]
