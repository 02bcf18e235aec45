"""A client of Kafka that lives on when its broker was killed."""

import asyncio

from confluent_kafka import Producer

from shared.bus import Subscription
from shared.reader import Reader
from shared.relay import Relay
from shared.settings import Settings
from tests.world.machine import Machine
from tests.world.office import Office, until


async def nothing(*_: object) -> None:
    """This reader reads nothing."""


async def test_the_ends_of_topics_are_known_again_after_the_broker_was_killed(
    machine: Machine, office: Office
) -> None:
    settings = Settings(kafka=machine.kafka, cells=office.cell)
    relay = Relay(None, None, 1.0)  # type: ignore[arg-type]  # it publishes nothing
    reader = Reader("listener", None, relay, nothing, "me")  # type: ignore[arg-type]
    heard = Subscription(settings, f"{office.cell}.listener", reader, lambda _: [], 0.0)
    where = (f"{office.cell}.transfer.commands", 0)
    producer = Producer({"bootstrap.servers": machine.kafka})
    producer.produce(where[0], b"one", partition=0)
    assert await asyncio.to_thread(producer.flush, 60) == 0
    assert await heard.bounds([where]) == {where: (0, 1)}

    machine.kill("kafka")

    async def known() -> bool:
        return await heard.bounds([where]) == {where: (0, 1)}

    await until("the ends to be known again", known, 60)
