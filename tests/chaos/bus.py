"""Kafka as somebody beside the product sees it: what is there, and what strangers put there."""

import asyncio
import time
from collections.abc import Mapping, Sequence

from confluent_kafka import (
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    Producer,
    TopicPartition,
)

from deploy.topics import manifest
from shared.dead_letters import Record

Where = tuple[str, int]
PARTITIONS = 4
_TRIES = 20


class Bus:
    """Reads from marks to the end, and sends; the client waits in threads beside the loop."""

    def __init__(self, kafka: str) -> None:
        quiet = {"bootstrap.servers": kafka, "log_level": 2}
        self._consumer = Consumer(
            quiet | {"group.id": "chaos", "enable.auto.commit": False, "enable.partition.eof": True}
        )
        self._producer = Producer(quiet | {"acks": "all", "linger.ms": 0})
        self._whole = Producer(quiet | {"transactional.id": "chaos"})
        self._whole.init_transactions(30)
        self._all = [(topic, n) for topic in manifest("cn") for n in range(PARTITIONS)]

    async def close(self) -> None:
        await asyncio.to_thread(self._consumer.close)

    async def ends(self) -> dict[Where, int]:
        """The next offset of every partition."""
        return await asyncio.to_thread(self._ends)

    def _ends(self) -> dict[Where, int]:
        # On a busy machine Kafka may be without a leader for a moment.
        for _ in range(_TRIES):
            try:
                return self._watermarks()
            except KafkaException as error:
                if not error.args[0].retriable() and "LEADER" not in error.args[0].name():
                    raise
                time.sleep(1)
        return self._watermarks()

    def _watermarks(self) -> dict[Where, int]:
        return {
            where: self._consumer.get_watermark_offsets(TopicPartition(*where), timeout=30)[1]
            for where in self._all
        }

    async def since(self, marks: Mapping[Where, int]) -> list[Record]:
        """Everything from the marks to the ends of now."""
        return await asyncio.to_thread(self._since, marks)

    def _since(self, marks: Mapping[Where, int]) -> list[Record]:
        ends = self._ends()
        left = {where for where, end in ends.items() if marks[where] < end}
        self._consumer.assign([TopicPartition(*where, marks[where]) for where in left])
        found: list[Record] = []
        while left:
            for message in self._consumer.consume(500, timeout=1):
                where = message.topic(), message.partition()
                if _is_end(message):  # behind the last record may be marks of transactions
                    left.discard(where)
                    continue
                assert message.error() is None, message.error()
                if message.offset() < ends[where]:
                    found.append(_record(message))
                if message.offset() >= ends[where] - 1:
                    left.discard(where)
        self._consumer.unassign()
        return found

    async def send(
        self,
        topic: str,
        key: str,
        body: bytes,
        headers: Sequence[tuple[str, bytes]] = (),
        partition: int = -1,
    ) -> None:
        """One record, acknowledged."""
        self._producer.produce(topic, body, key.encode(), partition, headers=list(headers))
        left = await asyncio.to_thread(self._producer.flush, 30)
        assert left == 0, f"Kafka took nothing to {topic}"

    async def together(
        self, topic: str, records: Sequence[tuple[str, bytes]], *, commit: bool
    ) -> None:
        """Records of one transaction: with `commit` there are all, else none. Its marks take an
        offset of each partition either way.
        """
        await asyncio.to_thread(self._together, topic, records, commit)

    def _together(self, topic: str, records: Sequence[tuple[str, bytes]], commit: bool) -> None:  # noqa: FBT001 - of a thread
        self._whole.begin_transaction()
        for key, body in records:
            self._whole.produce(topic, body, key.encode())
        # Flushed either way: what is dropped unsent leaves no mark.
        assert self._whole.flush(30) == 0, f"Kafka took nothing to {topic}"
        (self._whole.commit_transaction if commit else self._whole.abort_transaction)(30)

    async def again(self, record: Record) -> None:
        """The same record once more, as a producer that heard no answer sends it."""
        headers = list(record.headers.items())
        await self.send(record.topic, record.key, record.body, headers, record.partition)


def _is_end(message: Message) -> bool:
    error = message.error()
    return error is not None and error.code() == KafkaError._PARTITION_EOF


def _record(message: Message) -> Record:
    return Record(
        message.topic(),
        message.partition(),
        message.offset(),
        message.timestamp()[1],
        (message.key() or b"").decode(),
        dict(message.headers() or ()),
        message.value() or b"",
    )
