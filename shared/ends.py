"""Where Kafka's partitions begin and end."""

import asyncio
import contextlib
from collections.abc import Iterable, Sequence

import structlog
from confluent_kafka import IsolationLevel, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from shared.publisher import client
from shared.settings import Settings

log = structlog.get_logger()

Where = tuple[str, int]
"""Topic and partition."""
_ASK_SECONDS = 5.0
_UNANSWERED = 3


class Ends:
    """Asks Kafka for the offsets of partitions, for a reader of this name."""

    def __init__(self, settings: Settings, name: str) -> None:
        self._config = client(settings, name)
        self._admin = AdminClient(self._config)
        self._unanswered = 0

    def hear(self) -> None:
        """Takes what the client has to tell."""
        self._admin.poll(0)

    async def bounds(self, partitions: Iterable[Where]) -> dict[Where, tuple[int, int]]:
        """First and next offset of each; nothing while Kafka does not answer. What an open
        transaction holds, and what stands behind it, nobody can read yet: it is not there.
        """
        asked = [TopicPartition(*where) for where in partitions]
        try:
            async with asyncio.timeout(_ASK_SECONDS):
                firsts = await self._offsets_of(asked, OffsetSpec.earliest())
                ends = await self._offsets_of(asked, OffsetSpec.latest())
        except (KafkaException, TimeoutError) as error:
            log.warning("kafka.bounds", error=repr(error))
            await self._ask_anew()
            return {}
        self._unanswered = 0
        return {where: (firsts[where], end) for where, end in ends.items()}

    async def _offsets_of(
        self, asked: Sequence[TopicPartition], spec: OffsetSpec
    ) -> dict[Where, int]:
        futures = self._admin.list_offsets(
            dict.fromkeys(asked, spec),
            isolation_level=IsolationLevel.READ_COMMITTED,
            request_timeout=_ASK_SECONDS,
        )
        return {
            (tp.topic, tp.partition): (await asyncio.wrap_future(future)).offset
            for tp, future in futures.items()
        }

    async def _ask_anew(self) -> None:
        """Or librdkafka would ask for ever as if the former leader still led. Now and then by a
        new client: what ails the old one, nobody can see.
        """
        self._unanswered += 1
        if self._unanswered % _UNANSWERED == 0:
            old, self._admin = [self._admin], AdminClient(self._config)
            await asyncio.to_thread(old.clear)  # it waits for what it has asked
        with contextlib.suppress(KafkaException):
            await asyncio.to_thread(self._admin.list_topics, timeout=_ASK_SECONDS)
