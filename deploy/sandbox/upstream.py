"""The upstream topic as the benchmark feeds it, and how long an advance takes from there."""

import asyncio
import json
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from typing import Self

from confluent_kafka import OFFSET_END, Consumer, KafkaError, Message, Producer, TopicPartition

from deploy.sandbox import cast
from shared import messages

_UPSTREAM = "upstream.registrations"
_CREDITS = "cn.settlement.events"
_CREDITED = b"settlement.advance-credited.v1"
# Closed loop: so many people have enrolled and not been credited yet.
_WINDOW = 4000
_STRIDE = 100

Record = dict[str, str]


@dataclass(slots=True)
class Latency:
    """When Kafka took what starts a transfer, and when the advance's message was in Kafka.

    Both are the broker's clock. The second is later than the advance's commit, never earlier.
    """

    accepted_ms: dict[str, int] = field(default_factory=dict)
    credited_ms: dict[str, int] = field(default_factory=dict)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def below(self, count: int) -> None:
        """Wait until fewer than `count` have started and not been credited."""
        async with self.changed:
            await self.changed.wait_for(
                lambda: len(self.accepted_ms) - len(self.credited_ms) < count
            )

    async def credited(self, at_ms: Mapping[str, int]) -> None:
        """Note advances, by transfer; a repeated message counts once."""
        async with self.changed:
            for transfer, at in at_ms.items():
                self.credited_ms.setdefault(transfer, at)
            self.changed.notify_all()

    def summary(self) -> dict[str, float]:
        """p50, p99 and the longest, in ms."""
        both = self.accepted_ms.keys() & self.credited_ms.keys()
        taken = sorted(self.credited_ms[one] - self.accepted_ms[one] for one in both)
        if not taken:
            return {"count": 0}
        last = len(taken) - 1
        at = {"p50": taken[last // 2], "p99": taken[last * 99 // 100], "max": taken[-1]}
        return {"count": len(taken), **at}


class Upstream:
    """Sends to the upstream topic, and listens for what is credited."""

    def __init__(self, kafka: str, latency: Latency) -> None:
        self._latency = latency
        self._producer = Producer(
            {"bootstrap.servers": kafka, "acks": "all", "enable.idempotence": True, "linger.ms": 5,
             "compression.type": "lz4"}
        )  # fmt: skip
        # The broker's clock tells when, so that there is time to ask for much at once.
        self._consumer = Consumer(
            {"bootstrap.servers": kafka, "group.id": "bench", "fetch.min.bytes": 65536,
             "fetch.wait.max.ms": 50}
        )  # fmt: skip
        self._loop = asyncio.get_running_loop()
        self._ended = threading.Event()
        self._listener = threading.Thread(target=self._listen, daemon=True)

    async def __aenter__(self) -> Self:
        credited = self._consumer.list_topics(_CREDITS).topics[_CREDITS].partitions
        self._consumer.assign([TopicPartition(_CREDITS, n, OFFSET_END) for n in credited])
        self._consumer.poll(0.5)
        self._listener.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._ended.set()
        await asyncio.to_thread(self._listener.join)
        self._consumer.close()

    async def send(self, records: Sequence[Record], rate: float | None) -> None:
        """Send all; at `rate` people a second whatever comes back, else as they are credited."""
        started, people_sent = time.monotonic(), 0
        for record in records:
            if record["action"] in ("open", "enroll"):
                people_sent += 1
                if rate is not None:
                    await asyncio.sleep(started + people_sent / rate - time.monotonic())
            if rate is None and people_sent % _STRIDE == 0:
                await asyncio.to_thread(self._producer.flush)
                await self._latency.below(_WINDOW)
            # The key keeps one person's records in order, and says nothing about the person.
            key = sha256(record["id_no"].encode()).digest()[:12]
            body = json.dumps({name: text for name, text in record.items() if text}).encode()
            self._producer.produce(
                _UPSTREAM, body, key, on_delivery=partial(self._accepted, record)
            )
            self._producer.poll(0)
        await asyncio.to_thread(self._producer.flush)

    def _accepted(self, record: Record, error: KafkaError | None, taken: Message) -> None:
        if error is not None:
            raise RuntimeError(f"Kafka did not take a record: {error}")
        if record["action"] == "apply" or (
            record["action"] == "enroll" and record["region"] in (cast.NANNING, cast.GUILIN)
        ):
            transfer = messages.transfer_uuid(record["source"], record["record_id"])
            self._latency.accepted_ms[str(transfer)] = taken.timestamp()[1]

    def _listen(self) -> None:
        while not self._ended.is_set():
            credited = {
                json.loads(event.value())["transfer"]: event.timestamp()[1]
                for event in self._consumer.consume(500, 0.02)
                if event.error() is None and dict(event.headers() or ())["ce_type"] == _CREDITED
            }
            if credited:
                told = self._latency.credited(credited)
                asyncio.run_coroutine_threadsafe(told, self._loop).result()
