"""What one complete transfer writes, step by step, as SQL on the product's own tables.

A step is one database transaction. Each begins with its rows of the event log, whose key says
which step of which transfer it is: a step that is run again meets that key and changes nothing.
After it rows that belong to one person, then the corridor, then balances in the order of their
names, so that no two steps wait for each other. Only the standard library is used here: the peers
run in an environment of their own.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid5

Statement = tuple[str, Sequence[Any]]

EVENT_KEY = "events_other_pkey"  # what a repeated step meets
SCHEME, _RULE, _SOURCE = "310", "cover at the origin has stopped = yes", "医保办发〔2021〕43号"
_EVENTS_PER_TRANSFER = 32
# The size of what the product keeps sealed of a person, and of a bank line.
SEALED_PERSON, SEALED_LINE = "s" * 156, "s" * 288
BLIND_KEYS = ["a84dd84760447e9888e74869", "fd125952776ad60be544c081", "c0478ff5eadf2a56078df215"]


@dataclass(frozen=True, slots=True)
class Transfer:
    """One person's move, and all that is known of it before it begins."""

    number: int
    person: str
    origin: str
    destination: str
    amount_fen: int
    automatic: bool

    @property
    def id(self) -> UUID:
        return self.named("transfer")

    def named(self, name: str) -> UUID:
        """The id of something of this transfer, the same whenever it is asked for."""
        return uuid5(NAMESPACE_OID, f"{self.number}/{name}")


def events(move: Transfer, first: int, kinds: Sequence[str], now: datetime) -> list[Statement]:
    rows: list[Any] = []
    for number, kind in enumerate(kinds, first):
        body = json.dumps(
            {
                "to": move.destination, "person": move.person, "transfer": str(move.id),
                "origin": move.origin, "destination": move.destination, "scheme": SCHEME,
                "amount_fen": move.amount_fen, "occurred_at": now.isoformat(),
            }
        ).encode()  # fmt: skip
        rows += [
            now.date(), move.number * _EVENTS_PER_TRANSFER + number,
            move.named(f"event-{number}"), kind, move.person, move.id, move.destination,
            now, now, move.id, move.id, number, body,
        ]  # fmt: skip
    row = "(%s, 'peer', 0, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 'peer/0', %s, %s)"
    sql = (
        'INSERT INTO monitor.events (day, topic, partition, "offset", id, type, key, transfer,'
        " region, at, sent_at, correlation, causation, lane, seq, body) VALUES "
    )
    return [(sql + ", ".join([row] * len(kinds)), rows)]


def saga(
    move: Transfer, now: datetime, record: str, money: str, *causes: tuple[str, str]
) -> list[Statement]:
    """The transfer's row as it is now, and a line of its history for each message."""
    state = json.dumps(
        {
            "id": str(move.id), "funds": {"released": move.amount_fen, "version": 1},
            "money": money, "record": record, "origin": move.origin, "person": move.person,
            "policy": f"{move.origin}@2025-01-01>{move.destination}@2025-01-01", "version": 1,
            "scheme": SCHEME, "account": True, "trigger": "person", "opened_at": now.isoformat(),
            "destination": move.destination, "accepted_at": now.isoformat(), "first_month": 24322,
        }
    )  # fmt: skip
    closed = record == "joined" and money == "funded"
    steps = [
        (
            "INSERT INTO transfer.steps (person, id, at, type, kind, why, record, money)"
            " VALUES (%s, %s, %s, %s, 'goes', %s, %s, %s)",
            (move.person, move.id, now, kind, why, record, money),
        )
        for kind, why in causes
    ]
    change: Statement = (
        "UPDATE transfer.transfers SET record = %s, money = %s, closed = %s, state = %s"
        " WHERE person = %s AND id = %s",
        (record, money, closed, state, move.person, move.id),
    )
    if record == "opened":
        change = (
            "INSERT INTO transfer.transfers (person, id, origin, destination, record, money,"
            " closed, overdue, opened_at, state)"
            " VALUES (%s, %s, %s, %s, %s, %s, false, false, %s, %s)",
            (move.person, move.id, move.origin, move.destination, record, money, now, state),
        )
    return [change, *steps]


def explained(move: Transfer, now: datetime, region: str, *decisions: str) -> list[Statement]:
    facts = json.dumps({"origin": move.origin, "scheme": SCHEME, "gap_months": 0, "code": None})
    return [
        (
            "INSERT INTO enrollment.explanations (person, id, subject, region, at, decision, rule,"
            " source, facts) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
            (move.person, move.named(one), move.id, region, now, one, _RULE, _SOURCE, facts),
        )
        for one in decisions
    ]


def letter(move: Transfer, now: datetime, kind: str) -> Statement:
    params = json.dumps({"origin": move.origin, "amount_fen": move.amount_fen})
    return (
        "INSERT INTO notification.letters (person, letter, run, transfer, kind, region, params,"
        " decided_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
        (move.person, move.named(f"letter-{kind}"), move.id, move.id, kind, move.destination,
         params, now),
    )  # fmt: skip


def booked(
    move: Transfer, now: datetime, kind: str, region: str, debit: str, credit: str
) -> list[Statement]:
    """A journal entry with its posting, and the turnover of the accounts that are no person's."""
    entry = move.named(f"entry-{kind}")
    accounts = sorted({(debit, "debit_fen"), (credit, "credit_fen")} - {("personal", "debit_fen")})
    return [
        (
            "INSERT INTO settlement.entries (person, id, region, kind, subject, version, transfer,"
            " business_date, cause) VALUES (%s, %s, %s, %s, %s, 1, %s, %s, %s)",
            (move.person, entry, region, kind, str(move.id), move.id, now.date(), move.id),
        ),
        (
            "INSERT INTO settlement.postings (person, entry, line, region, debit, credit,"
            " amount_fen, business_date) VALUES (%s, %s, 0, %s, %s, %s, %s, %s)",
            (move.person, entry, region, debit, credit, move.amount_fen, now.date()),
        ),
        *(
            (
                f"UPDATE settlement.balances SET {side} = {side} + %s"
                " WHERE region = %s AND account = %s",
                (move.amount_fen, region, account),
            )
            for account, side in accounts
            if account != "personal"
        ),
    ]


def exposed(move: Transfer, amount_fen: int, claims: int) -> Statement:
    """Takes the corridor's lock too, which an advance and a receipt both need."""
    return (
        "UPDATE settlement.corridors SET open_fen = open_fen + %s, claims = claims + %s"
        " WHERE origin = %s AND destination = %s",
        (amount_fen, claims, move.origin, move.destination),
    )


def delivered(move: Transfer) -> list[Statement]:
    now = datetime.now(UTC)
    return [
        (
            "UPDATE notification.letters SET state = 'sent', channel = 'file',"
            " recipient = '张** 186****3676', sent_at = %s"
            " WHERE person = %s AND transfer = %s AND state = 'queued'",
            (now, move.person, move.id),
        ),
    ]
