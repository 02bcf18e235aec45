"""Bank statements in: a file is read, checked and turned into commands to the books, or refused.

Everything a file leads to is one transaction: what was read, and the commands in the outbox.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta
from uuid import uuid5

import asyncpg

from services.settlement import bank_csv, camt, outside, remittances
from services.settlement.bank_commands import (
    Booked,
    Entry,
    Leg,
    Numbered,
    OwnAccount,
    commands_of,
    entries_of,
    other_leg,
)
from services.settlement.lines import (
    Line,
    Statement,
    StatementError,
    Taken,
    check_balances,
    decode,
    distinct,
)
from shared.messages import NAMESPACE
from shared.messages.settlement import OpenBank
from shared.regions import Regions
from shared.service import Runtime

LARGEST_FILE = 64 * 1024 * 1024


Owned = tuple[OwnAccount, Statement, dict[str, Line]]


def read(body: bytes) -> list[Statement]:
    """The statements in a file, each checked by itself. Raises StatementError."""
    if len(body) > LARGEST_FILE:
        raise StatementError("too_large")
    text = decode(body)
    start = text.lstrip()[:1]
    statements = camt.read(text) if start == "<" else bank_csv.read(text)
    if not statements:
        raise StatementError("empty")
    return statements


async def take(runtime: Runtime, body: bytes, may_see: Callable[[str], bool]) -> list[Taken]:
    """Takes a file whole. Raises StatementError where it is refused whole."""
    statements = await asyncio.to_thread(read, body)
    owned = await asyncio.to_thread(_own, runtime.regions, statements, may_see)
    async with runtime.pool.acquire() as db, db.transaction():
        await _lock(db, {own.key for own, _, _ in owned})
        taken: list[Taken] = []
        sent: list[Numbered] = []
        for own, statement, lines in owned:
            one, messages = await _take_one(runtime, db, own, statement, lines)
            taken.append(one)
            sent.extend(messages)
        await runtime.send(db, sent)
        await outside.taken(runtime.settings.home, [_identity(*one) for one in owned])
    return taken


def _own(
    regions: Regions, statements: Iterable[Statement], may_see: Callable[[str], bool]
) -> list[Owned]:
    """Whose each statement is, in the order in which they follow each other."""
    owned: list[Owned] = []
    for statement in statements:
        known = regions.by_account(statement.account) if statement.account else None
        if known is None:
            raise StatementError("unknown_account")
        if not may_see(known[0].code) or not regions.here(known[0].code):
            raise StatementError("not_your_region")
        lines = distinct(statement)
        check_balances(statement, lines.values())
        owned.append((OwnAccount(known[0].code, known[1]), statement, lines))
    return sorted(owned, key=lambda one: (one[0].key, _closed_on(one[1]), one[1].page))


def _identity(own: OwnAccount, statement: Statement, _: dict[str, Line]) -> dict[str, str | int]:
    return {
        "account": own.key,
        "kind": statement.kind,
        "statement": statement.id,
        "closed_on": _closed_on(statement).isoformat(),
        "page": statement.page,
    }


def _closed_on(statement: Statement) -> date:
    last = max((line.booked_on for line in statement.lines), default=date.min)
    return statement.closed_on or statement.opened_on or last


async def _lock(db: asyncpg.Connection, accounts: set[str]) -> None:
    await db.execute(
        "INSERT INTO bank_accounts (account) SELECT unnest($1::text[]) ON CONFLICT DO NOTHING",
        sorted(accounts),
    )
    await db.execute(
        "SELECT FROM bank_accounts WHERE account = ANY($1) ORDER BY account FOR UPDATE",
        sorted(accounts),
    )


async def _take_one(
    runtime: Runtime,
    db: asyncpg.Connection,
    own: OwnAccount,
    statement: Statement,
    lines: dict[str, Line],
) -> tuple[Taken, list[Numbered]]:
    fresh = entries_of(own, statement, await _fresh(db, own, statement, lines))
    taken = Taken(
        statement=statement.id,
        account=own.key,
        entries=len(statement.lines),
        accepted=len(fresh),
        duplicate=len(statement.lines) - len(fresh),
        ignored=statement.ignored,
        gap=await _gap(db, own, statement),
        codes=list(statement.codes),
    )
    if taken.gap:
        taken.codes.append("gap")
    opening = await _opening(db, own, statement, lines)
    await _remember(db, own, statement, taken, fresh)
    booked = await _booked_once(db, runtime.regions, fresh)
    told = await remittances.lists_of(db, fresh)
    keys = {
        month: await runtime.keyring.statement_key(db, month)
        for month in sorted({f"{entry.line.booked_on:%Y-%m}" for entry in fresh})
    }
    commands, codes = await asyncio.to_thread(
        commands_of, told, booked, runtime.regions, runtime.keyring, keys
    )
    taken.codes.extend(codes)
    said = opening + commands
    taken.messages.extend(id_ for id_, _ in said)
    return taken, said


async def _fresh(
    db: asyncpg.Connection, own: OwnAccount, statement: Statement, lines: dict[str, Line]
) -> list[Line]:
    """The lines not read before. Raises StatementError where one was read otherwise."""
    rows = await db.fetch(
        "SELECT entry_key, kind, core, content FROM bank_lines"
        " WHERE account = $1 AND entry_key = ANY($2)",
        own.key,
        list(lines),
    )
    for row in rows:
        line = lines[row["entry_key"]]
        same = (
            row["content"] == line.content
            if row["kind"] == statement.kind
            else row["core"] == line.core
        )
        if not same:
            raise StatementError("conflict", f"entry {line.position}")
    known = {row["entry_key"] for row in rows}
    return [line for key, line in lines.items() if key not in known]


async def _gap(
    db: asyncpg.Connection, own: OwnAccount, statement: Statement
) -> tuple[int, int] | None:
    """Whether the statement begins where the one before it ended."""
    if statement.opening_fen is None:
        return None
    rows = await db.fetch(
        "SELECT statement, page, closed_on, closing_fen FROM statements"
        " WHERE account = $1 AND opening_fen IS NOT NULL AND closed_on <= $2"
        " ORDER BY closed_on DESC, page DESC, n DESC LIMIT 50",
        own.key,
        _closed_on(statement),
    )
    for row in rows:
        if (row["statement"], row["page"]) == (statement.id, statement.page) and (
            row["closed_on"] == _closed_on(statement)
        ):
            return None  # read again: it was compared then
    closing = rows[0]["closing_fen"] if rows else None
    if closing is None or closing == statement.opening_fen:
        return None
    return closing, statement.opening_fen


async def _opening(
    db: asyncpg.Connection, own: OwnAccount, statement: Statement, lines: dict[str, Line]
) -> list[Numbered]:
    """The opening balance of the first statement, less what notices told before it began."""
    if statement.opening_fen is None:
        return []
    first = await db.fetchval(
        "UPDATE bank_accounts SET opened = true WHERE account = $1 AND NOT opened RETURNING true",
        own.key,
    )
    if not first:
        return []
    began = min(
        (line.booked_on for line in lines.values()),
        default=_closed_on(statement) + timedelta(days=1),
    )
    before = await db.fetchval(
        "SELECT coalesce(sum(CASE WHEN credit THEN amount_fen ELSE -amount_fen END), 0)::bigint"
        " FROM bank_lines WHERE account = $1 AND booked_on < $2 AND entry_key <> ALL($3)",
        own.key,
        began,
        list(lines),
    )
    balance_fen = statement.opening_fen - before
    if balance_fen <= 0:
        return []  # an overdrawn account has nothing to begin with
    message = OpenBank(
        to=own.region, account=own.key, bank=own.bank, balance_fen=balance_fen, booked_on=began
    )
    return [(uuid5(NAMESPACE, f"open-bank\x1f{own.key}"), message)]


async def _remember(
    db: asyncpg.Connection,
    own: OwnAccount,
    statement: Statement,
    taken: Taken,
    fresh: Sequence[Entry],
) -> None:
    balances = (statement.opening_fen, statement.closing_fen)
    kept = await db.fetchrow(
        "INSERT INTO statements (account, kind, statement, closed_on, page, opening_fen,"
        " closing_fen, gap_fen, entries) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
        " ON CONFLICT (account, kind, statement, closed_on, page)"
        " DO UPDATE SET entries = statements.entries RETURNING opening_fen, closing_fen",
        own.key,
        statement.kind,
        statement.id,
        _closed_on(statement),
        statement.page,
        *balances,
        taken.gap[1] - taken.gap[0] if taken.gap else None,
        taken.entries,
    )
    if tuple(kept) != balances:
        raise StatementError("statement_conflict")
    rows = [
        (
            *(entry.own.key, entry.key, statement.kind, entry.line.core, entry.line.content),
            *(entry.receipt, statement.id, entry.line.credit, entry.line.amount_fen),
            entry.line.booked_on,
        )
        for entry in fresh
    ]
    await db.copy_records_to_table("bank_lines", records=rows)


async def _booked_once(db: asyncpg.Connection, regions: Regions, fresh: Sequence[Entry]) -> Booked:
    """Which entries only move money inside the agency, and which of those the books know."""
    booked: Booked = {}
    for entry in fresh:
        other = other_leg(entry, regions)
        if other is None:
            continue
        counter, leg = other
        payer, payee = (counter, entry.own) if entry.line.credit else (entry.own, counter)
        first = await _count_leg(db, payer, payee, entry.line.amount_fen, leg)
        booked[entry.key] = (payer, payee) if first else None
    return booked


async def _count_leg(
    db: asyncpg.Connection, payer: OwnAccount, payee: OwnAccount, amount_fen: int, leg: Leg
) -> bool:
    # A sweep is an entry or two a day: a statement for each is no burden.
    other = "debits" if leg == "credits" else "credits"
    return bool(
        await db.fetchval(
            f"INSERT INTO own_transfers AS t (payer, payee, amount_fen, {leg})"  # noqa: S608 - names
            f" VALUES ($1, $2, $3, 1) ON CONFLICT (payer, payee, amount_fen)"
            f" DO UPDATE SET {leg} = t.{leg} + 1 RETURNING t.{leg} > t.{other}",
            payer.key,
            payee.key,
            amount_fen,
        )
    )
