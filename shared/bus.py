"""Kafka for the chassis: members of consumer groups, each a thread.

With `ends` and `publisher` the only file that knows the Kafka client. librdkafka fetches and keeps
the membership in threads of its own; batches are handled on the event loop, one after another.
"""

import asyncio
import os
import threading
import time
from collections.abc import Callable, Coroutine, Iterable, Sequence
from functools import partial
from queue import SimpleQueue
from typing import Any

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from shared import metrics
from shared.dead_letters import Record
from shared.ends import Ends, Where
from shared.publisher import client
from shared.reader import Reader
from shared.settings import Settings

log = structlog.get_logger()

_POLL_SECONDS = 0.2
_COMMIT_SECONDS = 1.0
_LEAVE_SECONDS = 10.0
_QUIET_SECONDS = 0.05
_LONGEST_SECONDS = 0.1
_UNHURRIED_SECONDS = 0.05


def _committed(error: KafkaError | None, positions: Sequence[TopicPartition]) -> None:  # noqa: ARG001
    """Tells of what failed; the lanes know the position, and Kafka's follows with the next."""
    if error is not None:
        metrics.COMMIT_FAILED.inc()
        log.warning("reader.commit", error=error.str())


_CONSUMER: dict[str, Any] = {
    "enable.auto.commit": False,
    # Where to begin is known: that Kafka has less is told, and not read from the start.
    "auto.offset.reset": "error",
    "isolation.level": "read_committed",
    # Behind the last record may be marks of transactions, which are told of in no other way.
    "enable.partition.eof": True,
    # The same numbers of every topic go to the same worker: a person's rows stay there.
    "partition.assignment.strategy": "range",
    "session.timeout.ms": 30000,
    "heartbeat.interval.ms": 3000,
    "max.poll.interval.ms": 300000,
    "fetch.wait.max.ms": 500,
    # What waits here waits in memory, unpacked; a few batches ahead are enough.
    "queued.max.messages.kbytes": 4096,
    "max.partition.fetch.bytes": 131072,
    "allow.auto.create.topics": False,
    "on_commit": _committed,
}


def _fetching(patience: float) -> dict[str, int]:
    """Who has time asks Kafka for much at once: a request costs the same for one record."""
    unhurried = patience >= _UNHURRIED_SECONDS
    return (
        {"fetch.min.bytes": 65536, "fetch.wait.max.ms": int(patience * 1000)} if unhurried else {}
    )


class Subscription:
    """One member of a consumer group; the reader's `Position`.

    Its thread hands a batch to the reader and asks for more when that has returned, so that one
    batch is in hand at a time.
    """

    def __init__(
        self,
        settings: Settings,
        group: str,
        reader: Reader,
        fed: Callable[[Sequence[Where]], list[str]],
        patience: float,
    ) -> None:
        self._settings = settings
        self._patience = patience
        self._reader = reader
        self._fed = fed
        self._consumer = Consumer(
            client(settings, reader.name)
            | _CONSUMER
            | _fetching(patience)
            | {"group.id": group, "group.instance.id": f"{group}-{settings.worker}"}
        )
        self._ends = Ends(settings, reader.name)
        self._loop = asyncio.get_running_loop()
        self._ending, self._idle, self._leaving = (threading.Event() for _ in range(3))
        self._thread = threading.Thread(target=self._run, name=reader.name, daemon=True)
        # A consumer serves one thread: what the loop asks of it is done between two polls.
        self._asked: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._offsets: dict[Where, int] = {}
        self._committed_at = 0.0
        self._back_to: dict[Where, int] = {}
        self._read: dict[Where, int] = {}
        self._assignments = 0
        self._done_at, self._took = 0.0, 0.0

    def start(self) -> None:
        self._reader.position = self
        self._thread.start()

    async def finish(self) -> None:
        """Finishes the batch in hand and takes no other; the lanes stay ours."""
        self._ending.set()
        await asyncio.to_thread(self._idle.wait, _LEAVE_SECONDS)

    async def leave(self) -> None:
        """Commits and goes; the others see it as a restart."""
        self._leaving.set()
        await asyncio.to_thread(self._thread.join, _LEAVE_SECONDS)

    async def commit(self, offsets: dict[Where, int]) -> None:
        """Notes what to commit: the lanes know the position, Kafka's follows within a second."""
        self._offsets = offsets

    def pause(self, back_to: dict[Where, int]) -> None:
        self._back_to |= back_to
        self._asked.put(self._pause)

    def resume(self) -> None:
        self._asked.put(self._resume)

    async def seek(self, offsets: dict[Where, int]) -> None:
        self._asked.put(partial(self._seek, offsets))

    async def bounds(self, partitions: Iterable[Where]) -> dict[Where, tuple[int, int]]:
        return await self._ends.bounds(partitions)

    def _run(self) -> None:
        try:
            self._consumer.subscribe(
                list(self._reader.topics),
                on_assign=self._assigned,
                on_revoke=self._revoked,
                on_lost=self._lost,
            )
            while not self._ending.is_set():
                self._next()
            self._idle.set()
            self._leaving.wait()
            self._commit()
            self._consumer.close()
        except BaseException:  # without its thread the process would seem to be alive
            log.critical("reader.died", reader=self._reader.name, exc_info=True)
            os._exit(1)

    def _next(self) -> None:
        while not self._asked.empty():
            self._asked.get()()
        self._ends.hear()
        first = self._consumer.poll(_POLL_SECONDS)
        if first is not None:
            assigned = self._assignments
            more = self._consumer.consume(self._settings.batch_records - 1, self._gather())
            # What was read before an assignment comes again after it, or is another's now.
            messages = (first, *more) if assigned == self._assignments else more
            batch = [_record(message) for message in messages if _is_sound(message)]
            began_at = time.monotonic()
            if batch:
                self._read |= {(r.topic, r.partition): r.offset + 1 for r in batch}
                self._on_loop(_take(self._reader, batch))
            self._at_the_end(messages, surely=assigned == self._assignments)
            self._done_at = time.monotonic()
            self._took = self._done_at - began_at
        if first is None or time.monotonic() - self._committed_at > _COMMIT_SECONDS:
            self._commit()

    def _at_the_end(self, messages: Sequence[Message], *, surely: bool) -> None:
        """Where a partition ends behind the last record that was read, and that was handled, are
        marks of transactions only: else something would seem to be unread for ever. An end that
        may have been told before an assignment is asked for again.
        """
        told = {(m.topic(), m.partition()): m.offset() for m in messages if _is_end(m)}
        stands = {w: self._reader.offsets.get(w, end) for w, end in told.items()}
        ends = {w: n for w, n in told.items() if stands[w] == self._read.get(w, stands[w]) < n}
        if ends and surely:
            self._on_loop(self._reader.pass_over(ends))
        elif ends:
            self._seek({where: stands[where] for where in ends})

    def _gather(self) -> float:
        """For how long a batch that has begun waits for more: on a quiet topic not at all, and else
        twice as long as the last one took, for on busy processors few large ones are sooner done.
        """
        if time.monotonic() - self._done_at > _QUIET_SECONDS:
            return 0.0
        return max(self._patience, min(2 * self._took, _LONGEST_SECONDS))

    def _pause(self) -> None:
        self._consumer.pause(self._consumer.assignment())

    def _resume(self) -> None:
        # librdkafka resumes where the application stood: only then is it put back.
        self._consumer.resume(self._consumer.assignment())
        back, self._back_to = self._back_to, {}
        self._seek(back)

    def _seek(self, offsets: dict[Where, int]) -> None:
        ours = {(tp.topic, tp.partition) for tp in self._consumer.assignment()}
        for (topic, partition), offset in offsets.items():
            if (topic, partition) not in ours:
                continue
            try:
                self._consumer.seek(TopicPartition(topic, partition, offset))
            except KafkaException as error:  # it has not begun yet; the reader sees the gap
                log.warning("reader.seek", reader=self._reader.name, error=repr(error))
            else:
                self._read[topic, partition] = offset

    def _on_loop(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def _commit(self) -> None:
        offsets, self._offsets = self._offsets, {}
        self._committed_at = time.monotonic()
        if offsets:
            positions = [TopicPartition(*where, offset) for where, offset in offsets.items()]
            self._consumer.commit(offsets=positions, asynchronous=True)

    def _assigned(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        ours = [(tp.topic, tp.partition) for tp in partitions]
        self._back_to, self._read = {}, {}
        self._on_loop(self._reader.assign(ours, self._fed(ours)))
        starts = self._reader.offsets
        positions = [TopicPartition(*where, starts[where]) for where in ours]
        consumer.assign(positions)
        consumer.resume(positions)  # a pause of ours would outlive the assignment
        self._assignments += 1

    def _revoked(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:  # noqa: ARG002
        self._on_loop(self._reader.revoke())
        self._commit()

    def _lost(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:  # noqa: ARG002
        self._offsets = {}
        self._on_loop(self._reader.revoke())


async def _take(reader: Reader, batch: Sequence[Record]) -> None:
    try:
        await reader.take(batch)
    except BaseException:  # a handler that raised would be taken for handled
        log.critical("reader.died", reader=reader.name, exc_info=True)
        os._exit(1)


def _is_end(message: Message) -> bool:
    """Whether it is no record, and says that its partition has no more for now."""
    error = message.error()
    return error is not None and error.code() == KafkaError._PARTITION_EOF  # noqa: SLF001


def _is_sound(message: Message) -> bool:
    """Whether it is a record; else it tells of a broker or topic that librdkafka asks again."""
    error = message.error()
    if error is None:
        return True
    if _is_end(message):
        return False
    # Its own word for fatal is lost on the way to us. Where Kafka has less than we have read, the
    # next process looks and says so.
    if error.code() in (KafkaError._FATAL, KafkaError._AUTO_OFFSET_RESET):  # noqa: SLF001
        raise KafkaException(error)
    log.warning("kafka.reading", error=error.str())
    return False


def _record(message: Message) -> Record:
    """A record as it came; whatever its bytes are, reading it does not raise."""
    return Record(
        message.topic(),
        message.partition(),
        message.offset(),
        message.timestamp()[1],
        (message.key() or b"").decode("utf-8", "replace").replace("\x00", ""),
        _headers(message),
        message.value() or b"",
    )


def _headers(message: Message) -> dict[str, bytes]:
    try:
        headers = dict(message.headers() or ())
    except UnicodeDecodeError:
        return {}  # the name of a header is no text: then nothing of the envelope is
    if None in headers.values():
        return {name: value or b"" for name, value in headers.items()}
    return headers
