"""Kafka for the relay: one idempotent producer of a process, and what all its clients have."""

import asyncio
import os
from collections.abc import Sequence
from functools import partial
from typing import Any

import structlog
from confluent_kafka import KafkaError, KafkaException, Message, Producer

from shared.outbox import Sent
from shared.settings import Settings

log = structlog.get_logger()

_ASK_SECONDS = 5.0


def client(settings: Settings, name: str) -> dict[str, Any]:
    """What every client of this process is told."""
    return {
        "bootstrap.servers": settings.kafka,
        "client.id": f"{name}-{settings.worker}",
        "reconnect.backoff.max.ms": 2000,
        # Errors are told to us while we poll. A Python logger would be called by librdkafka's own
        # threads, which then wait for the interpreter while a call of ours waits for them.
        "error_cb": _unwell,
        "log_level": 2,
    }


def _unwell(error: KafkaError) -> None:
    log.warning("kafka.unwell", error=error.str())
    if error.fatal():  # such a client never works again; a new process does
        os._exit(1)


class Publisher:
    """The relay's way to Kafka: idempotent, acknowledged by all replicas."""

    def __init__(self, settings: Settings, name: str) -> None:
        self._source = f"/jiexu/{name}"
        self._producer = Producer(
            client(settings, name)
            | {
                "enable.idempotence": True,
                "acks": "all",
                "linger.ms": 2,
                "batch.size": 262144,
                "compression.type": "lz4",
                # None times out: a message given up alone would be sent again behind the next one.
                "message.timeout.ms": 0,
                "allow.auto.create.topics": False,
            }
        )

    async def publish(self, rows: Sequence[Sent]) -> list[bool]:
        """Sends rows in order; whether each was acknowledged."""
        sent = [False] * len(rows)
        behind: set[str] = set()
        for index, row in enumerate(rows):
            if row.lane in behind:
                continue
            try:
                self._producer.produce(
                    row.topic,
                    row.body,
                    row.key.encode(),
                    row.partition,
                    on_delivery=partial(_told, sent, index),
                    headers=row.headers(self._source),
                )
            except (BufferError, KafkaException) as error:
                log.warning("kafka.sending", error=repr(error))
                behind.add(row.lane)
        while left := await asyncio.to_thread(self._producer.flush, _ASK_SECONDS):
            log.warning("kafka.unacknowledged", left=left)
        return sent


def _told(sent: list[bool], index: int, error: KafkaError | None, message: Message) -> None:  # noqa: ARG001
    sent[index] = error is None
