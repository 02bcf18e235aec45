"""A past for a database: every row that a few finished transfers left, many times over.

Copy `i` of a row differs from its pattern in its ids and its person, wherever they stand, in its
days (spread evenly over the time before) and in its amounts, which are the pattern's `1 + i % 997`
times, all of them: whatever added up still does. What retention would have dropped by now is not
copied: inbox, outbox and, of the event log, all but a tenth of the closings; its other rows lie in
partitions of their days. With `lean`, texts that are long and that no batch reads are cut.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import asyncpg

SCHEMAS = ("cell", "enrollment", "transfer", "settlement", "notification", "monitor")
# Rows of the system, of a region or a corridor, which do not become more by transfers.
FEW = frozenset(
    {
        "cell.clock", "cell.statement_keys", "cell.generations", "settlement.balances",
        "settlement.corridors", "settlement.days", "settlement.bank_accounts",
        "settlement.account_changes",
    }
)  # fmt: skip
EVERYWHERE = frozenset({"lanes", "timers", "dead_letters"})
DAILY = "settlement.ages"
KEPT_FOR_DAYS = ("inbox", "outbox")
LOG = "monitor.events"
REMEMBERED = 14
_CUT = frozenset(
    {
        "sealed", "identity", "newest", "rule", "source", "why", "params", "facts", "recipient",
        "answer", "evidence", "keys", "wrapped",
    }
)  # fmt: skip
_CUT_TO = {"text": "left({own}, 8)", "bytea": "substr({own}, 1, 8)"}

# The first eight digits of every id and person key are marked in the pattern, and in each copy
# those of its own number. The same for names, which ten people share.
_MARK, _NAME_MARK = "~" * 8, "^" * 8
_IDS = r"\m[0-9a-f]{8}(-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{24})\M"
_DIGITS = "lpad(to_hex(({number}) * 2654435761 % 4294967296), 8, '0')"

_NUMBERED = "{own} || '.' || i"
# Before all that the lane and the partition have had since.
_EARLIER = "{own} - ($3 - i + 1) * 10000000"
_BY_NAME = {
    ("record_id", "text"): _NUMBERED,
    ("entry_key", "text"): _NUMBERED,
    ("run", "text"): _NUMBERED,
    ("statement", "text"): _NUMBERED,
    ("seq", "bigint"): _EARLIER,
    ("offset", "bigint"): _EARLIER,
    ("file", "bigint"): "{own} + i * 1000",
    ("hash", "bytea"): "decode(md5(encode({own}, 'hex') || i), 'hex')",
    ("name_keys", "text[]"): f"replace({{own}}, '{_NAME_MARK}', tenth)::text[]",
    ("body", "bytea"): f"convert_to(replace({{own}}, '{_MARK}', own), 'UTF8')",
}
_BY_TYPE = {"date": "{own} - ago", "timestamp with time zone": "{own} - back"}
_TEXTS = ("text", "uuid", "uuid[]", "json", "jsonb")
_TIMES = 997
_CHUNK = 200


@dataclass(frozen=True, slots=True)
class Table:
    """A table whose rows are copied; `parted` where days have partitions."""

    schema: str
    name: str
    parted: bool
    columns: Sequence[tuple[str, str]]

    @property
    def full(self) -> str:
        return f"{self.schema}.{self.name}"

    @property
    def pattern(self) -> str:
        return f"pattern.{self.schema}_{self.name}"

    def copy(self, *, lean: bool) -> str:
        """The statement that makes the copies `$1` to `$2` of `$3`, spread over `$4` days."""
        names = ", ".join(f'"{name}"' for name, _ in self.columns)
        values = ", ".join(_value(*column, lean=lean) for column in self.columns)
        return (
            f"INSERT INTO {self.full} ({names}) SELECT {values} FROM"
            f" (SELECT i, ago, ago * interval '1 day' AS back, 1 + i % {_TIMES} AS times,"
            f" {_DIGITS.format(number='i')} AS own, {_DIGITS.format(number='i / 10')} AS tenth"
            " FROM generate_series($1::bigint, $2::bigint) AS i,"
            " LATERAL (SELECT 1 + (($3 - i) * $4 / $3)::int AS ago) AS a OFFSET 0) AS c"
            f" CROSS JOIN {self.pattern} p"
            f"{self._which()}"
        )

    def _which(self) -> str:
        if self.name in KEPT_FOR_DAYS:
            return f" WHERE ago < {REMEMBERED}"
        if self.full == LOG:
            return (
                f" WHERE ago < {REMEMBERED} OR p.type = 'transfer.closed.v1' AND i % 10 = 0"
                " ORDER BY i"
            )
        return " ON CONFLICT DO NOTHING" if self.full == DAILY else ""


def _value(name: str, kind: str, *, lean: bool) -> str:
    """What copy `i` has in this column."""
    if lean and name in _CUT:
        words = _CUT_TO.get(kind, "'{{}}'")
    elif kind == "bigint" and name.endswith(("_fen", "accrued")):
        words = "{own} * times"
    elif (name, kind) in _BY_NAME:
        words = _BY_NAME[name, kind]
    elif kind in _TEXTS:
        words = f"replace({{own}}, '{_MARK}', own)::{kind}"
    else:
        words = _BY_TYPE.get(kind, "{own}")
    return words.format(own=f'p."{name}"')


def _marked(name: str, kind: str) -> str:
    """The column in the pattern."""
    own = f'"{name}"'
    if name == "name_keys":
        return f"regexp_replace({own}::text, '^.[0-9a-f]{{8}}', '{{{_NAME_MARK}') AS {own}"
    if (name, kind) == ("body", "bytea"):
        text = f"convert_from({own}, 'UTF8')"
    elif kind in _TEXTS:
        text = f"{own}::text"
    else:
        return own
    return f"regexp_replace({text}, '{_IDS}', '{_MARK}\\1', 'g') AS {own}"


async def load(dsn: str, closed: int, *, days: int, lean: bool, tell: Callable[[str], None]) -> int:
    """Copies what is there until there are `closed` closed transfers more, on two connections.

    Gives how many there are more. Nothing may happen in the database meanwhile.
    """
    async with asyncpg.create_pool(dsn, min_size=2, max_size=2, command_timeout=None) as pool:
        await pool.execute("DROP SCHEMA IF EXISTS pattern CASCADE; CREATE SCHEMA pattern")
        tables = [await _table(pool, *row) for row in await pool.fetch(_TABLES, list(SCHEMAS))]
        found = [table for table in tables if await _take(pool, table)]
        before: int = await pool.fetchval("SELECT count(*) FROM transfer.transfers WHERE closed")
        copies = -(-closed // before)
        waiting = sorted(found, key=lambda table: table.parted)
        one_at_a_time = asyncio.Semaphore(2)

        async def one(table: Table) -> None:
            async with one_at_a_time:
                began = time.monotonic()
                await _fill(pool, table, copies, days, lean=lean)
                tell(f"{table.full}: {time.monotonic() - began:.1f} s")

        await asyncio.gather(*(one(table) for table in waiting))
        await pool.execute(
            "UPDATE settlement.balances SET debit_fen = debit_fen * $1,"
            " credit_fen = credit_fen * $1",
            1 + sum(1 + i % _TIMES for i in range(1, copies + 1)),
        )
        await pool.execute("DROP SCHEMA pattern CASCADE")
    return copies * before


_TABLES = """
SELECT n.nspname, c.relname, c.relkind = 'p'
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = ANY($1) AND c.relkind IN ('r', 'p') AND NOT c.relispartition
 ORDER BY 1, 2
"""
_COLUMNS = """
SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute
 WHERE attrelid = $1::text::regclass AND attnum > 0 AND NOT attisdropped AND attidentity = ''
   AND attgenerated = '' ORDER BY attnum
"""
_INDEXES = """
SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid), c.conname,
       pg_get_constraintdef(c.oid)
  FROM pg_index i LEFT JOIN pg_constraint c ON c.conindid = i.indexrelid AND c.contype IN ('p', 'u')
 WHERE i.indrelid = $1::text::regclass
"""


async def _table(pool: asyncpg.Pool, schema: str, name: str, parted: bool) -> Table:  # noqa: FBT001 - a row
    columns = await pool.fetch(_COLUMNS, f"{schema}.{name}")
    return Table(schema, name, parted, [(row[0], row[1]) for row in columns])


async def _take(pool: asyncpg.Pool, table: Table) -> bool:
    """Whether the table has rows that are to be copied; they are the pattern."""
    if table.full in FEW or table.name in EVERYWHERE:
        return False
    columns = ", ".join(_marked(*column) for column in table.columns)
    await pool.execute(
        f"CREATE UNLOGGED TABLE {table.pattern} AS SELECT {columns} FROM {table.full}"
    )
    await pool.execute(f"ANALYZE {table.pattern}")
    return bool(await pool.fetchval(f"SELECT EXISTS (SELECT FROM {table.pattern})"))


async def _fill(pool: asyncpg.Pool, table: Table, copies: int, days: int, *, lean: bool) -> None:
    """Fast: without indexes, which are made again afterwards, and no wait for the disk."""
    async with pool.acquire() as db:
        await db.execute(
            "SET synchronous_commit = off; SET maintenance_work_mem = '512MB';"
            " SET work_mem = '64MB'"
        )
        if table.parted:
            await _partitions(db, table, days)
        aside = not table.parted and table.full != DAILY
        indexes = await db.fetch(_INDEXES, table.full) if aside else []
        for index, _, constraint, _ in indexes:
            await db.execute(
                f"ALTER TABLE {table.full} DROP CONSTRAINT {constraint}"
                if constraint
                else f"DROP INDEX {index}"
            )
        statement = await db.prepare(table.copy(lean=lean))
        for first in range(1, copies + 1, _CHUNK):
            await statement.fetch(first, min(first + _CHUNK - 1, copies), copies, days)
        for _, definition, constraint, words in indexes:
            await db.execute(
                f"ALTER TABLE {table.full} ADD CONSTRAINT {constraint} {words}"
                if constraint
                else definition
            )
        await db.execute(f"VACUUM (ANALYZE) {table.full}")


async def _partitions(db: asyncpg.Connection, table: Table, days: int) -> None:
    """Of the days that rows will be of."""
    today: date = await db.fetchval("SELECT current_date")
    back = REMEMBERED if table.name in KEPT_FOR_DAYS else days
    await db.execute(
        "SELECT cell.keep_partitions($1::text::regclass, $2, $3, $2)",
        table.full,
        today - timedelta(days=back + 1),
        today,
    )
