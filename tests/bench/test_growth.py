"""A loaded past is like a real one: every table has its share of it, and the books hold."""

from pathlib import Path

from rich.console import Console

from deploy.sandbox import bench, own_stack
from deploy.sandbox.network import joined
from tests.bench.growth import history, questions
from tests.bench.growth.__main__ import Side, fetch

_COUNTS = """
SELECT (SELECT count(*) FROM transfer.transfers WHERE closed),
       (SELECT count(DISTINCT person) FROM settlement.claims c JOIN transfer.transfers t
         USING (person) WHERE t.id = c.transfer AND t.state->>'person' = t.person),
       (SELECT count(DISTINCT business_date) FROM settlement.postings),
       (SELECT count(*) FROM settlement.entries WHERE transfer IS NOT NULL)
"""


async def test_copies_of_a_few_transfers_stand_beside_them_and_new_ones_close(
    tmp_path: Path,
) -> None:
    tell = Console(stderr=True).print
    with (
        own_stack.started(tmp_path / "stack", tell) as running,
        joined(running, tmp_path / "answers") as network,
    ):
        side = Side("grown", running, network)
        await side.load(30)
        (before,) = await fetch(running.database, _COUNTS)

        closed = await history.load(running.database, 900, days=300, lean=False, tell=tell)

        (after,) = await fetch(running.database, _COUNTS)
        books = bench.balance(network)
        later = await side.load(30)
        told = questions.times(network, await side.newest())

    assert (closed, tuple(before[:2])) == (900, (30, 30))
    assert tuple(after[:2]) == (930, 930)
    assert after[2] == before[2] + 30
    assert after[3] == 31 * before[3]
    assert books["balanced"]
    assert all(books["invariants"].values())
    assert later["closed"] == later["funded"] == 30
    assert [name for name, time in told.items() if not isinstance(time, int)] == []
