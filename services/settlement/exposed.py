"""Corridors as JSON answers: exposure, limits, ages, and why an advance was made or not. PURE."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from services.settlement.answers import from_json, shown
from services.settlement.codes import CODES
from services.settlement.exposure import Limits, in_force, ruled_by
from services.settlement.rows import CORRIDORS
from services.settlement.states import Corridor
from shared.calendar import SHANGHAI
from shared.money import yuan
from shared.regions import Regions

Rows = Sequence[Mapping[str, Any]]

_AGES = ((15, "0-15"), (45, "16-45"), (90, "46-90"))
_OLDEST = ">90"


def exposure(
    rows: Rows, corridors: Rows, regions: Regions, destinations: Iterable[str], today: date
) -> list[dict[str, Any]]:
    """Every corridor into the destinations: open advances, limits, ages in working days, warnings
    and suspension. `rows` are the open advances by day, `corridors` the corridors' own rows.
    """
    by_corridor: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for row in rows:
        by_corridor.setdefault((row["origin"], row["destination"]), []).append(row)
    known = {(row["origin"], row["destination"]): row for row in corridors}
    wanted = {(o.code, d) for o in regions.all for d in destinations if o.code != d}
    return [
        _corridor(by_corridor.get(key, []), known.get(key), regions, key, today)
        for key in sorted(wanted | set(by_corridor))
    ]


def _corridor(
    rows: Rows,
    row: Mapping[str, Any] | None,
    regions: Regions,
    key: tuple[str, str],
    today: date,
) -> dict[str, Any]:
    origin, destination = key
    calendar = regions.calendar(destination)
    rule = regions.corridor(origin, destination, today).policy.limit(origin)
    corridor = CORRIDORS.read(row) if row else Corridor(origin, destination)
    policy = ruled_by(rule, calendar)
    limits = in_force(corridor, policy)
    days = {day: calendar.working_days_between(day, today) for day in map(_announced, rows)}
    open_fen = sum(row["open_fen"] for row in rows)
    overdue = [r["open_fen"] for r in rows if limits.overdue(r["announced_on"], today)]
    return {
        "corridor": f"{origin}>{destination}",
        "origin": origin,
        "destination": destination,
        "open": yuan(open_fen),
        "limit": yuan(limits.open_fen),
        "single_limit": yuan(limits.single_fen),
        "count": sum(row["claims"] for row in rows),
        "ages": aged(rows, days),
        "used_percent": open_fen * 100 // limits.open_fen if limits.open_fen else None,
        "oldest_on": min(days).isoformat() if days else None,
        "oldest_working_days": max(days.values(), default=None),
        "largest": yuan(max((row["largest_fen"] for row in rows), default=0)),
        "overdue": yuan(sum(overdue)),
        "suspended": _suspended(corridor),
        "waiting": _waiting(row),
        **_ruled(corridor, limits, "two people" if limits is not policy else rule.source),
    }


def aged(rows: Rows, days: Mapping[date, int]) -> dict[str, str]:
    """Open advances by their age, given how many working days ago each was announced."""
    ages = dict.fromkeys([name for _, name in _AGES] + [_OLDEST], 0)
    for row in rows:
        age = days[row["announced_on"]]
        ages[next((name for last, name in _AGES if age <= last), _OLDEST)] += row["open_fen"]
    return {name: yuan(fen) for name, fen in ages.items()}


def _announced(row: Mapping[str, Any]) -> date:
    day: date = row["announced_on"]
    return day


def _ruled(corridor: Corridor, limits: Limits, source: str) -> dict[str, Any]:
    return {
        "age_limit": limits.age_days,
        "warn_percent": list(limits.warn_percent),
        "warned_percent": corridor.warned_percent,
        "limit_since": limits.since.isoformat(),
        "limit_source": source,
    }


def _waiting(row: Mapping[str, Any] | None) -> dict[str, Any]:
    """Who was declined for the corridor's sake and waits to be offered an advance again."""
    count, fen = (row["waiting"], row["waiting_fen"]) if row else (0, 0)
    return {"count": count, "amount": yuan(fen)}


def _suspended(corridor: Corridor) -> dict[str, Any] | None:
    if corridor.suspended is None or corridor.suspended_at is None:
        return None
    chinese, english = CODES[corridor.suspended]
    return {
        "since": corridor.suspended_at.astimezone(SHANGHAI).isoformat(),
        "code": corridor.suspended,
        "why": f"{chinese} / {english}",
    }


class Judgement(NamedTuple):
    """What a claim remembers of the last decision about its advance."""

    origin: str
    region: str
    at: datetime
    code: str | None
    exposure_fen: int
    limit_fen: int
    amount_fen: int


def judgement(row: object) -> Judgement | None:
    """The last decision about a claim's advance, if it is remembered."""
    claim = from_json(row)
    if claim["judged_at"] is None:
        return None
    return Judgement(
        claim["origin"],
        claim["region"],
        datetime.fromisoformat(claim["judged_at"]).astimezone(SHANGHAI),
        claim["judged"],
        claim["exposure_fen"],
        claim["limit_fen"],
        claim["announced_fen"],
    )


def decision(claim: Judgement, acts: Rows, regions: Regions) -> dict[str, Any]:
    """Why an advance was made or not: the limit, its source, and the exposure then. `acts` are
    the last of each kind that was decided about the corridor.
    """
    rule = regions.corridor(claim.origin, claim.region, claim.at.date()).policy.limit(claim.origin)
    told = {act["what"]: act for act in acts}
    facts: dict[str, Any] = {
        "corridor": f"{claim.origin}>{claim.region}",
        "limit": yuan(claim.limit_fen),
        "open before": yuan(claim.exposure_fen),
        "amount": yuan(claim.amount_fen),
        **{fact.name: fact.value for fact in rule.facts},
    }
    source = rule.source
    changed = told.get("limit-changed")
    if changed and changed["at"].astimezone(SHANGHAI).date() >= rule.since:
        facts["limit set by two people"] = _act(changed)
        source = "two people; else " + source
    suspended, resumed = told.get("suspended"), told.get("resumed")
    if suspended and not (resumed and resumed["at"] > suspended["at"]):
        facts["suspended"] = _act(suspended)
    chinese, english = CODES[claim.code or "within_limits"]
    return {
        "at": claim.at.isoformat(),
        "decision": "advance-declined" if claim.code else "advance-credited",
        "code": claim.code,
        "why": f"{chinese} / {english}",
        "rule": "limit",
        "source": source,
        "facts": facts,
    }


def _act(act: Mapping[str, Any]) -> dict[str, Any]:
    facts: dict[str, Any] = shown(from_json(act["facts"]))
    return {
        "at": act["at"].astimezone(SHANGHAI).isoformat(),
        "code": act["code"],
        **{name: value for name, value in facts.items() if value not in {None, ""}},
    }
