"""Files of banks as they are remembered: what a file did is found by its hash."""

import json
from collections.abc import Sequence
from typing import Any

import asyncpg

from services.settlement.bank.statements import closed_on
from services.settlement.lines import Statement, StatementError, Taken


async def begin_file(db: asyncpg.Connection, digest: bytes, size: int, sent_by: str) -> int | None:
    """The number of a file that is taken now; None where it was taken before, or just now."""
    number: int | None = await db.fetchval(
        "INSERT INTO bank_files AS f (hash, size, sent_by, outcome) VALUES ($1, $2, $3, 'taken')"
        " ON CONFLICT (hash) DO UPDATE SET outcome = 'taken', code = NULL, place = NULL,"
        " sent_by = EXCLUDED.sent_by, attempts = f.attempts + 1, received_at = clock_timestamp()"
        " WHERE f.outcome = 'refused' RETURNING n",
        *(digest, size, sent_by),
    )
    return number


async def end_file(
    db: asyncpg.Connection, number: int, kinds: Sequence[str], answer: dict[str, Any]
) -> None:
    """What the file led to, as it was answered."""
    await db.execute(
        "UPDATE bank_files SET kinds = $2, answer = $3 WHERE n = $1",
        *(number, list(kinds), json.dumps(answer, ensure_ascii=False)),
    )


async def answer_again(db: asyncpg.Connection, digest: bytes) -> dict[str, Any] | None:
    """The answer to a file that was taken before; how often it was sent is counted."""
    text = await db.fetchval(
        "UPDATE bank_files SET attempts = attempts + 1"
        " WHERE hash = $1 AND outcome = 'taken' AND answer IS NOT NULL RETURNING answer",
        digest,
    )
    return None if text is None else json.loads(text)


async def refuse_file(
    db: asyncpg.Connection, digest: bytes, size: int, sent_by: str, why: StatementError
) -> None:
    """Remembers that the file was refused, and why; one that was taken stays so."""
    await db.execute(
        "INSERT INTO bank_files AS f (hash, size, sent_by, outcome, code, place)"
        " VALUES ($1, $2, $3, 'refused', $4, $5)"
        " ON CONFLICT (hash) DO UPDATE SET attempts = f.attempts + 1, code = EXCLUDED.code,"
        " place = EXCLUDED.place, sent_by = EXCLUDED.sent_by, received_at = clock_timestamp()"
        " WHERE f.outcome = 'refused'",
        *(digest, size, sent_by, why.code, why.where),
    )


async def file_statement(
    db: asyncpg.Connection,
    file: int,
    part: int,
    statement: Statement,
    taken: Taken,
    keys: Sequence[str],
) -> None:
    """What the file held of one account, entry by entry, and what was new of it."""
    await db.execute(
        "INSERT INTO bank_file_statements (file, part, account, kind, statement, closed_on, page,"
        " number, opening_fen, closing_fen, entries, accepted, duplicate, ignored, codes, keys)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
        *(file, part, taken.account, statement.kind, statement.id, closed_on(statement)),
        *(statement.page, statement.number, statement.opening_fen, statement.closing_fen),
        *(taken.entries, taken.accepted, taken.duplicate, taken.ignored, taken.codes, list(keys)),
    )
