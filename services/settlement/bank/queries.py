"""What can be asked of banks' files: what each did, what is missing, what waits for a person."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any
from uuid import UUID

import asyncpg

from services.settlement.bank.chain import Gap, Link, gaps
from shared.money import yuan

_FILES = """
SELECT f.*, encode(f.hash, 'hex') AS digest, s.accounts, s.entries, s.accepted, s.duplicate,
       s.ignored
  FROM bank_files f LEFT JOIN LATERAL (
       SELECT array_agg(DISTINCT account ORDER BY account) AS accounts,
              sum(entries)::bigint AS entries, sum(accepted)::bigint AS accepted,
              sum(duplicate)::bigint AS duplicate, sum(ignored)::bigint AS ignored
         FROM (SELECT account, entries, accepted, duplicate, ignored FROM bank_file_statements
                WHERE file = f.n
               UNION ALL
               SELECT account, count(*), count(*), 0, 0 FROM bank_reports WHERE file = f.n
                GROUP BY account) parts) s ON true
 WHERE ($1::bytea IS NULL OR f.hash = $1)
   AND (split_part(s.accounts[1], ':', 1) = ANY($2) OR s.accounts IS NULL AND f.sent_by = $3)
 ORDER BY f.received_at DESC, f.n DESC LIMIT $4
"""


async def files(
    pool: asyncpg.Pool, regions: Sequence[str], holder: str, limit: int, digest: bytes | None = None
) -> list[dict[str, Any]]:
    """The files about these regions, the newest first; refused ones only of the holder's own."""
    rows = await pool.fetch(_FILES, digest, list(regions), holder, limit)
    return [_file(row) for row in rows]


def _file(row: asyncpg.Record) -> dict[str, Any]:
    return {
        "hash": row["digest"],
        "kinds": row["kinds"],
        "outcome": row["outcome"],
        "code": row["code"],
        "where": row["place"] or None,
        "sent_by": row["sent_by"],
        "received_at": row["received_at"].isoformat(),
        "sent": row["attempts"],
        "size": row["size"],
        "accounts": row["accounts"] or [],
        "entries": row["entries"] or 0,
        "accepted": row["accepted"] or 0,
        "duplicate": row["duplicate"] or 0,
        "ignored": row["ignored"] or 0,
    }


# How a line was booked: of a credit, the verdicts on its payments.
_LINES = """
SELECT k.entry_key, l.receipt, l.credit, l.amount_fen, l.booked_on, l.file = s.file AS new, l.twin,
       r.booked, p.verdicts, p.transfers
  FROM bank_file_statements s CROSS JOIN LATERAL
       unnest(s.keys) WITH ORDINALITY AS k (entry_key, place)
  JOIN bank_lines l ON l.account = s.account AND l.entry_key = k.entry_key
  LEFT JOIN receipts r ON r.receipt = l.receipt
  LEFT JOIN LATERAL (
       SELECT array_agg(verdict ORDER BY part) AS verdicts,
              array_agg(DISTINCT t.transfer) FILTER (WHERE t.transfer IS NOT NULL) AS transfers
         FROM receipt_parts LEFT JOIN LATERAL unnest(transfers) AS t (transfer) ON true
        WHERE receipt = l.receipt) p ON true
 WHERE s.file = $1 AND s.part = $2 ORDER BY k.place
"""


async def file(
    pool: asyncpg.Pool, digest: bytes, regions: Sequence[str], holder: str
) -> dict[str, Any] | None:
    """What a file did, to the last line; None where there is none to be seen."""
    found = await files(pool, regions, holder, 1, digest)
    if not found:
        return None
    async with pool.acquire() as db:
        number = await db.fetchval("SELECT n FROM bank_files WHERE hash = $1", digest)
        parts = await db.fetch(
            "SELECT * FROM bank_file_statements WHERE file = $1 ORDER BY part", number
        )
        seen = [part for part in parts if part["account"].partition(":")[0] in regions]
        statements = [
            _statement(part) | {"lines": [_line(row) for row in await db.fetch(_LINES, number, n)]}
            for part in seen
            for n in [part["part"]]
        ]
        reports = await db.fetch(
            "SELECT * FROM bank_reports WHERE file = $1 ORDER BY account, reference, id", number
        )
    told = [_report(row) for row in reports if row["account"].partition(":")[0] in regions]
    return found[0] | {"statements": statements, "reports": told}


def _statement(row: asyncpg.Record) -> dict[str, Any]:
    return {
        "statement": row["statement"],
        "account": row["account"],
        "kind": row["kind"],
        "closed_on": row["closed_on"].isoformat(),
        "number": row["number"] or None,
        "page": row["page"] or None,
        "opening": _signed(row["opening_fen"]),
        "closing": _signed(row["closing_fen"]),
        "entries": row["entries"],
        "accepted": row["accepted"],
        "duplicate": row["duplicate"],
        "ignored": row["ignored"],
        "codes": row["codes"],
    }


def _signed(fen: int | None) -> str | None:
    return None if fen is None else yuan(fen)


def _line(row: asyncpg.Record) -> dict[str, Any]:
    return {
        "key": row["entry_key"],
        "receipt": str(row["receipt"]),
        "direction": "credit" if row["credit"] else "debit",
        "amount": yuan(row["amount_fen"]),
        "booked_on": row["booked_on"].isoformat(),
        "new": bool(row["new"]),
        "twin": str(row["twin"]) if row["twin"] else None,
        # Of money inside the agency only one of the two lines is booked.
        "booked": row["booked"],
        "verdicts": row["verdicts"] or [],
        "transfers": sorted(map(str, row["transfers"] or [])),
    }


def _report(row: asyncpg.Record) -> dict[str, Any]:
    return {
        "kind": row["kind"],
        "account": row["account"],
        "run": row["run"],
        "reference": row["reference"],
        "status": row["status"],
        "code": row["code"],
        "amount": None if row["amount_fen"] is None else yuan(row["amount_fen"]),
        "transfers": [str(transfer) for transfer in row["transfers"]],
    }


async def missing(pool: asyncpg.Pool, regions: Sequence[str]) -> list[dict[str, Any]]:
    """Every gap that is open in the chains of these regions' accounts."""
    rows = await pool.fetch(
        "SELECT account, statement, closed_on, number, page, opening_fen, closing_fen"
        " FROM statements WHERE opening_fen IS NOT NULL AND split_part(account, ':', 1) = ANY($1)"
        " ORDER BY account, closed_on, number, page, n",
        list(regions),
    )
    found: list[dict[str, Any]] = []
    for account, chain in groupby(rows, key=lambda row: row["account"]):
        links = [
            Link(*[value for name, value in row.items() if name != "account"]) for row in chain
        ]
        found += [_gap(account, one) for one in gaps(links)]
    return found


def _gap(account: str, one: Gap) -> dict[str, Any]:
    return {
        "account": account,
        "after": one.before.statement,
        "after_day": one.before.closed_on.isoformat(),
        "before": one.after.statement,
        "before_day": one.after.closed_on.isoformat(),
        "closed": yuan(one.closed_fen),
        "opened": yuan(one.opened_fen),
        "missing": {"from": one.missing[0], "to": one.missing[1]} if one.missing else None,
    }


async def notes(
    pool: asyncpg.Pool, regions: Sequence[str], state: str | None
) -> list[dict[str, Any]]:
    """What banks ask or tell that a person must see, the oldest first."""
    rows = await pool.fetch(
        "SELECT * FROM bank_notes WHERE region = ANY($1) AND ($2::text IS NULL OR state = $2)"
        " ORDER BY recorded_at, note",
        *(list(regions), state),
    )
    return [_note(row) for row in rows]


def _note(row: asyncpg.Record) -> dict[str, Any]:
    return {
        "note": str(row["note"]),
        "account": row["account"],
        "kind": row["kind"],
        "code": row["code"],
        "amount": None if row["amount_fen"] is None else yuan(row["amount_fen"]),
        "transfers": [str(transfer) for transfer in row["transfers"]],
        "run": row["run"],
        "reference": row["reference"],
        "state": row["state"],
        "agreed": row["agreed"],
        "answered_by": row["answered_by"],
        "why": row["why"],
        "recorded_at": row["recorded_at"].isoformat(),
    }


async def note(pool: asyncpg.Pool, id_: UUID) -> asyncpg.Record | None:
    """One of them."""
    return await pool.fetchrow("SELECT * FROM bank_notes WHERE note = $1", id_)


_SIDES = """
SELECT coalesce(r.transfer, c.transfer) AS transfer,
       coalesce(r.region, c.origin) AS origin, coalesce(c.region, r.destination) AS destination,
       coalesce(released_fen, 0) AS released, coalesce(payable_fen, 0) AS payable,
       coalesce(remitting_fen, 0) AS remitting, coalesce(debited_fen, 0) AS debited,
       coalesce(returned_fen, 0) AS returned, coalesce(overpaid_fen, 0) AS overpaid,
       greatest(0, coalesce(back_told_fen - back_seen_fen, 0)) AS returning,
       coalesce(announced_fen, 0) AS announced, coalesce(credited_fen, 0) AS credited,
       coalesce(awaiting_fen, 0) AS awaiting, coalesce(matched_fen, 0) AS matched,
       coalesce(open_fen, 0) AS open, coalesce(excess_fen, 0) AS excess
  FROM releases r FULL JOIN claims c ON c.person = r.person AND c.transfer = r.transfer
 WHERE (r.region = ANY($1) OR c.region = ANY($1))
   AND ($2::uuid IS NULL OR coalesce(r.transfer, c.transfer) > $2)
 ORDER BY 1 LIMIT $3
"""
_WHOSE = ("transfer", "origin", "destination")


async def sides(
    pool: asyncpg.Pool, regions: Sequence[str], after: UUID | None, limit: int
) -> list[dict[str, str]]:
    """Both sides of each transfer, in sums; names nobody."""
    rows = await pool.fetch(_SIDES, list(regions), after, limit)
    return [
        {name: str(value) if name in _WHOSE else yuan(value) for name, value in row.items()}
        for row in rows
    ]


_PARTS = """
SELECT receipt, part, region, amount_fen, applied_fen, reserved_fen, returned_fen, verdict,
       suspended_fen - applied_fen - returned_fen AS suspense_fen, transfers
  FROM receipt_parts WHERE region = ANY($1) AND (receipt, part) > ($2, $3)
 ORDER BY receipt, part LIMIT $4
"""


async def parts(
    pool: asyncpg.Pool, regions: Sequence[str], after: tuple[UUID, int], limit: int
) -> list[dict[str, Any]]:
    """Each payment inside a receipt, and what became of it; the next page is after its `place`."""
    rows = await pool.fetch(_PARTS, list(regions), *after, limit)
    return [
        {
            "place": f"{row['receipt']}:{row['part']}",
            "receipt": str(row["receipt"]),
            "part": row["part"],
            "region": row["region"],
            "amount": yuan(row["amount_fen"]),
            "applied": yuan(row["applied_fen"]),
            "reserved": yuan(row["reserved_fen"]),
            "returned": yuan(row["returned_fen"]),
            "in_suspense": yuan(row["suspense_fen"]),
            "verdict": row["verdict"],
            "transfers": [str(transfer) for transfer in row["transfers"]],
        }
        for row in rows
    ]
