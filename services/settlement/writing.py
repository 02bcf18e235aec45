"""What a batch has changed, as statements: one per table, whatever the size of the batch."""

from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Any

from services.settlement import rows
from services.settlement.bank import rows as bank_rows
from services.settlement.ledger import AWAITING, PERSONAL, Entry, totals
from services.settlement.netting import rows as netting
from services.settlement.people.rows import ITEMS, STEP, step_row
from services.settlement.rows import Table, columns
from services.settlement.states import Part

_TABLES: tuple[tuple[str, Table[Any]], ...] = (
    ("day", rows.DAYS),
    ("closing", rows.CLOSINGS),
    ("corridor", rows.CORRIDORS),
    ("holder", rows.HOLDERS),
    ("movement", rows.MOVEMENTS),
    ("receipt", rows.RECEIPTS),
    ("part", rows.PARTS),
    ("release", rows.RELEASES),
    ("instruction", rows.INSTRUCTIONS),
    ("claim", rows.CLAIMS),
    ("announcement", bank_rows.ANNOUNCEMENTS),
    ("note", bank_rows.NOTES),
    ("item", ITEMS),
    ("net-window", netting.WINDOWS),
    ("net-total", netting.TOTALS),
    ("net-line", netting.LINES),
    ("net-position", netting.POSITIONS),
)


Statement = tuple[str, Sequence[object]]
"""SQL and its arguments, in the order of the locks."""

# What a batch adds to a day, as turnover is added to an account: a corridor's days are many, and
# its advances need none of them.
_AGE = f"""
INSERT INTO ages AS a {rows.AGES.insert.partition("ages ")[2]}
ON CONFLICT (origin, destination, announced_on) DO UPDATE SET
 open_fen = a.open_fen + EXCLUDED.open_fen, claims = a.claims + EXCLUDED.claims
"""

Journal = tuple[str, tuple[str, ...], Sequence[tuple[object, ...]]]
"""A table, its columns, and rows for them."""

_ENTRY = (
    *("person", "id", "region", "kind", "subject", "version"),
    *("transfer", "business_date", "cause", "reverses", "late"),
)
_RECKONING = ("person", "entry", "region", "until", "accrued", "amount_fen")
_POSTING = ("person", "entry", "line", "region", "debit", "credit", "amount_fen", "business_date")


def entered(changes: Mapping[Hashable, object]) -> Iterator[Journal]:
    """New rows of the journal, of the items' history and of what regions said to lines: they are
    only ever added.
    """
    by_kind = _by_kind(changes)
    steps, entries = by_kind["item-step"], by_kind["entry"]
    if said := by_kind["net-answer"]:
        pick = attrgetter(*netting.ANSWER)
        yield "netting_answers", netting.ANSWER, [pick(answer) for answer in said]
    if steps:
        yield "item_steps", STEP, [step_row(step) for step in steps]
    if reckoned := by_kind["reckoning"]:
        pick = attrgetter(*_RECKONING)
        yield "reckonings", _RECKONING, [pick(reckoning) for reckoning in reckoned]
    if entries:
        yield "entries", _ENTRY, [_entry(entry) for entry in entries]
        yield (
            "postings",
            _POSTING,
            [
                (e.person, e.id, line, e.region, p.debit, p.credit, p.amount_fen, on)
                for e in entries
                for on in (e.business_date,)
                for line, p in enumerate(e.postings)
            ],
        )


def _by_kind(changes: Mapping[Hashable, object]) -> defaultdict[str, list[Any]]:
    found: defaultdict[str, list[Any]] = defaultdict(list)
    for key, state in changes.items():
        if isinstance(key, tuple):
            found[key[0]].append(state)
    return found


def written(changes: Mapping[Hashable, object]) -> Iterator[Statement]:
    """States and journal; what only served the decision is left out."""
    by_kind = _by_kind(changes)
    for kind, table in _TABLES:
        if kind in by_kind:
            yield table.upsert, table.arrays(by_kind[kind])
    if "part" in by_kind:
        yield from _wait(by_kind["part"])
    if "queued" in by_kind:
        yield from _queue(changes)
    if "corridor-act" in by_kind:
        yield rows.CORRIDOR_ACTS.insert, rows.CORRIDOR_ACTS.arrays(by_kind["corridor-act"])
    if "account-change" in by_kind:
        yield bank_rows.CHANGES.insert, bank_rows.CHANGES.arrays(by_kind["change"])
    if "aged" in by_kind:
        yield _AGE, rows.AGES.arrays(by_kind["aged"])
    if "entry" in by_kind:
        yield from _add_turnover(by_kind["entry"])


def _wait(parts: list[Part]) -> Iterator[Statement]:
    looks = [(look, part.receipt, part.part) for part in parts for look in part.looks]
    yield (
        "DELETE FROM waiting w USING unnest($1::uuid[], $2::int[]) AS u (receipt, part)"
        " WHERE w.receipt = u.receipt AND w.part = u.part",
        columns([(part.receipt, part.part) for part in parts], 2),
    )
    if looks:
        yield (
            "INSERT INTO waiting (look, receipt, part)"
            " SELECT * FROM unnest($1::text[], $2::uuid[], $3::int[]) ON CONFLICT DO NOTHING",
            columns(looks, 3),
        )


def _queue(changes: Mapping[Hashable, object]) -> Iterator[Statement]:
    queued = {k[1:]: d for k, d in changes.items() if isinstance(k, tuple) and k[0] == "queued"}
    gone = sorted(key for key, declined in queued.items() if declined is None)
    kept: list[Any] = [declined for declined in queued.values() if declined is not None]
    if gone:
        yield (
            "DELETE FROM declined WHERE (origin, destination, person, transfer) IN"
            " (SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::uuid[]))",
            columns(gone, 4),
        )
    if kept:
        yield rows.DECLINED.upsert, rows.DECLINED.arrays(kept)


def _entry(e: Entry) -> tuple[object, ...]:
    natural_key = (e.person, e.id, e.region, e.kind, e.subject, e.version)
    return (*natural_key, e.transfer, e.business_date, e.cause, e.reverses, e.late)


def _add_turnover(entries: list[Entry]) -> Iterator[Statement]:
    """One delta per account, in sorted order: a hot account costs one update per batch."""
    deltas: defaultdict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    for entry in entries:
        for account, (debit_fen, credit_fen) in totals(entry.postings).items():
            if account not in {PERSONAL, AWAITING}:
                delta = deltas[entry.region, account]
                delta[0] += debit_fen
                delta[1] += credit_fen
    if deltas:
        yield (
            "INSERT INTO balances AS b (region, account, debit_fen, credit_fen)"
            " SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[])"
            " ON CONFLICT (region, account) DO UPDATE SET"
            " debit_fen = b.debit_fen + EXCLUDED.debit_fen,"
            " credit_fen = b.credit_fen + EXCLUDED.credit_fen",
            columns([(*key, *delta) for key, delta in sorted(deltas.items())], 4),
        )
