"""Rows of the books as JSON answers: money as text in yuan, lists in a stable order. PURE."""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from services.settlement.lines import Taken
from services.settlement.people.states import item_id, part_subject
from services.settlement.verdicts import letter
from shared.money import yuan

Rows = Sequence[Mapping[str, Any]]

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
        "missing": next((one["missing"] for one in each if one["missing"]), None),
        "codes": list(codes),
        "messages": len(sent),
        "message_ids": [str(id_) for id_ in sent[:_SHOWN_IDS]],
        "statements": each,
    }


def again(answer: Mapping[str, Any]) -> dict[str, Any]:
    """The answer to a file that was taken before, entry by entry a repetition."""
    return {
        **_repeated(answer),
        "messages": 0,
        "message_ids": [],
        "again": True,
        "statements": [_repeated(one) for one in answer["statements"]],
    }


def _repeated(answer: Mapping[str, Any]) -> dict[str, Any]:
    """What is missing was said when it was found; here it is as it was."""
    codes = [code for code in answer["codes"] if code not in _OF_ITS_TIME]
    counts = {"accepted": 0, "duplicate": answer["entries"]}
    return {**answer, **counts, "gap": None, "missing": None, "codes": codes}


_OF_ITS_TIME = frozenset({"gap", "sequence_gap", "gap_closed", "late", "for_a_person"})


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
        "missing": {"from": one.missing[0], "to": one.missing[1]} if one.missing else None,
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
    """A personal account, and what the person owes beside it."""
    return {
        "region": row["region"],
        "balance": yuan(row["balance_fen"]),
        "unfunded": yuan(row["unfunded_fen"]),
        "recoverable": yuan(row["recoverable_fen"]),
    } | ({"frozen": row["frozen"]} if row["frozen"] else {})


def receipt(row: Mapping[str, Any]) -> dict[str, Any]:
    """One payment inside a receipt, and what became of it."""
    return {
        "receipt": str(row["receipt"]),
        "part": row["part"],
        "item": str(item_id("receipt", row["region"], part_subject(row["receipt"], row["part"]))),
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
        **judged(row),
    }


def judged(row: Mapping[str, Any]) -> dict[str, Any]:
    """What a verdict rests on and what it means for a clerk, and whether the money came late."""
    evidence = from_json(row["evidence"])
    late = bool(evidence and evidence.get("late"))
    told = letter(row["verdict"], late=late)
    return {"late": late, "text": told, "evidence": shown(evidence)}


def explained(
    transfer: UUID, postings: Rows, matched: Rows, sides: Rows, decisions: Sequence[Any] = ()
) -> dict[str, Any]:
    """Why the money of a transfer is where it is: entries, receipts, and what each side has."""
    entries: dict[UUID, dict[str, Any]] = {}
    for row in postings:
        entry = entries.setdefault(row["id"], _entry(row))
        entry["postings"].append(
            {"debit": row["debit"], "credit": row["credit"], "amount": yuan(row["amount_fen"])}
        )
    return {
        "transfer": str(transfer),
        "decisions": list(decisions),
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
                **judged(row),
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
    facts = from_json(row)
    told: dict[str, Any] = shown({name: facts[name] for name in facts if name not in _PRIVATE})
    return told


def shown(value: Any, *, money: bool = False) -> Any:  # noqa: ANN401 - JSON of the database
    """The value with all that is kept as `…_fen`, however deep, as text in yuan."""
    if isinstance(value, Mapping):
        return {
            name.removesuffix("_fen"): shown(inner, money=name.endswith("_fen"))
            for name, inner in value.items()
        }
    if isinstance(value, list):
        return [shown(inner, money=money) for inner in value]
    return yuan(value) if money and isinstance(value, int) else value


def from_json(value: object) -> Any:  # noqa: ANN401 - JSON of the database
    """JSON as the database gives it, or as it is already."""
    return json.loads(value) if isinstance(value, str) else value
