"""Kafka for the relay: one idempotent producer of a process, and what all its clients have."""

import asyncio
import os
import time
from collections.abc import Sequence
from functools import partial
from typing import Any

import structlog
from confluent_kafka import KafkaError, KafkaException, Message, Producer

from shared.outbox import Sent
from shared.settings import Settings

log = structlog.get_logger()

_ASK_SECONDS = 5.0
_LOOK_SECONDS = 0.002


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
                "linger.ms": 4,
                "batch.size": 262144,
                "compression.type": "lz4",
                # What is not told of has been acknowledged, once nothing waits any more.
                "delivery.report.only.error": True,
                # None times out: a message given up alone would be sent again behind the next one.
                "message.timeout.ms": 0,
                "allow.auto.create.topics": False,
            }
        )

    async def publish(self, rows: Sequence[Sent]) -> list[bool]:
        """Sends rows in order; whether each was acknowledged."""
        sent = [True] * len(rows)
        behind: set[str] = set()
        for index, row in enumerate(rows):
            if row.lane in behind:
                sent[index] = False
                continue
            try:
                self._producer.produce(
                    row.topic,
                    row.body,
                    row.key.encode(),
                    row.partition,
                    on_delivery=partial(_refused, sent, index),
                    headers=row.headers(self._source),
                )
            except (BufferError, KafkaException) as error:
                log.warning("kafka.sending", error=repr(error))
                behind.add(row.lane)
                sent[index] = False
        await self._settled()
        return sent

    def hear(self) -> None:
        """Takes what librdkafka has to tell: while nothing is sent nobody else asks it."""
        self._producer.poll(0)

    async def _settled(self) -> None:
        """Returns when each message is acknowledged or refused. Looked for on this thread: told on
        another, each would have to wait for the interpreter.
        """
        told_at = time.monotonic()
        self._producer.poll(0)
        while left := len(self._producer):
            if time.monotonic() - told_at > _ASK_SECONDS:
                log.warning("kafka.unacknowledged", left=left)
                told_at = time.monotonic()
            await asyncio.sleep(_LOOK_SECONDS)
            self._producer.poll(0)


def _refused(sent: list[bool], index: int, error: KafkaError, message: Message) -> None:  # noqa: ARG001
    sent[index] = False
