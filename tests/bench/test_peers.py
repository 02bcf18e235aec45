"""The peers' benchmark compares like with like: a peer is made to write a whole transfer."""

import asyncio
from collections.abc import Callable, Iterable, Iterator

import asyncpg
import pytest

from tests.bench.peers import funding, moving, turns
from tests.bench.peers.__main__ import sentence, summary
from tests.bench.peers.story import EVENT_KEY, Statement, Transfer

TRANSFERS = 3
Step = Callable[[Transfer], list[Statement]]
ALL: tuple[Step, ...] = (*moving.STEPS, *funding.STEPS)
DELIVERIES = (moving.deliver_letters, funding.deliver_letter)


@pytest.fixture(scope="module")
def loaded() -> Iterator[str]:
    with turns.database() as (dsn, _):
        asyncio.run(turns.load(dsn, turns.facts(TRANSFERS)))
        yield dsn


def numbered(sql: str) -> str:
    """With asyncpg's placeholders in place of psycopg's."""
    first, *others = sql.split("%s")
    return first + "".join(f"${n}{text}" for n, text in enumerate(others, 1))


async def run(dsn: str, steps: Iterable[Step]) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        for facts in turns.facts(TRANSFERS):
            for step in steps:
                async with connection.transaction():
                    for sql, values in step(Transfer(*facts)):
                        await connection.execute(numbered(sql), *values)
    finally:
        await connection.close()


def test_the_steps_of_a_peer_make_a_complete_transfer_and_a_repeated_one_changes_nothing(
    loaded: str,
) -> None:
    with pytest.raises(RuntimeError, match="closed"):
        asyncio.run(turns.check(loaded, TRANSFERS))

    asyncio.run(run(loaded, ALL))

    asyncio.run(turns.check(loaded, TRANSFERS))
    for step in ALL:
        if step in DELIVERIES:
            asyncio.run(run(loaded, [step]))  # it updates letters that wait, and there are none
            continue
        with pytest.raises(asyncpg.UniqueViolationError) as repeated:
            asyncio.run(run(loaded, [step]))
        assert repeated.value.constraint_name == EVENT_KEY
    asyncio.run(turns.check(loaded, TRANSFERS))


def test_the_ratio_is_taken_within_each_pair() -> None:
    def turn(speed: int, cpu: int) -> dict[str, object]:
        return {"transfers_per_second": speed, "cpu_ms_per_transfer": {"all": cpu}}

    result = summary(
        [(turn(100, 2), turn(10, 40)), (turn(90, 4), turn(30, 40)), (turn(80, 2), turn(16, 60))]
    )

    assert result["times_as_fast"] == {"median": 5, "least": 3, "greatest": 10}
    assert result["times_less_cpu"] == {"median": 20, "least": 10, "greatest": 30}
    assert result["transfers_per_second"]["dbos"] == {"median": 16, "least": 10, "greatest": 30}
    assert sentence(result).startswith(
        "bench-peers: 5.0 times DBOS Transact (3.0 to 10.0 in 3 pairs): 90 against 16 transfers/s"
    )
