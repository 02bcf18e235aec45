"""The demo's closing report: what became of everybody, whether the books hold, how fast it was."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
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
}


def compile_report(
    network: Network,
    counts: Counter[str],
    arrived: Mapping[str, int],
    faults: Sequence[str],
) -> dict[str, Any]:
    """All of the report as one JSON document; `ok` says whether everything is as it must be.

    `arrived` is the bank's own word on what came for each transfer: nobody may have more.
    `faults` are the differences between the bank's truth and the books.
    """
    transfers = list(network.transfers())
    balance = network.ask("settlement", "/v1/trial-balance")
    latency = network.ask("monitor", "/v1/latency")
    outcomes = {name: sum(map(holds, transfers)) for name, holds in OUTCOMES.items()}
    advances = sum(1 for row in transfers if parse_yuan(row["advanced"]) > 0)
    checks = _checks(balance, outcomes, advances) | {
        "nobody was given another's money": _rightly_matched(transfers, arrived),
        "truth and books agree to the fen": not faults,
    }
    return {
        "ok": all(checks.values()),
        "counts": dict(sorted(counts.items())),
        "transfers": _crossed(transfers),
        "reasons": dict(Counter(row["reason"] for row in transfers if row["reason"])),
        "outcomes": outcomes,
        "advances": {
            "count": advances,
            "sum": yuan(sum(parse_yuan(row["advanced"]) for row in transfers)),
            "latency_ms": latency,
            # Told, not checked: a busy machine is no failure of the demo.
            "within_a_second": float(latency["p99"]) < MOST_ADVANCE_MS,
        },
        "exposure": network.ask("settlement", "/v1/exposure"),
        "suspense": _suspense(balance),
        "faults": list(faults),
        "trial_balance": {"balanced": balance["balanced"], "invariants": balance["invariants"]},
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
        if not holds or name.startswith(("invariant", "balanced", "nobody", "truth")):
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


def _table(title: str, columns: Sequence[str], rows: Iterable[Iterable[object]]) -> Table:
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        right = column.endswith(">")
        table.add_column(column.rstrip(">"), justify="right" if right else "left", no_wrap=True)
    for row in rows:
        table.add_row(*map(str, row))
    return table
