"""Statements and entries as they are remembered: each entry once, and one chain an account."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from uuid import UUID, uuid5

import asyncpg

from services.settlement.bank.chain import Link, gap
from services.settlement.bank_commands import Entry, Numbered, OwnAccount
from services.settlement.lines import Line, Statement, StatementError, Taken
from shared.messages import NAMESPACE
from shared.messages.settlement import OpenBank
from shared.messages.settlement_bank import AdjustOpening

Order = tuple[date, int, int]
"""The place of a statement among those of its account."""


def closed_on(statement: Statement) -> date:
    """The day that the statement ends."""
    last = max((line.booked_on for line in statement.lines), default=date.min)
    return statement.closed_on or statement.opened_on or last


def order(statement: Statement) -> Order:
    """By day, by the bank's number, by page."""
    return closed_on(statement), statement.number, statement.page


async def lock_accounts(db: asyncpg.Connection, accounts: set[str]) -> None:
    """One file of an account at a time."""
    await db.execute(
        "INSERT INTO bank_accounts (account) SELECT unnest($1::text[]) ON CONFLICT DO NOTHING",
        sorted(accounts),
    )
    await db.execute(
        "SELECT FROM bank_accounts WHERE account = ANY($1) ORDER BY account FOR UPDATE",
        sorted(accounts),
    )


async def fresh_lines(
    db: asyncpg.Connection, own: OwnAccount, statement: Statement, lines: dict[str, Line]
) -> list[Line]:
    """The lines not read before. Raises StatementError where one was read otherwise."""
    rows = await db.fetch(
        "SELECT entry_key, kind, core, content FROM bank_lines"
        " WHERE account = $1 AND entry_key = ANY($2)",
        *(own.key, list(lines)),
    )
    for row in rows:
        line = lines[row["entry_key"]]
        # A report within the day may say less of an entry than the next one does.
        alike = row["kind"] == statement.kind and statement.kind != "camt.052"
        same = row["content"] == line.content if alike else row["core"] == line.core
        if not same:
            raise StatementError("conflict", f"entry {line.position}")
    known = {row["entry_key"] for row in rows}
    return [line for key, line in lines.items() if key not in known]


Twins = Mapping[str, UUID]
"""By entry key: the line of another kind of file that an entry seems to be."""


async def twins_of(
    db: asyncpg.Connection, own: OwnAccount, statement: Statement, fresh: Sequence[Entry]
) -> Twins:
    """The entries that another kind of file has told already, as it seems: alike, and at least one
    of the two without the bank's reference. Each known line is the twin of one.
    """
    alike = {entry.key: entry.line.likeness for entry in fresh}
    known: defaultdict[bytes, list[asyncpg.Record]] = defaultdict(list)
    for row in await db.fetch(_ALIKE, own.key, list(set(alike.values())), statement.kind):
        known[row["likeness"]].append(row)
    found: dict[str, UUID] = {}
    for entry in fresh:
        for row in known[alike[entry.key]]:
            if not entry.line.reference or not row["referred"]:
                found[entry.key] = row["receipt"]
                known[alike[entry.key]].remove(row)
                break
    return found


_ALIKE = """
SELECT likeness, receipt, entry_key NOT LIKE 'ntry:%' AS referred FROM bank_lines l
 WHERE account = $1 AND likeness = ANY($2) AND kind <> $3 AND twin IS NULL
   AND NOT EXISTS (SELECT FROM bank_lines t WHERE t.account = $1 AND t.likeness = l.likeness
                      AND t.twin = l.receipt)
 ORDER BY entry_key
"""


async def gap_before(
    db: asyncpg.Connection, own: OwnAccount, statement: Statement, taken: Taken
) -> None:
    """What is missing around a statement, and whether it closes a gap that was there."""
    if statement.opening_fen is None or await _known(db, own, statement):
        return
    before, after = await _neighbours(db, own, order(statement))
    this = Link(statement.id, *order(statement), statement.opening_fen, statement.closing_fen)
    found, was = gap(before, this), gap(before, after)
    if found is not None:
        taken.missing = found.missing
        taken.codes.append("gap" if found.of_money else "sequence_gap")
        taken.gap = (found.closed_fen, found.opened_fen) if found.of_money else None
    if after is not None:
        taken.codes.append("late")
        if was is not None and found is None and gap(this, after) is None:
            taken.codes.append("gap_closed")


async def _known(db: asyncpg.Connection, own: OwnAccount, statement: Statement) -> bool:
    return bool(
        await db.fetchval(
            "SELECT true FROM statements WHERE account = $1 AND kind = $2 AND statement = $3"
            " AND closed_on = $4 AND page = $5",
            *(own.key, statement.kind, statement.id, closed_on(statement), statement.page),
        )
    )


_LINK = "SELECT statement, closed_on, number, page, opening_fen, closing_fen FROM statements"


async def _neighbours(
    db: asyncpg.Connection, own: OwnAccount, place: Order
) -> tuple[Link | None, Link | None]:
    before = await db.fetchrow(
        f"{_LINK} WHERE account = $1 AND opening_fen IS NOT NULL"
        " AND (closed_on, number, page) <= ($2, $3, $4)"
        " ORDER BY closed_on DESC, number DESC, page DESC, n DESC LIMIT 1",
        *(own.key, *place),
    )
    after = await db.fetchrow(
        f"{_LINK} WHERE account = $1 AND opening_fen IS NOT NULL"
        " AND (closed_on, number, page) > ($2, $3, $4)"
        " ORDER BY closed_on, number, page, n LIMIT 1",
        *(own.key, *place),
    )
    return (Link(*before) if before else None, Link(*after) if after else None)


async def open_account(
    db: asyncpg.Connection, own: OwnAccount, statement: Statement, lines: dict[str, Line]
) -> list[Numbered]:
    """The opening balance of the first statement, less what notices told before it began."""
    if statement.opening_fen is None:
        return []
    first = await db.fetchval("SELECT NOT opened FROM bank_accounts WHERE account = $1", own.key)
    if not first:
        return []
    began = min(
        (line.booked_on for line in lines.values()),
        default=closed_on(statement) + timedelta(days=1),
    )
    before = await db.fetchval(
        "SELECT coalesce(sum(CASE WHEN credit THEN amount_fen ELSE -amount_fen END), 0)::bigint"
        " FROM bank_lines WHERE account = $1 AND booked_on < $2 AND entry_key <> ALL($3)"
        " AND twin IS NULL",
        *(own.key, began, list(lines)),
    )
    balance_fen = statement.opening_fen - before
    await db.execute(
        "UPDATE bank_accounts SET opened = true, opened_on = $2, opening_fen = $3,"
        " opened_by = $4, opened_number = $5, opened_page = $6 WHERE account = $1",
        *(own.key, began, balance_fen, *order(statement)),
    )
    if balance_fen <= 0:
        return []  # an overdrawn account has nothing to begin with
    message = OpenBank(
        to=own.region, account=own.key, bank=own.bank, balance_fen=balance_fen, booked_on=began
    )
    return [(uuid5(NAMESPACE, f"open-bank\x1f{own.key}"), message)]


async def reopen_account(
    db: asyncpg.Connection,
    own: OwnAccount,
    statement: Statement,
    fresh: Sequence[Line],
    cause: UUID,
) -> list[Numbered]:
    """Entries from before the first statement that was read are in its opening balance already."""
    row = await db.fetchrow(
        "SELECT opened_on, opening_fen, opened_by, opened_number, opened_page FROM bank_accounts"
        " WHERE account = $1 AND opening_fen IS NOT NULL",
        own.key,
    )
    if row is None:
        return []
    first = (row["opened_by"], row["opened_number"], row["opened_page"])
    if statement.opening_fen is not None:
        earlier = fresh if order(statement) < first else []
    else:
        earlier = [line for line in fresh if line.booked_on < row["opened_on"]]
    moved = sum(line.amount_fen if line.credit else -line.amount_fen for line in earlier)
    now_fen = row["opening_fen"] - moved
    await db.execute(
        "UPDATE bank_accounts SET opening_fen = $2 WHERE account = $1", own.key, now_fen
    )
    delta_fen = max(0, now_fen) - max(0, row["opening_fen"])
    if not delta_fen:
        return []
    message = AdjustOpening(
        to=own.region,
        account=own.key,
        bank=own.bank,
        cause=cause,
        delta_fen=delta_fen,
        booked_on=row["opened_on"],
    )
    return [(uuid5(NAMESPACE, f"adjust-opening\x1f{own.key}\x1f{cause}"), message)]


async def remember(
    db: asyncpg.Connection,
    own: OwnAccount,
    statement: Statement,
    taken: Taken,
    fresh: Sequence[Entry],
    twins: Twins,
    file: int,
) -> None:
    """Keeps the statement in the chain, and its new entries. Raises StatementError."""
    if await _repeats(db, own, statement, taken):
        taken.codes.append("repeated")
    else:
        await _chain(db, own, statement, taken, file)
    rows = [
        (
            *(entry.own.key, entry.key, statement.kind, entry.line.core, entry.line.content),
            *(entry.receipt, statement.id, entry.line.credit, entry.line.amount_fen),
            *(entry.line.booked_on, file, entry.line.likeness, twins.get(entry.key)),
        )
        for entry in fresh
    ]
    await db.copy_records_to_table("bank_lines", records=rows, columns=_LINE_COLUMNS)


_LINE_COLUMNS = (
    *("account", "entry_key", "kind", "core", "content", "receipt", "statement", "credit"),
    *("amount_fen", "booked_on", "file", "likeness", "twin"),
)


async def _repeats(
    db: asyncpg.Connection, own: OwnAccount, statement: Statement, taken: Taken
) -> bool:
    """Whether it is a day that was read before, under another name."""
    if statement.opening_fen is None or taken.accepted or not taken.entries:
        return False
    return bool(
        await db.fetchval(
            "SELECT true FROM statements WHERE account = $1 AND closed_on = $2"
            " AND opening_fen = $3 AND closing_fen = $4 AND (statement, page) <> ($5, $6)",
            *(own.key, closed_on(statement), statement.opening_fen, statement.closing_fen),
            *(statement.id, statement.page),
        )
    )


async def _chain(
    db: asyncpg.Connection, own: OwnAccount, statement: Statement, taken: Taken, file: int
) -> None:
    balances = (statement.opening_fen, statement.closing_fen)
    kept = await db.fetchrow(
        "INSERT INTO statements (account, kind, statement, closed_on, page, number, opening_fen,"
        " closing_fen, gap_fen, entries, file)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
        " ON CONFLICT (account, kind, statement, closed_on, page)"
        " DO UPDATE SET entries = statements.entries RETURNING opening_fen, closing_fen",
        *(own.key, statement.kind, statement.id, closed_on(statement), statement.page),
        *(statement.number, *balances, taken.gap[1] - taken.gap[0] if taken.gap else None),
        *(taken.entries, file),
    )
    if tuple(kept) != balances:
        raise StatementError("statement_conflict")
