"""Where a balance comes from: account, entry, posting, bank line and file, with its cause. PURE.

Nobody is named: whose a personal entry is, the transfer's own explanation tells those who may know.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from services.settlement.answers import from_json, shown
from shared.money import yuan

Row = Mapping[str, Any]
Rows = Sequence[Row]


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
