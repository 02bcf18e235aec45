"""What netting answers, as JSON has it: amounts as text in yuan, months as text. PURE."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.settlement.answers import from_json
from services.settlement.netting.states import Total
from services.settlement.netting.windows import positions_of
from shared.calendar import SHANGHAI
from shared.money import yuan
from shared.months import month_text

Row = Mapping[str, Any]


def sheets(
    windows: Iterable[Row], totals: Iterable[Row], owed: Iterable[Row]
) -> list[dict[str, Any]]:
    """Each window with its corridors and the positions of the regions."""
    corridors, paid = _by_window(totals), _by_window(owed)
    return [
        _sheet(window, corridors.get(_key(window), []), paid.get(_key(window), []))
        for window in windows
    ]


def _by_window(rows: Iterable[Row]) -> dict[tuple[str, int], list[Row]]:
    found: dict[tuple[str, int], list[Row]] = {}
    for row in rows:
        found.setdefault(_key(row), []).append(row)
    return found


def _key(row: Row) -> tuple[str, int]:
    return row["province"], row["month"]


def _sheet(window: Row, totals: list[Row], owed: list[Row]) -> dict[str, Any]:
    by_region = {row["region"]: row for row in owed}
    corridors = [
        Total(**{name: row[name] for name in ("province", "month", "origin", "destination",
                                              "state", "lines", "fen")})
        for row in totals
    ]  # fmt: skip
    return {
        "province": window["province"],
        "month": month_text(window["month"]),
        "state": window["state"],
        "published_on": _day(window["published_on"]),
        "answer_by": window["answer_by"].isoformat() if window["answer_by"] else None,
        "final_on": _day(window["final_on"]),
        "lines": sum(row["lines"] for row in totals),
        "corridors": [
            {
                "corridor": f"{total.origin}>{total.destination}",
                "lines": total.lines,
                **_signed(total.fen),
            }
            for total in corridors
        ],
        "positions": [
            {
                "region": position.region,
                "receivable": yuan(position.receivable_fen),
                "payable": yuan(position.payable_fen),
                **_net(position.receivable_fen - position.payable_fen),
                **_progress(by_region.get(position.region)),
            }
            for position in positions_of(*_key(window), corridors)
        ],
    }


def _signed(fen: int) -> dict[str, str]:
    """Amounts are never negative: what goes back stands in a field of its own."""
    return {"amount": yuan(max(0, fen)), "back": yuan(max(0, -fen))}


def _net(fen: int) -> dict[str, str]:
    return {"pays": yuan(max(0, -fen)), "gets": yuan(max(0, fen))}


def _progress(row: Row | None) -> dict[str, str | None]:
    """How far the one payment has come; before the sheet is final there is none."""
    if row is None:
        return {"instructed": yuan(0), "arrived": yuan(0), "reference": None}
    return {
        "instructed": yuan(row["instructed_fen"]),
        "arrived": yuan(row["received_fen"]),
        "reference": row["reference"].hex,
    }


def line(row: Row) -> dict[str, Any]:
    """One line, with what each side has and where it stands."""
    agreed = row["origin_fen"] if row["origin_fen"] is not None else row["destination_fen"] or 0
    return {
        "line": f"{row['transfer']}:{row['version']}",
        "transfer": str(row["transfer"]),
        "version": row["version"],
        "corridor": f"{row['origin']}>{row['destination']}",
        "month": month_text(row["month"]),
        "sheet": None if row["entered"] is None else month_text(row["entered"]),
        **_signed(agreed),
        "origin_has": _has(row["origin_fen"]),
        "destination_has": _has(row["destination_fen"]),
        "state": state_of(row),
        "disputed_by": list(row["disputes"]),
        "confirmed_by": list(row["confirms"]),
    }


def _has(fen: int | None) -> str | None:
    return None if fen is None else yuan(abs(fen))


def state_of(row: Row) -> str:
    """In words: where a line that is in no sheet waits, and for whom."""
    if row["entered"] is None:
        if row["disputes"]:
            return "disputed"
        one_sided = row["origin_fen"] is None or row["destination_fen"] is None
        return "one-sided" if one_sided else "unequal"
    if row["settled"]:
        return "settled"
    if row["state"] in {"final", "paid"}:
        return "final"
    return "confirmed" if {row["origin"], row["destination"]} <= set(row["confirms"]) else "entered"


def _day(day: Any) -> str | None:  # noqa: ANN401 - a date or nothing
    return day.isoformat() if day else None


@dataclass(frozen=True, slots=True)
class Sheet:
    """A window with all that explains it."""

    windows: Sequence[Row]
    totals: Sequence[Row]
    positions: Sequence[Row]
    lines: Sequence[Row]
    arrived: Sequence[Row]
    left: Sequence[Row]
    said: Sequence[Row]


def explained(found: Sheet) -> dict[str, Any]:
    """A sheet with its lines down to entries, who said what, and the payments of its positions
    down to the bank's file.
    """
    [told] = sheets(found.windows, found.totals, found.positions)
    owed = {row["region"]: row for row in found.positions}
    arrived: dict[str, list[Row]] = {}
    for row in found.arrived:
        arrived.setdefault(row["reference"], []).append(row)
    for position in told["positions"]:
        own = owed.get(position["region"])
        position["payer"] = own["payer"] if own else None
        position["payee"] = own["payee"] if own else None
        position["files"] = [run for run in own["runs"] if ":" not in run] if own else []
        told_by = own["debits"] if own else []
        position["debits"] = [_moved(row) for row in found.left if row["subject"] in told_by]
        rows = arrived.get(str(own["reference"]), []) if own else []
        position["receipts"] = [_moved(row) for row in rows]
    said = [_said(row) for row in found.said]
    return {**told, "answers": said, "explained": [_explained(row) for row in found.lines]}


def _moved(row: Row) -> dict[str, Any]:
    return {
        "receipt": str(row["receipt"]),
        "part": row["part"],
        "account": row["account"],
        "amount": yuan(row["amount_fen"]),
        "date": row["business_date"].isoformat(),
        "entry": str(row["entry"]),
        "statement": row["statement"],
        "file": row["file"],
    }


def _said(row: Row) -> dict[str, Any]:
    return {
        "region": row["region"],
        "verdict": row["verdict"],
        "by": row["by"],
        "lines": row["lines"],
        "first": row["first"].astimezone(SHANGHAI).isoformat(),
        "last": row["last"].astimezone(SHANGHAI).isoformat(),
    }


def _explained(row: Row) -> dict[str, Any]:
    answers = ("region", "verdict", "by", "why", "at")
    entries: dict[str, dict[str, Any]] = {}
    for one in from_json(row["entries"] or "[]"):
        about = {name: one[name] for name in ("entry", "region", "date", "cause")}
        entry = entries.setdefault(one["entry"], {**about, "postings": []})
        amount = yuan(one["amount_fen"])
        entry["postings"].append({"debit": one["debit"], "credit": one["credit"], "amount": amount})
    return {
        **line(row),
        "answers": [
            {name: one[name] for name in answers} for one in from_json(row["answers"] or "[]")
        ],
        "entries": list(entries.values()),
    }
