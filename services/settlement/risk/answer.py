"""The answer to `jiexu risk`: what the paths say together, in yuan, with how sure it is. PURE."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np

from services.settlement.risk import curves, forecast, paths
from services.settlement.risk.curves import Basis
from services.settlement.risk.forecast import Outcome, WhatIf
from services.settlement.risk.history import NEVER, Case, Days, Ints, cases
from services.settlement.risk.paths import Trust
from shared.money import yuan

SERVED = 0.99
LEVELS = (50, 80, 95)
"""Percent of the paths that lie inside an interval."""

_TOO_LITTLE = (
    "历史太少，无法预测 / too little history to say anything: fewer than "
    f"{curves.ENOUGH} claims were paid here and on corridors of the same distance"
)


def answers(question: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The forecast of each corridor asked for. The same question has the same answer."""
    today = date.fromisoformat(question["today"])
    days = Days([date.fromisoformat(day) for day in question["working_days"]], today)
    asked = question["what_if"]
    what_if = WhatIf(asked["limit_fen"], asked["stops_paying_days"], asked["arrivals"])
    seed = question["seed"]
    return [_corridor(row, days, what_if, seed) for row in question["corridors"]]


def _corridor(row: Mapping[str, Any], days: Days, what_if: WhatIf, seed: int) -> dict[str, Any]:
    own = cases(row["claims"], days)
    lent: dict[str, list[Mapping[str, Any]]] = {}
    for claim in row["others"]:
        lent.setdefault(claim["corridor"], []).append(claim)
    others = {name: cases(claims, days) for name, claims in lent.items()}
    named = {"corridor": row["corridor"], "distance": row["distance"], "seed": seed}
    basis = curves.basis(own, others)
    if basis is None:
        counted = {"claims": len(own), "borrowed_from": sum(map(len, others.values()))}
        return {**named, "enough": False, "why": _TOO_LITTLE, "history": counted}
    limit_fen = row["limit_fen"]
    trust = _trust(row["trust"], days)
    base = _told(own, basis, days, (limit_fen, trust), WhatIf(), seed)
    other = None
    if what_if != WhatIf():
        told = _told(own, basis, days, (limit_fen, trust), what_if, seed)
        other = {"assumes": _assumed(what_if), **told}
    smallest = paths.smallest_limit(own, SERVED)
    return {
        **named,
        "enough": True,
        "history": _history(own, others, basis, days),
        "delays": _delays(basis, seed),
        "limit": yuan(limit_fen),
        "smallest_limit_serving_99_percent": None if smallest is None else yuan(smallest),
        "base": base,
        "what_if": other,
    }


def _history(
    own: Sequence[Case], others: Mapping[str, Sequence[Case]], basis: Basis, days: Days
) -> dict[str, Any]:
    lent = sum(map(len, others.values())) if basis.borrowed else 0
    span = -own[0].day
    notes = []
    if lent and len(own) < curves.OWN_ALONE:
        notes.append(
            "历史较短，参考了同类距离的其他转移路径 / a short history: corridors of the same"
            f" distance count as {curves.BORROWED} claims of its own"
        )
    if basis.reach < curves.HORIZON:
        notes.append(_beyond(basis))
    if basis.mature < curves.ENOUGH_MATURE:
        notes.append("历史太短，无法预测损失 / too young a history to tell of losses")
    if span < forecast.FEWEST_DAYS:
        notes.append("新增不作预测 / too few days to foretell arrivals: what is open, no more")
    return {
        "claims": len(own),
        "from": days.date(own[0].day).isoformat(),
        "working_days": span,
        "borrowed_from": lent,
        "notes": notes,
    }


def _beyond(basis: Basis) -> str:
    """Where what is known of late money comes from, or that nothing is."""
    since = f"历史只有{basis.reach}个工作日"
    if any(reach > basis.reach for _, reach in basis.borrowed):
        return (
            f"{since}，更晚到账的参照同类路径 / what takes longer than the {basis.reach} working"
            " days of the history is taken from corridors of the same distance"
        )
    return (
        f"{since}，更晚到账的无从得知 / of what takes longer than the {basis.reach} working days of"
        " the history nothing is known: the intervals are wide for it"
    )


def _delays(basis: Basis, seed: int) -> dict[str, Any]:
    """Of the money announced, in percent: what has come after so many working days."""
    drawn = np.array(curves.drawn(basis, 200, np.random.default_rng(seed)))
    came = {age: 100 * (1 - drawn[:, age]) for age in (15, 45, 90, curves.HORIZON)}
    return {
        "came_percent": {str(age): _percent(found) for age, found in came.items()},
        "never_percent": _percent(100 * drawn[:, -1]),
    }


def _percent(found: Any) -> dict[str, Any]:  # noqa: ANN401 numpy's arrays of floats
    low, middle, high = np.percentile(found, (2.5, 50, 97.5))
    return {"median": round(float(middle), 1), "95": [round(float(low), 1), round(float(high), 1)]}


def _trust(rules: Mapping[str, Any], days: Days) -> Trust:
    """The rules of suspension as the books give them."""
    excused = rules["excused_before"]
    first = -NEVER if excused is None else days.number(date.fromisoformat(excused))
    return Trust(**{name: rules[name] for name in rules if name != "excused_before"}, excused=first)


def _told(
    own: Sequence[Case],
    basis: Basis,
    days: Days,
    limits: tuple[int, Trust],
    what_if: WhatIf,
    seed: int,
) -> dict[str, Any]:
    ahead = days.ahead(forecast.WEEKS)
    rng = np.random.default_rng(seed)
    limit_fen, trust = limits
    found = forecast.simulate(own, basis, ahead, limit_fen, what_if, rng, trust=trust)
    return {
        "weeks": _weeks(found, days.today),
        "most_exposed": spread(found.exposure.max(axis=1)),
        "expected_loss": _loss(found.lost) if basis.mature >= curves.ENOUGH_MATURE else None,
        "advanced_same_day_percent": round(100 * float(found.same_day.mean()), 2),
        "paths": len(found.lost),
    }


def _loss(fen: Ints) -> dict[str, Any]:
    return {"mean": yuan(round(float(fen.mean()))), **spread(fen)}


def _weeks(found: Outcome, today: date) -> list[dict[str, Any]]:
    return [
        {
            "until": (today + timedelta(days=7 * (week + 1))).isoformat(),
            "money_in": spread(found.money_in[:, week]),
            "advanced": spread(found.advanced[:, week]),
            "exposure": spread(found.exposure[:, week]),
            "suspended_percent": round(100 * float(found.suspended[:, week].mean()), 1),
        }
        for week in range(found.exposure.shape[1])
    ]


def spread(fen: Ints) -> dict[str, Any]:
    """The median, and the intervals that hold so many percent of the paths, in yuan."""
    told: dict[str, Any] = {"median": _yuan(fen, 50)}
    for level in LEVELS:
        told[str(level)] = [_yuan(fen, 50 - level / 2), _yuan(fen, 50 + level / 2)]
    return told


def _yuan(fen: Ints, percent: float) -> str:
    return yuan(round(float(np.percentile(fen, percent))))


def _assumed(what_if: WhatIf) -> dict[str, Any]:
    return {
        "limit": None if what_if.limit_fen is None else yuan(what_if.limit_fen),
        "stops_paying_days": what_if.stops_paying_days,
        "arrivals": f"x{what_if.arrivals}",
    }
