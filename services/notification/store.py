"""Contacts and letters in PostgreSQL: written by the service, claimed by the delivery loop."""

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple
from uuid import UUID, uuid4

import asyncpg
from pydantic_core import from_json, to_json

from services.notification.letters import HANDLED, Letter, Params, letter
from shared.decision import NOTHING, Decision, Delivery, States, Unexpected
from shared.messages.enrollment import Registered, RegistrationRefused
from shared.messages.notification import LetterFailed

DELAYS = tuple(
    timedelta(seconds=seconds) for seconds in (1, 5, 15, 60, 300, 900, 3600, 4 * 3600, 12 * 3600)
)
"""How long after the n-th failed attempt the next one is made; after the last it is given up."""

_NAMED = ("open", "enroll")
"""Records that always carry the name. Any other may carry a newer phone alone."""


@dataclass(frozen=True, slots=True)
class Contact:
    """A sealed name and phone, and when (business time) they were given."""

    person: str
    region: str
    slot: str
    sealed: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Run:
    """Letters that are delivered together."""

    id: UUID
    decided_on: date
    attempts: int


class Queued(NamedTuple):
    """A letter to deliver, with what is sealed about its recipient (oldest first)."""

    run: UUID
    person: str
    letter: UUID
    transfer: UUID | None
    kind: str
    region: str
    params: Params
    decided_at: datetime
    sealed: tuple[str, ...]


class Outcome(NamedTuple):
    """What became of a letter: `sent`, `failed` with a code, or `queued` for another attempt."""

    queued: Queued
    state: str
    channel: str | None = None
    recipient: str | None = None
    code: str | None = None


class Notification:
    """The service: each message leads to a letter or a contact, whatever came before it."""

    name = "notification"
    topics: tuple[str, ...] = ("enrollment.events", "transfer.events", "settlement.events")
    handles: frozenset[str] = HANDLED | {Registered.type}

    async def load(self, db: asyncpg.Connection, batch: Sequence[Delivery]) -> States:  # noqa: ARG002
        """Nothing: a letter depends on its own message alone, and `save` keeps it single."""
        return {}

    def decide(self, states: States, delivery: Delivery) -> Decision:
        """The contact that comes with a registration, and the letter of a message."""
        message = delivery.message
        if message.type not in self.handles:
            raise Unexpected("not_for_us", f"{message.type} leads to no letter")
        changes: dict[Hashable, object] = {}
        if isinstance(message, (Registered, RegistrationRefused)):
            changes |= _contact(states, message)
        written = letter(message, delivery.at)
        if written is not None:
            changes["letter", written.id] = written
        return Decision(changes) if changes else NOTHING

    async def save(self, db: asyncpg.Connection, changes: Mapping[Hashable, object]) -> None:
        """Writes contacts and letters as sets; a letter that exists already is left alone."""
        contacts = [change for change in changes.values() if isinstance(change, Contact)]
        letters = [change for change in changes.values() if isinstance(change, Letter)]
        for slot in ("identity", "newest"):
            await _save_contacts(db, slot, [c for c in contacts if c.slot == slot])
        if letters:
            await _save_letters(db, letters)


def _contact(states: States, message: Registered | RegistrationRefused) -> dict[Hashable, object]:
    if message.sealed is None:
        return {}
    slot = "identity" if message.action in _NAMED else "newest"
    contact = Contact(message.person, message.to, slot, message.sealed, message.occurred_at)
    key = ("contact", slot, message.person, message.to)
    known = states.get(key)
    return {} if isinstance(known, Contact) and known.at > contact.at else {key: contact}


async def _save_contacts(db: asyncpg.Connection, slot: str, contacts: Iterable[Contact]) -> None:
    rows = sorted((c.person, c.region, c.sealed, c.at) for c in contacts)
    if rows:
        await db.execute(
            f"INSERT INTO contacts AS c (person, region, {slot}, {slot}_at)"  # noqa: S608 - two constants
            " SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[])"
            f" ON CONFLICT (person, region) DO UPDATE SET {slot} = excluded.{slot},"
            f" {slot}_at = excluded.{slot}_at"
            f" WHERE c.{slot}_at IS NULL OR c.{slot}_at <= excluded.{slot}_at",
            *zip(*rows, strict=True),
        )


async def _save_letters(db: asyncpg.Connection, letters: Iterable[Letter]) -> None:
    rows = sorted(
        (x.person, x.id, x.transfer, x.kind, x.region, to_json(x.params).decode(), x.decided_at)
        for x in letters
    )
    await db.execute(
        "WITH written AS (INSERT INTO letters"
        " (run, person, letter, transfer, kind, region, params, decided_at)"
        " SELECT $1, * FROM unnest($2::text[], $3::uuid[], $4::uuid[], $5::text[], $6::text[],"
        " $7::jsonb[], $8::timestamptz[]) ON CONFLICT DO NOTHING RETURNING decided_at)"
        " INSERT INTO runs (run, decided_on, letters)"
        " SELECT $1, (min(decided_at) AT TIME ZONE 'Asia/Shanghai')::date, count(*)"
        " FROM written HAVING count(*) > 0",
        uuid4(),
        *zip(*rows, strict=True),
    )


async def claim(
    db: asyncpg.Connection, most_runs: int, most_letters: int
) -> tuple[list[Run], list[Queued]]:
    """Locks due runs that nobody else has, and gives their queued letters: one run at least."""
    rows = await db.fetch(
        "SELECT run, decided_on, attempts, letters FROM runs WHERE due_at <= now()"
        " ORDER BY due_at, run LIMIT $1 FOR UPDATE SKIP LOCKED",
        most_runs,
    )
    runs: list[Run] = []
    total = 0
    for row in rows:
        total += row["letters"]
        if runs and total > most_letters:
            break
        runs.append(Run(row["run"], row["decided_on"], row["attempts"]))
    return runs, await _queued(db, [run.id for run in runs]) if runs else []


async def _queued(db: asyncpg.Connection, runs: Sequence[UUID]) -> list[Queued]:
    rows = await db.fetch(
        "SELECT run, person, letter, transfer, kind, region, params, decided_at FROM letters"
        " WHERE run = ANY($1) AND state = 'queued' ORDER BY run, person, letter",
        runs,
    )
    sealed = await _sealed(db, {(row["person"], row["region"]) for row in rows})
    return [
        Queued(
            row["run"],
            row["person"],
            row["letter"],
            row["transfer"],
            row["kind"],
            row["region"],
            from_json(row["params"]),
            row["decided_at"],
            sealed[row["person"], row["region"]],
        )
        for row in rows
    ]


async def _sealed(
    db: asyncpg.Connection, wanted: Collection[tuple[str, str]]
) -> dict[tuple[str, str], tuple[str, ...]]:
    """What is sealed about persons, for letters of a region: the oldest first, and the region's
    own last, so that it counts most.
    """
    rows = await db.fetch(
        "SELECT person, region, identity, identity_at, newest, newest_at FROM contacts"
        " WHERE person = ANY($1)",
        list({person for person, _ in wanted}),
    )
    known: dict[str, list[tuple[str, int, datetime, str]]] = {}
    for person, region, *slots in rows:
        for slot, (sealed, at) in enumerate((slots[:2], slots[2:])):
            if sealed is not None:
                known.setdefault(person, []).append((region, slot, at, sealed))
    return {
        (person, region): tuple(
            sealed
            for *_, sealed in sorted(
                known.get(person, ()), key=lambda one: (one[0] == region, one[1], one[2])
            )
        )
        for person, region in wanted
    }


async def record(
    db: asyncpg.Connection, runs: Sequence[Run], outcomes: Sequence[Outcome], at: datetime
) -> None:
    """Writes what became of the letters, and when the rest of each run is tried again."""
    done = [outcome for outcome in outcomes if outcome.state != "queued"]
    if done:
        await db.execute(
            "UPDATE letters l SET state = d.state, channel = d.channel, recipient = d.recipient,"
            " code = d.code, sent_at = CASE d.state WHEN 'sent' THEN $7::timestamptz END"
            " FROM unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[])"
            " AS d (person, letter, state, channel, recipient, code)"
            " WHERE l.person = d.person AND l.letter = d.letter",
            *zip(
                *(
                    (o.queued.person, o.queued.letter, o.state, o.channel, o.recipient, o.code)
                    for o in done
                ),
                strict=True,
            ),
            at,
        )
    left: dict[UUID, int] = {}
    for outcome in outcomes:
        if outcome.state == "queued":
            left[outcome.queued.run] = left.get(outcome.queued.run, 0) + 1
    await db.execute(
        "DELETE FROM runs WHERE run = ANY($1)", [r.id for r in runs if r.id not in left]
    )
    again = [run for run in runs if run.id in left]
    if again:
        await db.execute(
            "UPDATE runs r SET attempts = attempts + 1, letters = n.letters,"
            " due_at = clock_timestamp() + n.delay"
            " FROM unnest($1::uuid[], $2::int[], $3::interval[]) AS n (run, letters, delay)"
            " WHERE r.run = n.run",
            [run.id for run in again],
            [left[run.id] for run in again],
            [DELAYS[min(run.attempts, len(DELAYS) - 1)] for run in again],
        )


def given_up(outcome: Outcome) -> LetterFailed | None:
    """What is announced about a letter that nobody will get. One that arrived is a row of
    `letters`, which is asked for over HTTP: no service waits to hear of it.
    """
    if outcome.state != "failed":
        return None
    queued = outcome.queued
    return LetterFailed.model_validate(
        {
            "to": queued.region,
            "person": queued.person,
            "transfer": queued.transfer,
            "letter": queued.letter,
            "kind": queued.kind,
            "channel": outcome.channel or "none",
            "code": outcome.code,
        }
    )


async def due(db: asyncpg.Connection) -> int:
    """How many queued letters are due."""
    return int(
        await db.fetchval("SELECT coalesce(sum(letters), 0) FROM runs WHERE due_at <= now()")
    )


async def listed(
    db: asyncpg.Connection, transfer: UUID | None, person: str | None, limit: int = 500
) -> list[asyncpg.Record]:
    """The letters about a transfer or to a person, oldest first."""
    rows: list[asyncpg.Record] = await db.fetch(
        "SELECT person, letter, transfer, kind, region, params, decided_at, state, channel,"
        " recipient, code, sent_at FROM letters WHERE transfer = $1"
        " UNION ALL SELECT person, letter, transfer, kind, region, params, decided_at, state,"
        " channel, recipient, code, sent_at FROM letters WHERE person = $2"
        " ORDER BY decided_at, letter LIMIT $3",
        transfer,
        person,
        limit,
    )
    return rows
