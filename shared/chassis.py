"""Runs a service: one pool, one relay, and a reader for each consumer group.

The only file that knows FastStream and aiokafka.
"""

import asyncio
import os
import socket
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

import asyncpg
import structlog
from aiokafka import (
    AIOKafkaConsumer,
    AIOKafkaProducer,
    ConsumerRebalanceListener,
    TopicPartition,
)
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from aiokafka.errors import KafkaError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage
from faststream.kafka.message import FAKE_CONSUMER

from shared import logs, regions, upkeep
from shared.calendar import SHANGHAI
from shared.dead_letters import Record
from shared.deliver import Place, deliver
from shared.edge import copy, take_edge
from shared.http import Health, serve
from shared.messages import Message
from shared.reader import Handle, Reader
from shared.relay import Relay
from shared.sealing import Keyring
from shared.service import App, Copier
from shared.settings import Settings, read_secrets
from shared.tracing import exporter, spans

log = structlog.get_logger()


class _Position:
    """A FastStream subscriber's consumer, in the reader's words."""

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer

    async def commit(self, offsets: dict[tuple[str, int], int]) -> None:
        await self._consumer.commit({TopicPartition(*tp): n for tp, n in offsets.items()})

    def pause(self, back_to: dict[tuple[str, int], int]) -> None:
        self._consumer.pause(*self._consumer.assignment())
        for where, offset in back_to.items():
            self._consumer.seek(TopicPartition(*where), offset)

    def resume(self) -> None:
        self._consumer.resume(*self._consumer.paused())

    async def seek(self, offsets: dict[tuple[str, int], int]) -> None:
        for where, offset in offsets.items():
            self._consumer.seek(TopicPartition(*where), offset)

    async def bounds(
        self, partitions: Iterable[tuple[str, int]]
    ) -> dict[tuple[str, int], tuple[int, int]]:
        """First and next offset of each; nothing while Kafka does not answer."""
        asked = [TopicPartition(*where) for where in partitions]
        try:
            async with asyncio.timeout(5):
                firsts = await self._consumer.beginning_offsets(asked)
                ends = await self._consumer.end_offsets(asked)
        except (KafkaError, TimeoutError) as error:
            log.warning("kafka.bounds", error=repr(error))
            return {}
        return {(tp.topic, tp.partition): (firsts[tp], end) for tp, end in ends.items()}


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]  # it has no types
    def __init__(
        self, reader: Reader, fed: Callable[[Sequence[tuple[str, int]]], list[str]]
    ) -> None:
        self._reader = reader
        self._fed = fed
        self.consumer: Callable[[], AIOKafkaConsumer] | None = None

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:  # noqa: ARG002
        await self._reader.revoke()

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        assert self.consumer
        self._reader.position = _Position(self.consumer())
        ours = [(tp.topic, tp.partition) for tp in assigned]
        await self._reader.assign(ours, self._fed(ours))


def _raw(record: Any) -> Record:  # noqa: ANN401 - aiokafka has no types
    """A record as it came; whatever its bytes are, reading it does not raise."""
    return Record(
        record.topic,
        record.partition,
        record.offset,
        record.timestamp,
        (record.key or b"").decode("utf-8", "replace").replace("\x00", ""),
        {name: (value or b"").decode("utf-8", "replace") for name, value in record.headers},
        record.value or b"",
    )


async def _parse(message: tuple[Any, ...]) -> KafkaMessage:
    """FastStream's own parser would fail on malformed headers before we could see the record."""
    return KafkaMessage(
        body=b"", headers={}, raw_message=message, consumer=FAKE_CONSUMER, message_id=""
    )


async def _take(reader: Reader, message: KafkaMessage) -> None:
    try:
        await reader.take([_raw(record) for record in message.raw_message])
    except BaseException as error:  # a handler that raised would be taken for handled
        task = asyncio.current_task()
        if isinstance(error, asyncio.CancelledError) and task and task.cancelling():
            raise
        log.critical("reader.died", reader=reader.name, exc_info=True)
        os._exit(1)


async def _decode(message: KafkaMessage) -> None:
    """The handler reads the raw records itself."""


_CONSUMER: dict[str, Any] = {
    "batch": True,
    "fetch_max_wait_ms": 100,
    "auto_offset_reset": "earliest",
    "ack_policy": AckPolicy.MANUAL,
    "session_timeout_ms": 30000,
    "heartbeat_interval_ms": 3000,
    "max_poll_interval_ms": 300000,
    "rebalance_timeout_ms": 60000,
    "partition_assignment_strategy": [StickyPartitionAssignor],
    "parser": _parse,
    "decoder": _decode,
}


class Process:
    """One process of a service; the `Runtime` that its `app.build` gets."""

    def __init__(self, name: str, settings: Settings) -> None:
        self.name = name
        self.settings = settings
        self.regions = regions.load(settings.regions)
        self.keyring = Keyring(read_secrets(settings.secrets))
        self.pool: asyncpg.Pool = None
        self.relay: Relay = None  # type: ignore[assignment]
        self.readers: list[Reader] = []
        self.owner = f"{socket.gethostname()}/{os.getpid()}"
        self._tracer = exporter(name, settings.otlp)
        self._broker = KafkaBroker(
            settings.kafka,
            client_id=f"{name}-{settings.worker}",
            allow_auto_create_topics=False,
            graceful_timeout=20,
            logger=None,
        )

    async def now(self, db: asyncpg.Connection) -> datetime:
        at: datetime = await db.fetchval("SELECT cell.business_now()")
        return at.astimezone(SHANGHAI)

    async def send(self, db: asyncpg.Connection, messages: Sequence[tuple[UUID, Message]]) -> None:
        place = self.place
        await upkeep.send(db, messages, place, await self.now(db), self.relay.expect)

    @property
    def place(self) -> Place:
        """Where messages of this process go."""
        cells = self.regions.cell
        return Place(
            lambda to: self.settings.cell if to == "000000" else cells(to[:2] + "0000"),
            self.settings.partitions,
            self.settings.inbox_days,
        )

    async def run(self, build: Callable[["Process"], App]) -> None:
        """Runs until SIGTERM. Whatever fails for good ends the process, to be started again."""
        logs.configure(self.name, self.settings.worker, self.settings.log_level)
        self.pool = await upkeep.pool(self.settings, self.name)
        producer = AIOKafkaProducer(
            bootstrap_servers=self.settings.kafka,
            client_id=f"{self.name}-{self.settings.worker}",
            enable_idempotence=True,
            linger_ms=2,
            max_batch_size=131072,
            compression_type="lz4",
            request_timeout_ms=15000,
        )
        await _until_there(producer.start, producer.stop)
        poll = 0.5 if self.settings.workers == 1 else 0.03
        self.relay = Relay(self.pool, producer, f"/jiexu/{self.name}", poll)
        app = build(self)
        self._readers(app)
        health = Health(self, app)
        jobs: tuple[Callable[[], Coroutine[Any, Any, None]], ...] = (
            self.relay.run,
            partial(upkeep.timers_loop, self),
            partial(upkeep.partitions_loop, self),
            partial(upkeep.watch_loop, self),
            partial(serve, self, app, health),
            *app.tasks,
        )
        tasks = [asyncio.create_task(job()) for job in jobs]
        await _until_there(self._broker.start, self._broker.stop)
        stopping = asyncio.create_task(upkeep.told_to_stop())
        done, _ = await asyncio.wait([stopping, *tasks], return_when=asyncio.FIRST_COMPLETED)
        if stopping not in done:
            failed = next(iter(done))
            log.critical("process.failed", error=repr(failed.exception()))
            os._exit(1)
        await self._end(producer, tasks)

    async def _end(self, producer: AIOKafkaProducer, tasks: Sequence[asyncio.Task[None]]) -> None:
        relay, *others = tasks
        for task in others:
            task.cancel()
        await self._broker.stop()
        try:
            async with asyncio.timeout(10):
                await self.relay.drained()
        except TimeoutError:
            log.warning("process.unpublished", waiting=self.relay.waiting)
        relay.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await producer.stop()
        await self.pool.close()

    def _readers(self, app: App) -> None:
        cell = self.settings.cell
        service = app.service
        if isinstance(service, Copier):
            topics = [t if t.startswith("upstream.") else f"{cell}.{t}" for t in service.topics]
            self._subscribe(self.name, topics, partial(copy, service), None)
            return
        own = f"{cell}.{self.name}.commands"
        topics = sorted({own, *(f"{cell}.{topic}" for topic in service.topics)})
        self._subscribe(self.name, topics, partial(deliver, service, self.place), own)
        if app.edge:
            edge = partial(take_edge, app.edge, self.place)
            self._subscribe(f"{self.name}-edge", [app.edge.topic], edge, None)

    def _subscribe(
        self, group: str, topics: Sequence[str], handle: Handle, own: str | None
    ) -> None:
        reader = Reader(group, self.pool, self.relay, handle, self.owner)
        reader.topics, reader.partitions = topics, self.settings.partitions
        if self._tracer:
            reader.after = self._trace

        def fed(assigned: Sequence[tuple[str, int]]) -> list[str]:
            numbers = [n for topic, n in assigned if topic == own]
            return [f"{lane}/{n}" for lane in ("intake", "timers") for n in numbers]

        listener = _Listener(reader, fed)
        settings = self.settings
        subscriber = self._broker.subscriber(
            *topics,
            max_records=settings.batch_records,
            batch_timeout_ms=settings.batch_timeout_ms,
            group_id=f"{settings.cell}.{group}",
            group_instance_id=f"{settings.cell}.{group}-{settings.worker}",
            listener=listener,
            **_CONSUMER,
        )
        listener.consumer = lambda: subscriber.consumer
        subscriber(partial(_take, reader))
        self.readers.append(reader)

    def _trace(self, batch: Sequence[Record], started: int) -> None:
        assert self._tracer
        spans(self._tracer, batch, started, time.time_ns())


async def _until_there(
    start: Callable[[], Awaitable[Any]], stop: Callable[[], Awaitable[Any]]
) -> None:
    """Kafka may come up after us; what began of a try is ended before the next."""
    while True:
        try:
            await start()
        except (KafkaError, OSError) as error:
            log.warning("kafka.waiting", error=repr(error))
            await stop()
            await asyncio.sleep(1)
        else:
            return
