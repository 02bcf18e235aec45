"""The demo's closing report: what became of everybody, whether the books hold, how fast it was."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from deploy.sandbox.network import Network
from shared.money import parse_yuan, yuan

Row = Mapping[str, Any]

LEAST_ADVANCES = 200
MOST_ADVANCE_MS = 1000.0

# Outcomes that the demo must reach, each with how it is told from a transfer.
OUTCOMES: dict[str, Callable[[Row], bool]] = {
    "record joined": lambda row: row["record"] == "joined",
    "record refused": lambda row: row["record"] == "refused",
    "record withdrawn": lambda row: row["record"] == "withdrawn",
    "record not needed": lambda row: row["record"] == "not_needed",
    "money none": lambda row: row["money"] == "none",
    "money awaits its funds": lambda row: row["money"] == "awaiting_funds",
    "money advanced and overdue": lambda row: row["money"] == "advanced" and bool(row["overdue"]),
    "money short": lambda row: row["money"] == "short",
    "money over": lambda row: row["money"] == "over",
    "money funded": lambda row: row["money"] == "funded",
    "money paid out": lambda row: row["money"] == "paid_out",
    "money written off": lambda row: row["money"] == "written_off",
    "money recovered": lambda row: parse_yuan(row["recovered"]) > 0,
}


@dataclass(slots=True)
class Evenings:
    """What was seen on some evening and may be over by the end, and what people decided."""

    days: int = 0
    unbalanced: list[str] = field(default_factory=list)
    suspended: dict[str, str] = field(default_factory=dict)
    resumed: dict[str, str] = field(default_factory=dict)
    decided: Counter[str] = field(default_factory=Counter)

    def look(self, day: date, balance: Row, exposure: Iterable[Row]) -> None:
        """Note how the books and the corridors stand."""
        self.days += 1
        if not balance["balanced"]:
            broken = [name for name, holds in balance["invariants"].items() if not holds]
            self.unbalanced.append(f"{day}: {', '.join(broken)}")
        for row in exposure:
            corridor = f"{row['origin']}>{row['destination']}"
            if row["suspended"]:
                self.suspended.setdefault(corridor, day.isoformat())
            elif corridor in self.suspended:
                self.resumed.setdefault(corridor, day.isoformat())

    def told(self) -> dict[str, Any]:
        """As the report has it."""
        return {
            "corridors": {"suspended": self.suspended, "resumed": self.resumed},
            "decided": dict(sorted(self.decided.items())),
            "evenings": {"count": self.days, "unbalanced": self.unbalanced},
        }


def compile_report(
    network: Network,
    counts: Counter[str],
    arrived: Mapping[str, int],
    faults: Sequence[str],
    evenings: Evenings,
) -> dict[str, Any]:
    """All of the report as one JSON document; `ok` says whether everything is as it must be.

    `arrived`: what came for each transfer, in fen; `faults`: where bank and books differ.
    """
    transfers = list(network.transfers())
    balance = network.ask("settlement", "/v1/trial-balance")
    outcomes = {name: sum(map(holds, transfers)) for name, holds in OUTCOMES.items()}
    advances = sum(1 for row in transfers if parse_yuan(row["advanced"]) > 0)
    sheets = network.ask("settlement", "/v1/netting")
    forecast = _forecast(network)
    checks = _checks(balance, outcomes, advances) | {
        "nobody was given another's money": _rightly_matched(transfers, arrived),
        "truth and books agree to the fen": not faults,
        "the books held every evening": not evenings.unbalanced,
        **_quarter(evenings, sheets, forecast),
    }
    return {
        "ok": all(checks.values()),
        "counts": dict(sorted(counts.items())),
        "transfers": _crossed(transfers),
        "reasons": dict(Counter(row["reason"] for row in transfers if row["reason"])),
        "outcomes": outcomes,
        "advances": _advances(transfers, advances, network.ask("monitor", "/v1/latency")),
        "exposure": network.ask("settlement", "/v1/exposure"),
        "suspense": _suspense(balance),
        "netting": sheets,
        **evenings.told(),
        "forecast": forecast,
        "faults": list(faults),
        "trial_balance": {name: balance[name] for name in ("balanced", "invariants")},
        "person": _one(network, transfers),
        "checks": checks,
    }


def _checks(balance: Row, outcomes: Mapping[str, int], advances: int) -> dict[str, bool]:
    return {
        **{f"reached: {name}": count > 0 for name, count in outcomes.items()},
        **{f"invariant: {name}": bool(so) for name, so in balance["invariants"].items()},
        "balanced": bool(balance["balanced"]),
        f"at least {LEAST_ADVANCES} advances": advances >= LEAST_ADVANCES,
    }


def _advances(transfers: Iterable[Row], count: int, latency: Row) -> dict[str, Any]:
    # Told, not checked: a busy machine is no failure of the demo.
    quick = float(latency["p99"]) < MOST_ADVANCE_MS
    total = yuan(sum(parse_yuan(row["advanced"]) for row in transfers))
    return {"count": count, "sum": total, "latency_ms": latency, "within_a_second": quick}


def _quarter(evenings: Evenings, sheets: Sequence[Row], forecast: Row) -> dict[str, bool]:
    """What takes longer than a transfer: months, trust, losses."""
    paid = [sheet["month"] for sheet in sheets if sheet["state"] == "paid"]
    return {
        "reached: two net sheets are paid": len(paid) > 1,
        "reached: a line of a net sheet was disputed": evenings.decided["net lines disputed"] > 0,
        "reached: a corridor was suspended": bool(evenings.suspended),
        "reached: a corridor was resumed": bool(evenings.resumed),
        "reached: a loss was written off": evenings.decided["settlement.write-off"] > 0,
        "reached: a forecast": bool(forecast.get("enough")),
    }


def _forecast(network: Network) -> dict[str, Any]:
    """What the corridor with the most open advances is to owe and pay, of those with a history."""
    rows = network.ask("settlement", "/v1/exposure")
    found: dict[str, Any] = {}
    for row in sorted(rows, key=lambda row: (-parse_yuan(row["open"]), row["origin"])):
        corridor = f"{row['origin']}>{row['destination']}"
        found = network.ask("settlement", "/v1/risk", corridor=corridor)
        if found["enough"]:
            break
    return found


def _rightly_matched(transfers: Iterable[Row], arrived: Mapping[str, int]) -> bool:
    return all(
        parse_yuan(row["received"]) <= arrived.get(row["transfer_id"].replace("-", ""), 0)
        for row in transfers
    )


def _crossed(transfers: Iterable[Row]) -> dict[str, dict[str, int]]:
    """How many transfers are in which state of record and money."""
    counted = Counter((row["record"], row["money"]) for row in transfers)
    crossed: dict[str, dict[str, int]] = {}
    for (record, money), count in sorted(counted.items()):
        crossed.setdefault(record, {})[money] = count
    return crossed


def _suspense(balance: Row) -> dict[str, str]:
    return {
        region: row["balance"]
        for region, rows in balance["regions"].items()
        for row in rows
        if row["account"] == "suspense" and parse_yuan(row["balance"]) > 0
    }


def _one(network: Network, transfers: Sequence[Row]) -> dict[str, Any]:
    """One person's way from the registration to the money that came, told in sentences."""
    funded = [row for row in transfers if row["money"] == "funded" and row["closed"]]
    if not funded:
        return {}
    row = min(funded, key=lambda row: str(row["opened_at"]))
    return {
        "transfer": row["transfer_id"],
        "corridor": f"{row['origin']} > {row['destination']}",
        "timeline": network.timeline(row["transfer_id"]),
    }


def show(console: Console, content: Row) -> None:
    """Print the report for people."""
    console.print(_states(content["transfers"]))
    if content["reasons"]:
        console.print(_table("reasons", ("reason", "transfers>"), content["reasons"].items()))
    console.print(_exposure(content["exposure"]))
    console.print(_table("in suspense", ("region", "yuan>"), content["suspense"].items()))
    console.print(_netting(content["netting"]))
    console.print(_table("decided by two people", ("what", "times>"), content["decided"].items()))
    for word in ("suspended", "resumed"):
        for corridor, day in content["corridors"][word].items():
            console.print(f"advances on {corridor} were {word} on {day}")
    if content["person"]:
        console.print(f"\nOne transfer, {content['person']['corridor']}")
        for step in content["person"]["timeline"]:
            console.print(f"  {step['at'][:19].replace('T', ' ')}  {step['text']}")
    advances, latency = content["advances"], content["advances"]["latency_ms"]
    aim = "" if advances["within_a_second"] else ", more than the second that is aimed at"
    console.print(
        f"\n{advances['count']} advances, {advances['sum']} yuan in all; from the registration "
        f"p50 {latency['p50']:.0f} ms, p99 {latency['p99']:.0f} ms{aim}"
    )
    for name, holds in content["checks"].items():
        if not holds or name.startswith(("inv", "bal", "nobody", "truth", "the books")):
            console.print(f"  {'holds ' if holds else 'BROKEN'}  {name}")
    end = "everything is as it must be" if content["ok"] else "NOT everything is as it must be"
    console.print(f"{end} ({content['seconds']} s)")
    console.print(
        "Look next at deploy/sandbox/input (edit it, run this again), or start a stack of your own:"
        "\n  .venv/bin/jiexu up --embedded"
    )


def _states(crossed: Mapping[str, Mapping[str, int]]) -> Table:
    moneys = sorted({money for row in crossed.values() for money in row})
    rows = ([record, *(row.get(money, "") for money in moneys)] for record, row in crossed.items())
    columns = ("record \\ money", *(f"{money}>" for money in moneys))
    return _table("transfers by the state of record and money", columns, rows)


def _exposure(rows: Iterable[Row]) -> Table:
    shown = [
        (row.get("corridor") or f"{row['origin']}>{row['destination']}", row["open"], row["count"])
        for row in rows
        if parse_yuan(row["open"]) > 0
    ]
    return _table("advances open per corridor", ("corridor", "yuan>", "advances>"), shown)


def _netting(sheets: Iterable[Row]) -> Table:
    shown = [
        (sheet["month"], sheet["state"], sheet["lines"], row["region"], row["pays"], row["gets"])
        for sheet in sheets
        for row in sheet["positions"]
    ]
    columns = ("month", "sheet", "lines>", "region", "pays>", "gets>")
    return _table("net sheets", columns, shown)


def _table(title: str, columns: Sequence[str], rows: Iterable[Iterable[object]]) -> Table:
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        right = column.endswith(">")
        table.add_column(column.rstrip(">"), justify="right" if right else "left", no_wrap=True)
    for row in rows:
        table.add_row(*map(str, row))
    return table
