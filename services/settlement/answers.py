"""Rows of the books as JSON answers: money as text in yuan, lists in a stable order. PURE."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from services.settlement.lines import Taken
from shared.money import yuan
from shared.regions import Regions

Rows = Sequence[Mapping[str, Any]]

_AGES = ((15, "0-15"), (45, "16-45"), (90, "46-90"))
_OLDEST = ">90"
# What a side of a transfer is explained by: nothing that says who it is.
_PRIVATE = frozenset({"person", "name_key", "name_keys", "sealed"})


# A statement may have a hundred thousand entries; nobody follows all of them one by one.
_SHOWN_IDS = 1000


def taken(statements: Sequence[Taken]) -> dict[str, Any]:
    """The answer to a file: its totals, and each statement by itself."""
    each = [_statement(one) for one in statements]
    codes = dict.fromkeys(code for one in statements for code in one.codes)
    sent = [id_ for one in statements for id_ in one.messages]
    return {
        "statement": each[0]["statement"],
        "account": each[0]["account"],
        "entries": sum(one.entries for one in statements),
        "accepted": sum(one.accepted for one in statements),
        "duplicate": sum(one.duplicate for one in statements),
        "ignored": sum(one.ignored for one in statements),
        "gap": next((one["gap"] for one in each if one["gap"]), None),
        "codes": list(codes),
        "messages": len(sent),
        "message_ids": [str(id_) for id_ in sent[:_SHOWN_IDS]],
        "statements": each,
    }


def _statement(one: Taken) -> dict[str, Any]:
    gap = {"closed": yuan(one.gap[0]), "opened": yuan(one.gap[1])} if one.gap else None
    return {
        "statement": one.statement,
        "account": one.account,
        "entries": one.entries,
        "accepted": one.accepted,
        "duplicate": one.duplicate,
        "ignored": one.ignored,
        "gap": gap,
        "codes": one.codes,
    }


def run(row: Mapping[str, Any]) -> dict[str, Any]:
    """A payment file that was written."""
    return {
        "run": row["run"],
        "region": row["region"],
        "date": row["run_on"].isoformat(),
        "lump": row["lump"],
        "transfers": row["transfers"],
        "amount": yuan(row["amount_fen"]),
    }


def account(row: Mapping[str, Any]) -> dict[str, str]:
    """A personal account. Nothing here makes a person owe yet."""
    return {
        "region": row["region"],
        "balance": yuan(row["balance_fen"]),
        "unfunded": yuan(row["unfunded_fen"]),
        "recoverable": yuan(0),
    }


def receipt(row: Mapping[str, Any]) -> dict[str, Any]:
    """One payment inside a receipt, and what became of it."""
    return {
        "receipt": str(row["receipt"]),
        "part": row["part"],
        "account": row["account"],
        "region": row["region"],
        "booked_on": row["booked_on"].isoformat(),
        "amount": yuan(row["amount_fen"]),
        "applied": yuan(row["applied_fen"]),
        "reserved": yuan(row["reserved_fen"]),
        "in_suspense": yuan(row["suspense_fen"]),
        "payer_region": row["payer_region"],
        "state": row["state"],
        "verdict": row["verdict"],
        "rule": row["rule"],
        "transfers": [str(transfer) for transfer in row["transfers"]],
        "evidence": _shown(_json(row["evidence"])),
    }


def exposure(
    rows: Rows, regions: Regions, destinations: Iterable[str], today: date
) -> list[dict[str, Any]]:
    """Every corridor into the destinations: open advances, limit, and ages in working days."""
    by_corridor: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for row in rows:
        by_corridor.setdefault((row["origin"], row["destination"]), []).append(row)
    wanted = {(o.code, d) for o in regions.all for d in destinations if o.code != d}
    return [
        _corridor(by_corridor.get((origin, destination), []), regions, origin, destination, today)
        for origin, destination in sorted(wanted | set(by_corridor))
    ]


def _corridor(
    rows: Rows, regions: Regions, origin: str, destination: str, today: date
) -> dict[str, Any]:
    calendar = regions.calendar(destination)
    policy = regions.corridor(origin, destination, today)
    ages = dict.fromkeys([name for _, name in _AGES] + [_OLDEST], 0)
    for row in rows:
        days = calendar.working_days_between(row["announced_on"], today)
        ages[next((name for last, name in _AGES if days <= last), _OLDEST)] += row["open_fen"]
    return {
        "corridor": f"{origin}>{destination}",
        "origin": origin,
        "destination": destination,
        "open": yuan(sum(row["open_fen"] for row in rows)),
        "limit": yuan(policy.limit_fen),
        "single_limit": yuan(policy.single_limit_fen),
        "count": sum(row["claims"] for row in rows),
        "ages": {name: yuan(fen) for name, fen in ages.items()},
    }


def explained(transfer: UUID, postings: Rows, matched: Rows, sides: Rows) -> dict[str, Any]:
    """Why the money of a transfer is where it is: entries, receipts, and what each side has."""
    entries: dict[UUID, dict[str, Any]] = {}
    for row in postings:
        entry = entries.setdefault(row["id"], _entry(row))
        entry["postings"].append(
            {"debit": row["debit"], "credit": row["credit"], "amount": yuan(row["amount_fen"])}
        )
    return {
        "transfer": str(transfer),
        "entries": list(entries.values()),
        "receipts": [
            {
                "receipt": str(row["receipt"]),
                "part": row["part"],
                "account": row["account"],
                "booked_on": row["booked_on"].isoformat(),
                "amount": yuan(row["amount_fen"]),
                "applied": yuan(row["applied_fen"]),
                "verdict": row["verdict"],
                "rule": row["rule"],
                "evidence": _shown(_json(row["evidence"])),
            }
            for row in matched
        ],
        "sides": [{"side": row["side"], **_facts(row["row"])} for row in sides],
    }


def _entry(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "entry": str(row["id"]),
        "region": row["region"],
        "kind": row["kind"],
        "version": row["version"],
        "date": row["business_date"].isoformat(),
        "cause": str(row["cause"]),
        "reverses": str(row["reverses"]) if row["reverses"] else None,
        "postings": [],
    }


def _facts(row: object) -> dict[str, Any]:
    facts = _json(row)
    shown: dict[str, Any] = _shown({name: facts[name] for name in facts if name not in _PRIVATE})
    return shown


def _shown(value: Any, *, money: bool = False) -> Any:  # noqa: ANN401 - JSON of the database
    """The value with all that is kept as `…_fen`, however deep, as text in yuan."""
    if isinstance(value, Mapping):
        return {
            name.removesuffix("_fen"): _shown(inner, money=name.endswith("_fen"))
            for name, inner in value.items()
        }
    if isinstance(value, list):
        return [_shown(inner, money=money) for inner in value]
    return yuan(value) if money and isinstance(value, int) else value


def _json(value: object) -> Any:  # noqa: ANN401 - JSON of the database
    return json.loads(value) if isinstance(value, str) else value
