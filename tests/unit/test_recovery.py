"""From where a cell that was set back reads what registration systems have sent."""

import asyncio
from typing import Any, cast

import asyncpg
import pytest

from deploy import recovery, topics
from deploy.recovery import RecoveryRefused
from shared.settings import Settings

SENT, ANSWERED = "upstream.registrations/0", "upstream.answers/0"


class Lanes:
    """The lanes of one service, as its table has them."""

    def __init__(self, **offsets: int) -> None:
        self.offsets = {SENT: offsets["sent"], ANSWERED: offsets["answered"]}

    async def fetch(self, question: str) -> list[dict[str, Any]]:
        if "enrollment" not in question:
            return []
        return [{"name": name, "next_offset": at} for name, at in self.offsets.items()]

    async def execute(self, _: str, name: str, at: int) -> None:
        self.offsets[name] = at


def read_from(lanes: Lanes, *, kafka_lost: bool = False) -> list[dict[str, Any]]:
    db = cast("asyncpg.Connection", lanes)
    config = Settings(partitions=1)
    stands, gone = asyncio.run(recovery._upstream(db, config, kafka_lost=kafka_lost))
    assert stands == lanes.offsets
    return gone


@pytest.fixture(autouse=True)
def kafka(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has deleted the first of what was sent."""
    monkeypatch.setattr(topics, "bounds", lambda *_: {SENT: (100, 300), ANSWERED: (40, 90)})


def test_what_kafka_has_deleted_meanwhile_is_told() -> None:
    lanes = Lanes(sent=70, answered=20)

    assert read_from(lanes) == [{"lane": SENT, "from": 70, "records": 30}]
    assert lanes.offsets == {SENT: 70, ANSWERED: 90}


def test_nothing_is_told_where_kafka_has_all_from_there_on() -> None:
    assert read_from(Lanes(sent=100, answered=0)) == []


def test_a_kafka_that_is_new_is_read_from_its_beginning() -> None:
    lanes = Lanes(sent=1000, answered=1000)

    assert read_from(lanes, kafka_lost=True) == []
    assert lanes.offsets == {SENT: 0, ANSWERED: 0}


def test_a_kafka_that_has_less_than_was_read_is_not_taken_for_the_same() -> None:
    with pytest.raises(RecoveryRefused, match="--kafka-lost"):
        read_from(Lanes(sent=301, answered=0))
