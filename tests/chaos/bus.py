"""Kafka as somebody beside the product sees it: what is there, and what strangers put there."""

from collections.abc import Mapping, Sequence
from typing import Self

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from deploy.topics import manifest
from shared.dead_letters import Record

Where = tuple[str, int]
PARTITIONS = 4


class Bus:
    """Reads from marks to the end, and sends."""

    def __init__(self, kafka: str) -> None:
        self._consumer = AIOKafkaConsumer(bootstrap_servers=kafka, fetch_max_wait_ms=20)
        self._producer = AIOKafkaProducer(bootstrap_servers=kafka, acks="all", linger_ms=0)
        self._all = [TopicPartition(t, n) for t in manifest("cn") for n in range(PARTITIONS)]

    async def __aenter__(self) -> Self:
        await self._consumer.start()
        await self._producer.start()
        self._consumer.assign(self._all)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._consumer.stop()
        await self._producer.stop()

    async def ends(self) -> dict[Where, int]:
        """The next offset of every partition."""
        ends = await self._consumer.end_offsets(self._all)
        return {(tp.topic, tp.partition): end for tp, end in ends.items()}

    async def since(self, marks: Mapping[Where, int]) -> list[Record]:
        """Everything from the marks to the ends of now."""
        ends = await self.ends()
        for where, first in marks.items():
            self._consumer.seek(TopicPartition(*where), first)
        found: list[Record] = []
        stands = dict(marks)
        while any(stands[where] < end for where, end in ends.items()):
            for batch in (await self._consumer.getmany(timeout_ms=100)).values():
                for record in batch:
                    found.append(_record(record))
                    stands[record.topic, record.partition] = record.offset + 1
        return [r for r in found if r.offset < ends[r.topic, r.partition]]

    async def send(
        self,
        topic: str,
        key: str,
        body: bytes,
        headers: Sequence[tuple[str, bytes]] = (),
        partition: int | None = None,
    ) -> None:
        """One record, acknowledged."""
        await self._producer.send_and_wait(
            topic, body, key=key.encode(), headers=list(headers), partition=partition
        )

    async def again(self, record: Record) -> None:
        """The same record once more, as a producer that heard no answer sends it."""
        headers = [(name, value.encode()) for name, value in record.headers.items()]
        await self.send(record.topic, record.key, record.body, headers, record.partition)


def _record(record: object) -> Record:
    r: object = record
    return Record(
        r.topic,  # type: ignore[attr-defined]  # aiokafka has no types
        r.partition,  # type: ignore[attr-defined]
        r.offset,  # type: ignore[attr-defined]
        r.timestamp,  # type: ignore[attr-defined]
        (r.key or b"").decode(),  # type: ignore[attr-defined]
        {name: value.decode() for name, value in r.headers},  # type: ignore[attr-defined]
        r.value or b"",  # type: ignore[attr-defined]
    )
