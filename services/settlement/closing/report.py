"""A month as an accountant is shown it: the cash-basis view, and the report of regions. PURE."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from services.settlement.closing import statutory
from services.settlement.closing.statutory import NAMES, Balance, Turnover, View, head
from services.settlement.trial_balance import (
    AccountRow,
    Snapshot,
    by_region,
    entries_balance,
    no_negative_personal,
)
from shared.money import yuan

Rows = Sequence[Mapping[str, Any]]
Aged = Callable[[Rows, str, date], dict[str, str]]
"""Amounts by age of advances to a region on a day."""


def on_a_day(
    day: date, accounts: Sequence[AccountRow], may_see: Callable[[str], bool]
) -> dict[str, Any]:
    """The trial balance at the end of a day: each region's accounts, and those of the network."""
    books = Snapshot(accounts=accounts)
    holds = {
        "entries_balance": entries_balance(books),
        "no_negative_personal": no_negative_personal(books),
    }
    seen = [row for row in accounts if may_see(row.region)]
    return {
        "date": day.isoformat(),
        "balanced": all(holds.values()),
        "invariants": holds,
        "regions": by_region(seen),
        "network": by_region(_network(seen)).get("network", []),
    }


def _network(accounts: Iterable[AccountRow]) -> list[AccountRow]:
    """The accounts of all regions together, by their kind."""
    sums: dict[str, tuple[int, int]] = {}
    for row in accounts:
        debit_fen, credit_fen = sums.get(head(row.account), (0, 0))
        sums[head(row.account)] = debit_fen + row.debit_fen, credit_fen + row.credit_fen
    return [AccountRow("network", account, *sums[account]) for account in sums]


def movements(before: Sequence[AccountRow], after: Sequence[AccountRow]) -> list[Balance]:
    """The accounts of one region at the beginning and at the end of a time."""
    known = {row.account: row for row in before}
    found = []
    for row in after:
        began = known.get(row.account, AccountRow(row.region, row.account, 0, 0))
        found.append(
            Balance(
                row.account,
                began.debit_fen - began.credit_fen,
                row.debit_fen - row.credit_fen,
                row.debit_fen - began.debit_fen,
                row.credit_fen - began.credit_fen,
            )
        )
    return found


def cash_basis(
    region: str, month: str, turnovers: Sequence[Turnover], balances: Sequence[Balance]
) -> dict[str, Any]:
    """The answer of `jiexu statutory`."""
    found = statutory.view(turnovers)
    banks = [one for one in balances if head(one.account) == "bank"]
    return {
        "region": region,
        "month": month,
        "balanced": statutory.balanced(found, balances),
        "income": _lines(found.income),
        "expenditure": _lines(found.expenditure),
        "suspense": {"received": yuan(found.received_fen), "change": yuan(found.suspense_fen)},
        "unexplained": {"change": yuan(found.unexplained_fen)},
        "sweeps": [
            {"from": source, "to": to, "amount": yuan(amount_fen)}
            for (source, to), amount_fen in sorted(found.sweeps.items())
        ],
        "banks": [
            {
                "account": one.account,
                "opening": yuan(one.opening_fen),
                "change": yuan(one.closing_fen - one.opening_fen),
                "closing": yuan(one.closing_fen),
            }
            for one in banks
        ],
        "change": yuan(found.change_fen),
        "bank_change": yuan(statutory.bank_change_fen(balances)),
        "memorandum": {
            "advances": [_memorandum(one) for one in balances if _is_advance(one)],
            "interest": yuan(_interest(turnovers)),
        },
    }


def _lines(lines: Mapping[str, int]) -> list[dict[str, str]]:
    order = {name: n for n, name in enumerate(NAMES)}
    by_order = sorted(lines, key=lambda name: (order.get(name, len(order)), name))
    return [_line(name, lines[name]) for name in by_order]


def _line(name: str, amount_fen: int) -> dict[str, str]:
    chinese, english = NAMES.get(name, (f"其他 {name}", name))
    return {"line": name, "name": chinese, "name_en": english, "amount": yuan(amount_fen)}


def _is_advance(one: Balance) -> bool:
    return head(one.account) == "advance" and bool(one.opening_fen or one.debit_fen)


def _memorandum(one: Balance) -> dict[str, str]:
    return {
        "origin": one.account.partition(":")[2],
        "opening": yuan(one.opening_fen),
        "credited": yuan(one.debit_fen),
        "settled": yuan(one.credit_fen),
        "closing": yuan(one.closing_fen),
    }


@dataclass
class Month:
    """What was read of a month, by region."""

    month: str
    last: date
    turnovers: Mapping[str, Sequence[Turnover]]
    balances: Sequence[AccountRow]
    days: Rows = ()
    advances: Rows = ()
    mirrors: Rows = ()
    unmatched: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    late: Mapping[str, int] = field(default_factory=dict)
    late_receipts: Mapping[str, tuple[int, int]] = field(default_factory=dict)


def report(found: Month, names: Mapping[str, str], aged: Aged) -> dict[str, Any]:
    """The answer of settlement to `jiexu report`."""
    return {
        "month": found.month,
        "regions": [_region(found, region, names.get(region, "")) for region in found.turnovers],
        "ageing": _ageing(found, aged),
        "positions": [
            {
                "region": row.region,
                "window": row.account.partition(":")[2],
                "balance": yuan(row.debit_fen - row.credit_fen),
            }
            for row in found.balances
            if head(row.account) == "clearing" and row.debit_fen != row.credit_fen
        ],
        "mirror": [mirror_line(row, found.last) for row in found.mirrors],
    }


def _region(found: Month, region: str, name: str) -> dict[str, Any]:
    turnovers = found.turnovers[region]
    cash = statutory.view(turnovers)
    stood = {r.account: r.debit_fen - r.credit_fen for r in found.balances if r.region == region}
    day = next((row for row in found.days if row["region"] == region), None)
    count, unmatched_fen = found.unmatched.get(region, (0, 0))
    late_count, late_fen = found.late_receipts.get(region, (0, 0))
    closed = bool(day and day["closed_on"] and day["closed_on"] >= found.last)
    unswept_fen = stood.get("bank:income", 0)
    return {
        "region": region,
        "name": name,
        "closed": closed,
        "money_in": yuan(cash.income.get("transfer_income", 0)),
        "money_out": yuan(cash.expenditure.get("transfer_expenditure", 0)),
        "paid_to_persons": yuan(_between(turnovers, "personal", "payout")),
        "interest": yuan(_interest(turnovers)),
        "advanced": yuan(_into(turnovers, "advance")),
        "made_real": yuan(_between(turnovers, "suspense", "advance")),
        "received": yuan(cash.received_fen),
        "suspense": yuan(-stood.get("suspense", 0)),
        "unmatched": count,
        "unmatched_amount": yuan(unmatched_fen),
        "late_receipts": late_count,
        "late_amount": yuan(late_fen),
        "late_entries": found.late.get(region, 0),
        "income_account": yuan(unswept_fen),
        "warnings": _warnings(cash, closed=closed, unswept_fen=unswept_fen, unmatched=count),
    }


def _warnings(cash: View, *, closed: bool, unswept_fen: int, unmatched: int) -> list[str]:
    found = {
        "not_closed": not closed,
        # 财社〔2017〕144号: nothing is left in the income account at a month's end.
        "income_not_swept": unswept_fen != 0,
        "receipts_unmatched": unmatched > 0,
        "unexplained_debits": cash.unexplained_fen != 0,
    }
    return [code for code, so in found.items() if so]


def _between(turnovers: Iterable[Turnover], debit: str, credit: str) -> int:
    return sum(fen for d, c, fen in turnovers if (head(d), head(c)) == (debit, credit))


def _interest(turnovers: Sequence[Turnover]) -> int:
    """What was credited to persons, less what was taken back as not earned."""
    credited_fen = _between(turnovers, "interest", "personal")
    return credited_fen - _between(turnovers, "personal", "interest")


def _into(turnovers: Iterable[Turnover], account: str) -> int:
    return sum(fen for debit, _, fen in turnovers if head(debit) == account)


def _ageing(found: Month, aged: Aged) -> list[dict[str, Any]]:
    corridors: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for row in found.advances:
        corridors.setdefault((row["origin"], row["destination"]), []).append(row)
    return [
        {
            "corridor": f"{origin}>{destination}",
            "open": yuan(sum(row["open_fen"] for row in rows)),
            "count": sum(row["claims"] for row in rows),
            "ages": aged(rows, destination, found.last),
        }
        for (origin, destination), rows in sorted(corridors.items())
    ]


def mirror_line(row: Mapping[str, Any], today: date) -> dict[str, Any]:
    """Both sides of a corridor at a close, and for how many days something is unexplained."""
    since = row["since"]
    explained = row["explained"]
    return {
        "corridor": f"{row['origin']}>{row['destination']}",
        "day": row["day"].isoformat(),
        "origin_owes": yuan(row["owes_fen"]),
        "destination_claims": yuan(row["claims_fen"]),
        "explained": json.loads(explained) if isinstance(explained, str) else explained,
        "unexplained": yuan(row["unexplained_fen"]),
        "since": since.isoformat() if since else None,
        "age_days": (today - since).days if since else None,
    }
