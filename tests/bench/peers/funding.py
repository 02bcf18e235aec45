"""The second workflow of a transfer: the money moves between the banks, and makes the advance real.

It begins when both regions' bank statements are in.
"""

import json
from datetime import UTC, datetime

from tests.bench.peers.story import (
    BLIND_KEYS,
    SEALED_LINE,
    Statement,
    Transfer,
    booked,
    delivered,
    events,
    exposed,
    letter,
    saga,
)


def instruct(move: Transfer) -> list[Statement]:
    """O: a line of a payment file."""
    now = datetime.now(UTC)
    return [
        *events(move, 14, ["settlement.remittance-instructed.v1"], now),
        (
            "INSERT INTO settlement.remittance_lines (person, transfer, run, destination,"
            " amount_fen) VALUES (%s, %s, 'peer', %s, %s)",
            (move.person, move.id, move.destination, move.amount_fen),
        ),
        (
            "INSERT INTO settlement.instructions (person, transfer, run, amount_fen)"
            " VALUES (%s, %s, 'peer', %s)",
            (move.person, move.id, move.amount_fen),
        ),
        (
            "UPDATE settlement.releases SET payable_fen = 0, remitting_fen = %s"
            " WHERE person = %s AND transfer = %s",
            (move.amount_fen, move.person, move.id),
        ),
        *booked(move, now, "instruct", move.origin, f"payable:{move.destination}", "remitting"),
    ]


def debit(move: Transfer) -> list[Statement]:
    """O: the bank says that it paid."""
    now = datetime.now(UTC)
    return [
        *events(move, 15, ["settlement.remittance-debited.v1"], now),
        *_bank_line(move, now, move.origin, "expense", "remitted"),
        (
            "UPDATE settlement.releases SET remitting_fen = 0, debited_fen = %s"
            " WHERE person = %s AND transfer = %s",
            (move.amount_fen, move.person, move.id),
        ),
        *booked(move, now, "debit", move.origin, "remitting", "bank:expense"),
    ]


def record_receipt(move: Transfer) -> list[Statement]:
    """D: the money is in the bank, in suspense, and reserved for the claim it is for."""
    now = datetime.now(UTC)
    found = json.dumps({"references": [str(move.id)], "candidates": [{"transfer": str(move.id)}]})
    return [
        *events(move, 16, ["settlement.record-receipt.v1"], now),
        *_bank_line(move, now, move.destination, "income", "suspense"),
        (
            "INSERT INTO settlement.receipt_parts (receipt, part, region, payer_region, amount_fen,"
            " suspended_fen, reserved_fen, verdict, rule, evidence, transfers, refs, name_keys)"
            " VALUES (%s, 0, %s, %s, %s, %s, %s, 'exact', 'reference-amount', %s, %s, %s, %s)",
            (move.named("line-income"), move.destination, move.origin, *[move.amount_fen] * 3,
             found, [move.id], [move.id], BLIND_KEYS),
        ),
        (
            "UPDATE settlement.claims SET reserved_fen = %s WHERE person = %s AND transfer = %s",
            (move.amount_fen, move.person, move.id),
        ),
        exposed(move, 0, 0),
        # A statement has one entry for all its lines.
        *booked(move, now, "receipt", move.destination, "bank:income", "suspense")[1:],
    ]  # fmt: skip


def apply_receipt(move: Transfer) -> list[Statement]:
    """D: the advance is funded, the exposure shrinks, the transfer closes."""
    now = datetime.now(UTC)
    return [
        *events(move, 17, ["settlement.advance-funded.v1", "transfer.closed.v1"], now),
        (
            "UPDATE settlement.claims SET reserved_fen = 0, matched_fen = %s, open_fen = 0"
            " WHERE person = %s AND transfer = %s",
            (move.amount_fen, move.person, move.id),
        ),
        (
            "UPDATE settlement.receipt_parts SET reserved_fen = 0, applied_fen = %s"
            " WHERE receipt = %s AND part = 0",
            (move.amount_fen, move.named("line-income")),
        ),
        *saga(
            move, now, "joined", "funded",
            ("settlement.advance-funded.v1", "O's money has come: nothing is open"),
        ),
        ("DELETE FROM transfer.timers WHERE key = %s AND id = %s", (move.person, move.id)),
        letter(move, now, "funded"),
        exposed(move, -move.amount_fen, -1),
        *booked(move, now, "apply", move.destination, "suspense", f"advance:{move.origin}"),
    ]  # fmt: skip


def deliver_letter(move: Transfer) -> list[Statement]:
    """The last letter has reached the person."""
    return delivered(move)


def _bank_line(
    move: Transfer, now: datetime, region: str, bank: str, booked_as: str
) -> list[Statement]:
    receipt, account = move.named(f"line-{bank}"), f"{region}:{bank}"
    return [
        (
            "INSERT INTO settlement.bank_lines (account, entry_key, kind, core, content, receipt,"
            " statement, credit, amount_fen, booked_on)"
            " VALUES (%s, %s, 'camt.053', %s, %s, %s, 'peer', %s, %s, %s)",
            (account, f"ref:{move.number}", receipt.bytes, receipt.bytes, receipt,
             bank == "income", move.amount_fen, now.date()),
        ),
        (
            "INSERT INTO settlement.receipts (receipt, account, region, bank, direction,"
            " amount_fen, booked_on, value_on, reversal, booked, sealed, recorded_at)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, false, %s, %s, %s)",
            (receipt, account, region, bank, "credit" if bank == "income" else "debit",
             move.amount_fen, now.date(), now.date(), booked_as, SEALED_LINE, now),
        ),
    ]  # fmt: skip


STEPS = (instruct, debit, record_receipt, apply_receipt, deliver_letter)
