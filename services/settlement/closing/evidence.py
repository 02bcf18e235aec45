"""Where a balance comes from: account, entry, posting, bank line and file, with its cause. PURE.

Nobody is named: whose a personal entry is, the transfer's own explanation tells those who may know.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from itertools import zip_longest
from typing import Any
from uuid import UUID

from services.settlement import interest
from services.settlement.answers import from_json, shown
from shared.money import yuan
from shared.rules import InterestRule

Row = Mapping[str, Any]
Rows = Sequence[Row]
RuleOf = Callable[[str, date], InterestRule | None]
"""What a region pays on a day."""


def entries(rows: Rows) -> list[dict[str, Any]]:
    """Entries with their postings, in the order in which they were made."""
    found: dict[UUID, dict[str, Any]] = {}
    for row in rows:
        entry = found.setdefault(row["id"], _entry(row))
        entry["postings"].append(
            {"debit": row["debit"], "credit": row["credit"], "amount": yuan(row["amount_fen"])}
        )
    return list(found.values())


def _entry(row: Row) -> dict[str, Any]:
    # A bank account's or a region's key tells where its messages are; a person's is nobody's.
    concerns_nobody = ":" in row["person"]
    return {
        "entry": str(row["id"]),
        "number": row["n"],
        "region": row["region"],
        "kind": row["kind"],
        "subject": row["subject"],
        "version": row["version"],
        "transfer": str(row["transfer"]) if row["transfer"] else None,
        "date": row["business_date"].isoformat(),
        "late": row["late"],
        "cause": str(row["cause"]),
        "key": row["person"] if concerns_nobody else None,
        "reverses": str(row["reverses"]) if row["reverses"] else None,
        "postings": [],
    }


def interest_of(rows: Rows, rule_of: RuleOf) -> list[dict[str, Any]]:
    """How the interest of entries came about: each balance with its days and rate, and whether the
    books, which reckon it movement by movement, have come to the same.
    """
    found: dict[UUID, list[Row]] = {}
    for row in rows:
        found.setdefault(row["entry"], []).append(row)
    return [_interest(own, rule_of) for own in found.values()]


def _interest(rows: Sequence[Row], rule_of: RuleOf) -> dict[str, Any]:
    told = rows[0]
    until, region = told["until"], told["region"]
    stretches, earned, balance_fen = [], 0, 0
    for row, later in zip_longest(rows, rows[1:]):
        balance_fen += row["fen"]
        ends = later["day"] if later else until
        stood = interest.spans(lambda day: rule_of(region, day), row["day"], ends)
        for span in reversed(list(stood) if balance_fen else []):
            earned += balance_fen * span.weight
            stretches.append(_stretch(balance_fen, span))
    return {
        "entry": str(told["entry"]),
        "region": region,
        "amount": yuan(told["amount_fen"]),
        "stretches": stretches,
        "fen": _parts(earned),
        "rounding": "half up to the fen",
        "agrees": earned == told["accrued"] and interest.fen(earned) == told["amount_fen"],
    }


def _stretch(balance_fen: int, span: interest.Span) -> dict[str, Any]:
    return {
        "since": span.since.isoformat(),
        "until": span.until.isoformat(),
        "days": span.days,
        "balance": yuan(balance_fen),
        "fen_days": balance_fen * span.days,
        "rate_bp": span.rule.rate_bp,
        "year_days": span.rule.year_days,
        "source": span.rule.source,
        "fen": _parts(balance_fen * span.weight),
    }


def _parts(accrued: int) -> str:
    """Fen with four decimals, the rest cut off."""
    whole, rest = divmod(accrued, interest.PARTS)
    return f"{whole}.{rest * 10_000 // interest.PARTS:04d}"


def of_account(
    region: str, account: str, day: date, balance: Row | None, days: Rows, posted: Rows
) -> dict[str, Any]:
    """A balance, the last days on which it moved, and the entries of the last of them."""
    debit_fen, credit_fen = (balance["debit_fen"], balance["credit_fen"]) if balance else (0, 0)
    return {
        "region": region,
        "account": account,
        "date": day.isoformat(),
        "debit": yuan(debit_fen),
        "credit": yuan(credit_fen),
        "balance": yuan(abs(debit_fen - credit_fen)),
        "days": [
            {
                "date": row["day"].isoformat(),
                "debit": yuan(row["debit_fen"]),
                "credit": yuan(row["credit_fen"]),
            }
            for row in days
        ],
        "entries": entries(posted),
    }


def line(row: Row) -> dict[str, Any]:
    """A line of a bank statement: in which file it came, by its hash, and who sent that."""
    return {
        "receipt": str(row["receipt"]),
        "account": row["account"],
        "region": row["region"],
        "direction": row["direction"],
        "amount": yuan(row["amount_fen"]),
        "booked_on": row["booked_on"].isoformat(),
        "booked": row["booked"],
        "entry_key": row["entry_key"],
        "statement": row["statement"],
        "file": row["hash"].hex() if row["hash"] else None,
        "sent_by": row["sent_by"],
    }


def part(row: Row) -> dict[str, Any]:
    """The verdict on one payment: the rule, and the evidence it rests on."""
    return {
        "part": row["part"],
        "amount": yuan(row["amount_fen"]),
        "applied": yuan(row["applied_fen"]),
        "payer_region": row["payer_region"],
        "verdict": row["verdict"],
        "rule": row["rule"],
        "transfers": [str(transfer) for transfer in row["transfers"]],
        "evidence": shown(from_json(row["evidence"])),
    }
