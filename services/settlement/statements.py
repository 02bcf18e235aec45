"""Bank files in: a file is read, checked and turned into commands to the books, or refused.

Everything a file leads to is one transaction: what was read, and the commands in the outbox. Its
hash keeps what it did: sent again, it is answered by that, and nothing is read.
"""

import asyncio
import hashlib
from collections.abc import Callable, Iterable, Sequence
from typing import Any
from uuid import UUID, uuid5

import asyncpg

from services.settlement import answers, bank_csv, camt, outside, remittances
from services.settlement.bank import intake, reports, store, xml
from services.settlement.bank import statements as chain
from services.settlement.bank.reports import Report
from services.settlement.bank.texts import pieces
from services.settlement.bank.unsealing import current
from services.settlement.bank_commands import (
    Booked,
    Entry,
    Leg,
    Numbered,
    OwnAccount,
    commands_of,
    entries_of,
    held_back,
    other_leg,
)
from services.settlement.closing import sweeps
from services.settlement.lines import (
    Line,
    Statement,
    StatementError,
    Taken,
    check_balances,
    distinct,
)
from shared.messages import NAMESPACE
from shared.months import month_of, month_text
from shared.regions import Regions
from shared.service import Runtime
from shared.settings import Holder

LARGEST_FILE = 64 * 1024 * 1024

Owned = tuple[OwnAccount, Statement, dict[str, Line]]


def read(body: bytes) -> tuple[list[Statement], list[Report]]:
    """The statements in a file, each checked by itself, or the reports. Raises StatementError."""
    if len(body) > LARGEST_FILE:
        raise StatementError("too_large")
    text = pieces(body)
    first = next(text)
    # Blank pieces before the first character would be a strange file.
    if not first.lstrip().startswith("<"):
        statements = bank_csv.read(_joined(first, text))
        return _some(statements), []
    taker = xml.parse(_joined(first, text), {**camt.TAKERS, **reports.TAKERS})
    if isinstance(taker, camt.Statements):
        return _some(taker.statements), []
    assert isinstance(taker, reports.Statuses | reports.Single)
    return [], _some(taker.reports)


def _joined(first: str, rest: Iterable[str]) -> Iterable[str]:
    yield first
    yield from rest


def _some(found: list[Any]) -> list[Any]:
    if not found:
        raise StatementError("empty")
    return found


async def take(runtime: Runtime, body: bytes, who: Holder) -> dict[str, Any]:
    """Takes a file whole; its answer. Raises StatementError where it is refused whole."""
    digest = await asyncio.to_thread(lambda: hashlib.sha256(body).digest())
    async with runtime.pool.acquire() as db:
        known = await store.answer_again(db, digest)
    if known is not None:
        return _again(known, who.may_see)
    try:
        return await _take(await current(runtime), body, digest, who)
    except StatementError as error:
        async with runtime.pool.acquire() as db:
            await store.refuse_file(db, digest, len(body), who.holder, error)
        raise


async def _take(runtime: Runtime, body: bytes, digest: bytes, who: Holder) -> dict[str, Any]:
    statements, said = await asyncio.to_thread(read, body)
    owned = await asyncio.to_thread(_own, runtime.regions, statements, who.may_see)
    async with runtime.pool.acquire() as db, db.transaction():
        file = await store.begin_file(db, digest, len(body), who.holder)
        if file is not None:
            return await _take_into(runtime, db, owned, said, file, digest, who)
        known = await store.answer_again(db, digest)
    assert known is not None, "who takes a file answers it in the same transaction"
    return _again(known, who.may_see)


async def _take_into(
    runtime: Runtime,
    db: asyncpg.Connection,
    owned: Sequence[Owned],
    said: Sequence[Report],
    file: int,
    digest: bytes,
    who: Holder,
) -> dict[str, Any]:
    await chain.lock_accounts(db, {own.key for own, _, _ in owned})
    taken: list[Taken] = []
    sent: list[Numbered] = []
    cause = uuid5(NAMESPACE, f"bank-file\x1f{digest.hex()}")
    for part, one in enumerate(owned):
        found, messages = await _take_one(runtime, db, one, file, cause)
        await store.file_statement(db, file, part, one[1], found, list(one[2]))
        taken.append(found)
        sent.extend(messages)
    if said:
        heard, messages = await intake.take(runtime, db, said, file, who.may_see)
        taken.extend(heard)
        sent.extend(messages)
    await runtime.send(db, sent)
    answer = answers.taken(taken) | {"hash": digest.hex(), "outcome": "taken", "again": False}
    kinds = {statement.kind for _, statement, _ in owned} | {report.kind for report in said}
    await store.end_file(db, file, sorted(kinds), answer)
    # Last, for it stays whatever becomes of the transaction.
    await outside.taken(runtime.settings.home, [_identity(*one) for one in owned])
    return answer


def _again(answer: dict[str, Any], may_see: Callable[[str], bool]) -> dict[str, Any]:
    """The answer to a file that was taken before: all of it is known."""
    if not all(may_see(one["account"].partition(":")[0]) for one in answer["statements"]):
        raise StatementError("not_your_region")
    return answers.again(answer)


def _own(
    regions: Regions, statements: Iterable[Statement], may_see: Callable[[str], bool]
) -> list[Owned]:
    """Whose each statement is, in the order in which they follow each other."""
    owned: list[Owned] = []
    for statement in statements:
        own = intake.own_account(regions, statement.account, may_see)
        lines = distinct(statement)
        check_balances(statement, lines.values())
        owned.append((own, statement, lines))
    return sorted(owned, key=lambda one: (one[0].key, chain.order(one[1])))


def _identity(own: OwnAccount, statement: Statement, _: dict[str, Line]) -> dict[str, str | int]:
    return {
        "account": own.key,
        "kind": statement.kind,
        "statement": statement.id,
        "closed_on": chain.closed_on(statement).isoformat(),
        "page": statement.page,
    }


async def _take_one(
    runtime: Runtime, db: asyncpg.Connection, owned: Owned, file: int, cause: UUID
) -> tuple[Taken, list[Numbered]]:
    own, statement, lines = owned
    new = await chain.fresh_lines(db, own, statement, lines)
    fresh = sweeps.recognised(entries_of(own, statement, new), runtime.regions)
    taken = Taken(
        statement=statement.id,
        account=own.key,
        entries=len(statement.lines),
        accepted=len(fresh),
        duplicate=len(statement.lines) - len(fresh),
        ignored=statement.ignored,
        codes=list(statement.codes),
    )
    twins = await chain.twins_of(db, own, statement, fresh)
    counted = [entry for entry in fresh if entry.key not in twins]
    await chain.gap_before(db, own, statement, taken)
    opening = await chain.open_account(db, own, statement, lines)
    earlier = [entry.line for entry in counted]
    adjusting = await chain.reopen_account(db, own, statement, earlier, cause)
    await chain.remember(db, own, statement, taken, fresh, twins, file)
    booked = await _booked_once(db, runtime.regions, fresh, twins)
    told = await remittances.lists_of(db, fresh)
    keys = {
        month: await runtime.keyring.statement_key(db, month)
        for month in sorted({month_text(month_of(entry.line.booked_on)) for entry in fresh})
    }
    commands, codes = await asyncio.to_thread(
        commands_of, told, booked, runtime.regions, runtime.keyring, keys
    )
    taken.codes.extend(codes)
    if twins:
        taken.codes.append("held")
    held = {entry.receipt: twins[entry.key] for entry in fresh if entry.key in twins}
    said = opening + [held_back(one, held) for one in commands] + adjusting
    taken.messages.extend(id_ for id_, _ in said)
    return taken, said


async def _booked_once(
    db: asyncpg.Connection, regions: Regions, fresh: Sequence[Entry], twins: chain.Twins
) -> Booked:
    """Which entries only move money inside the agency, and which of those the books know."""
    booked: Booked = {}
    for entry in fresh:
        other = other_leg(entry, regions)
        if other is None:
            continue
        counter, leg = other
        payer, payee = (counter, entry.own) if entry.line.credit else (entry.own, counter)
        # Of one that is held it is not known yet whether it is a leg.
        first = entry.key in twins or await _count_leg(db, payer, payee, entry.line.amount_fen, leg)
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
