"""A province moves with its rows: cut short anywhere, one cell at least has all of it."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from errno import ENOSPC
from uuid import uuid4

import asyncpg
import pytest

from deploy import provinces
from deploy.provinces import Handover, MoveRefused
from tests.integration.conftest import Engines

GUANGXI = "450000"
# Of the service or of the cell: what was delivered, said or refused stays where it was.
LEFT = {
    "cell.clock",  # set in the new cell
    "cell.generations",  # each cell asks Kafka
    "notification.runs",  # empty, or nothing moves
    "monitor.events",
    *(f"{s}.{t}" for s in (*provinces.SERVICES, "monitor") for t in ("inbox", "dead_letters")),
    *(f"{s}.outbox" for s in (*provinces.SERVICES, "monitor")),
    *(f"{s}.lanes" for s in ("transfer", "settlement", "notification")),
    "monitor.timers",
}
ROWS = """
INSERT INTO cell.person_keys VALUES ('p', 'key'), ('q', 'key');
INSERT INTO enrollment.persons (person, starts) VALUES
    ('p', '[["t", "r", "450100", "410100"], ["u", "r", "410100", "130100"]]');
INSERT INTO enrollment.relations (person, region, scheme, state, person_type, account, loaded,
    history, waiting_months)
SELECT p, region, '310', 'normal', 'e', true, true, '{}', 0
  FROM (VALUES ('p', '450100'), ('p', '410100'), ('q', '410100')) AS r (p, region);
INSERT INTO settlement.holders (person, region, account) VALUES
    ('p', '450100', true), ('q', '410100', true);
INSERT INTO settlement.reckonings VALUES
    ('p', gen_random_uuid(), '450100', '2026-12-31', 5, 1),
    ('q', gen_random_uuid(), '410100', '2026-12-31', 5, 1);
"""
MOVED = {"enrollment.relations": 1, "settlement.holders": 1, "settlement.reckonings": 1}
NOTHING = dict.fromkeys(MOVED, 0)


@dataclass
class Cells:
    """The databases of two cells, and the map."""

    source: asyncpg.Connection
    target: asyncpg.Connection
    kafka: str
    others: bool = False
    map: dict[str, str] = field(default_factory=dict)

    def assign(self) -> None:
        self.map[GUANGXI] = "south"

    async def move(self, assign: Callable[[], None] | None = None) -> dict[str, int]:
        handover = Handover(GUANGXI, GUANGXI in self.map, self.others, assign or self.assign)
        return await provinces.move(self.source, self.target, self.kafka, handover)

    async def rows(self) -> list[dict[str, int]]:
        """What each has of the province."""
        question = "SELECT count(*) FROM {} WHERE region LIKE '45%'"
        return [
            {table: await db.fetchval(question.format(table)) for table in MOVED}
            for db in (self.source, self.target)
        ]


@pytest.fixture
async def cells(engines: Engines, template: str, database: str) -> AsyncIterator[Cells]:
    name = f"t_{uuid4().hex[:12]}"
    admin = await asyncpg.connect(engines.dsn % "postgres")
    await admin.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
    source, target = await asyncpg.connect(database), await asyncpg.connect(engines.dsn % name)
    await source.execute(ROWS)
    yield Cells(source, target, engines.kafka)
    for db in (source, target):
        await db.close()
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.close()


def full_disk() -> None:
    raise OSError(ENOSPC, "No space left on device")


async def test_every_table_is_moved_shared_or_left(cells: Cells) -> None:
    found = await cells.source.fetch(
        "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace"
        " WHERE relkind IN ('r', 'p') AND NOT relispartition AND nspname <> ALL($1)",
        ["public", "pg_catalog", "information_schema"],
    )
    gone = [table for table, _ in (*provinces._SHARED, *provinces._MOVED)]

    assert sorted(name for (name,) in found) == sorted([*gone, *LEFT])


async def test_a_province_moves_with_its_rows_alone(cells: Cells) -> None:
    moved = await cells.move()

    assert moved == {**MOVED, "cell.person_keys": 1, "enrollment.persons": 1}
    assert await cells.rows() == [NOTHING, MOVED]
    assert await cells.source.fetchval("SELECT count(*) FROM enrollment.relations") == 2
    starts = "SELECT jsonb_path_query_array(starts, '$[*][2]')::text FROM enrollment.persons"
    assert await cells.source.fetchval(starts) == '["410100"]'
    assert await cells.target.fetchval(starts) == '["450100"]'


async def test_a_map_that_cannot_be_written_loses_no_province(cells: Cells) -> None:
    with pytest.raises(OSError, match="space"):
        await cells.move(full_disk)
    assert await cells.rows() == [MOVED, MOVED]
    await cells.source.execute("UPDATE settlement.holders SET personal_credit_fen = 7")

    await cells.move()

    assert await cells.rows() == [NOTHING, MOVED]
    credited = "SELECT personal_credit_fen FROM settlement.holders"
    assert await cells.target.fetchval(credited) == 7


async def test_a_move_cut_short_behind_the_map_is_completed_by_the_next(cells: Cells) -> None:
    def then_dies() -> None:
        cells.assign()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await cells.move(then_dies)
    assert await cells.rows() == [MOVED, MOVED]
    # Both have been up since: the new cell has worked.
    await cells.target.execute("INSERT INTO settlement.lanes (name, seq) VALUES ('intake/0', 5)")

    assert await cells.move() == MOVED

    assert await cells.rows() == [NOTHING, MOVED]
    assert await cells.move() == {}


async def test_what_the_map_alone_says_has_moved_is_not_deleted(cells: Cells) -> None:
    cells.assign()

    with pytest.raises(MoveRefused, match="lacks rows"):
        await cells.move()

    assert await cells.rows() == [MOVED, NOTHING]


async def test_a_cell_that_has_worked_takes_no_province(cells: Cells) -> None:
    for service in provinces.SERVICES:
        lane = await cells.target.fetchval(
            f"INSERT INTO {service}.lanes (name, seq) VALUES ('intake/0', 5) RETURNING name"
        )

        with pytest.raises(MoveRefused, match="worked already"):
            await cells.move()

        await cells.target.execute(f"DELETE FROM {service}.lanes WHERE name = $1", lane)
    assert await cells.rows() == [MOVED, NOTHING]


async def test_the_rows_of_another_province_are_no_remains_of_a_move(cells: Cells) -> None:
    await cells.target.execute(
        "INSERT INTO settlement.holders (person, region, account) VALUES ('r', '130100', true)"
    )
    cells.others = True

    with pytest.raises(MoveRefused, match="worked already"):
        await cells.move()

    assert await cells.target.fetchval("SELECT count(*) FROM settlement.holders") == 1
