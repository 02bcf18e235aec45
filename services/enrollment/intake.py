"""The edge: upstream records are checked, sealed, told from repetitions, and sent on their way.

Nothing of a person leaves this file in the clear: name, phone and ID are sealed under the
person's own key, the person is a keyed hash, and the name is left as blind keys for matching.
"""

import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache, lru_cache
from itertools import islice
from typing import NamedTuple
from uuid import UUID, uuid4

import asyncpg

from services.enrollment.codes import sentence
from services.enrollment.documents import rows_of
from services.enrollment.feed import Feed, Form, Refused
from services.enrollment.sheet import Bad, Row
from shared import names
from shared.cells import NOWHERE
from shared.messages import Message, record_uuid
from shared.messages.enrollment import Answered, Register
from shared.regions import Regions
from shared.sealing import Keyring, SealError, seal, unseal
from shared.settings import Holder

CHUNK = 1000
OUTCOMES = ("accepted", "duplicate", "refused", "unreadable")


class Answer(NamedTuple):
    """What is known at once about a row."""

    source: str
    record_id: str
    outcome: str
    code: str = ""
    field: str = ""
    transfer: UUID | None = None
    region: str = NOWHERE

    @property
    def named(self) -> bool:
        """Whether it says which record it is about."""
        return bool(self.source and self.record_id)

    @property
    def sent(self) -> UUID | None:
        """The message that an accepted record became: it has the record's own id."""
        return record_uuid(self.source, self.record_id) if self.outcome == "accepted" else None

    @property
    def columns(self) -> tuple[str, ...]:
        """The answer as the columns of an answer file."""
        message = sentence(self.code, self.field) if self.code else ""
        transfer = str(self.transfer) if self.transfer else ""
        return self.source, self.record_id, self.outcome, self.code, message, transfer


class Read(NamedTuple):
    """A well-formed row with its person and the keyed hash of its content."""

    form: Form
    person: str
    content: bytes


class Taken(NamedTuple):
    """The answers to rows, in their order, and the messages that the accepted ones became."""

    answers: Sequence[Answer]
    messages: Sequence[tuple[UUID, Message]]


class Intake:
    """Takes chunks of rows: reads them, and places what was read in the caller's transaction."""

    def __init__(self, regions: Regions, keyring: Keyring) -> None:
        self._regions = regions
        self._keyring = keyring
        # The same name comes a thousand times over; its keys are the same each time.
        self._name_keys = lru_cache(maxsize=40_000)(self._blind)

    def _blind(self, name: str) -> str:
        """The keys of a name as one text: apart they would take three times the memory."""
        return " ".join(self._keyring.blind(names.forms(name)))

    def ours(self, row: Row) -> bool:
        """Whether this cell answers the row: all cells read the same topic, each takes its own."""
        return self._regions.here(str(row.get("region", "")) if isinstance(row, dict) else "")

    def read(self, rows: Iterable[Row], holder: Holder | None, at: datetime) -> list[Read | Answer]:
        """Each row read, or answered where it is malformed or not the holder's to send.

        Without a holder the way the rows came says who may send: a topic has its own access list.
        """
        feed = Feed(self._regions, at)
        refusal = self._permission(holder)
        found: list[Read | Answer] = []
        for row in rows:
            form = feed.read(row) if isinstance(row, dict) else _unread(row)
            if isinstance(form, Form) and (code := refusal(form.source, form.region)):
                form = Refused(form.source, form.record_id, code)
            if isinstance(form, Form):
                person = self._keyring.person_key(form.id_type, form.id_no)
                found.append(Read(form, person, self._keyring.content(form.content)))
            else:
                found.append(
                    Answer(form.source, form.record_id, form.outcome, form.code, form.field)
                )
        return found

    def _permission(self, holder: Holder | None) -> Callable[[str, str], str]:
        """The code by which a record of a source and region is refused, if it is."""

        @cache
        def refusal(source: str, region: str) -> str:
            if not self._regions.here(region):
                return "other_cell"
            if holder is None or holder.may_send(source, region):
                return ""
            return "not_your_region" if {source, "*"} & holder.sources else "not_your_source"

        return refusal

    async def place(
        self,
        db: asyncpg.Connection,
        found: Sequence[Read | Answer],
        at: datetime,
        *,
        check: bool = False,
    ) -> Taken:
        """Answers what was read. With `check` nothing is kept and no message made."""
        first: dict[Key, Held] = {}
        for one in found:
            if isinstance(one, Read):
                first.setdefault(one.form.key, (one.content, _promised(one.form)))
        held = await (_known if check else _hold)(db, first, at)
        fresh: list[Read] = []
        answers: list[Answer] = []
        for one in found:
            if isinstance(one, Answer):
                answers.append(one)
            elif (known := held.get(one.form.key)) is None:
                key = one.form.key
                held[key] = own = first[key]
                fresh.append(one)
                answers.append(Answer(*key, "accepted", "", "", own[1], one.form.region))
            else:
                answers.append(_again(one, known))
        return Taken(answers, [] if check else await self._registers(db, fresh))

    async def _registers(
        self, db: asyncpg.Connection, fresh: Sequence[Read]
    ) -> list[tuple[UUID, Message]]:
        told = {one.person for one in fresh if one.form.name or one.form.phone}
        keys = await self._keyring.person_keys(db, told) if told else {}
        contacts = await self._contacts(db, keys) if keys else {}
        keys |= await self._keyring.create_person_keys(db, told - keys.keys())
        messages = []
        for form, person, _ in fresh:
            sealed = None
            if person in keys and (form.name or form.phone):
                contacts[person] = contacts.get(person, {}) | _clear(form)
                sealed = seal(keys[person], contacts[person])
            messages.append(self._register(form, person, sealed))
        return messages

    async def _contacts(
        self, db: asyncpg.Connection, keys: Mapping[str, bytes]
    ) -> dict[str, dict[str, str]]:
        """What is known of how to reach these persons: a new phone must not cost the name."""
        rows = await db.fetch(
            "SELECT person, sealed FROM persons WHERE person = ANY($1) AND sealed IS NOT NULL",
            list(keys),
        )
        contacts = {}
        for row in rows:
            # What was sealed before the person was erased stays closed for ever.
            with contextlib.suppress(SealError):
                contacts[row["person"]] = unseal(keys[row["person"]], row["sealed"])
        return contacts

    def _register(self, form: Form, person: str, sealed: str | None) -> tuple[UUID, Message]:
        record = record_uuid(form.source, form.record_id)
        message = Register(
            to=form.region,
            person=person,
            record=record,
            source=form.source,
            record_id=form.record_id,
            refers_to=record_uuid(form.source, form.refers_to) if form.refers_to else None,
            sealed=sealed,
            name_keys=tuple(self._name_keys(form.name).split()) if form.name else (),
            **form.values,  # type: ignore[arg-type]  # each was parsed to its field's type
        )
        return record, message


def _clear(form: Form) -> dict[str, str]:
    given = (form.name, form.phone, form.id_type, form.id_no)
    fields = zip(("name", "phone", "id_type", "id_no"), given, strict=True)
    return {field: text for field, text in fields if text}


Key = tuple[str, str]
Held = tuple[bytes, UUID | None]


def _again(one: Read, known: Held) -> Answer:
    """The answer to a record of which there is one already."""
    content, transfer = known
    if content == one.content:
        return Answer(*one.form.key, "duplicate", "", "", transfer, one.form.region)
    return Answer(*one.form.key, "refused", "conflict", "", None, one.form.region)


def _unread(row: Bad) -> Refused:
    return Refused(row.source, row.record_id, row.code, "", row.outcome)


def _promised(form: Form) -> UUID | None:
    """The transfer that the sender is told of: the one that this record itself begins."""
    return form.transfer if form.values["action"] in ("apply", "enroll") else None


async def _hold(db: asyncpg.Connection, given: Mapping[Key, Held], at: datetime) -> dict[Key, Held]:
    """Keeps the records that are new; gives what is held of the others."""
    keys = sorted(given)
    if not keys:
        return {}
    rows = await db.fetch(
        "INSERT INTO records (source, record_id, content, transfer, recorded_at)"
        " SELECT *, $5 FROM unnest($1::text[], $2::text[], $3::bytea[], $4::uuid[])"
        " ON CONFLICT DO NOTHING RETURNING source, record_id",
        *zip(*((*key, *given[key]) for key in keys), strict=True),
        at,
    )
    if len(rows) == len(keys):
        return {}
    new = set(map(tuple, rows))
    return await _known(db, [key for key in keys if key not in new], at)


async def _known(db: asyncpg.Connection, keys: Iterable[Key], _: datetime) -> dict[Key, Held]:
    """What is held of records."""
    asked = sorted(keys)
    if not asked:
        return {}
    rows = await db.fetch(
        "SELECT source, record_id, content, transfer FROM records"
        " JOIN unnest($1::text[], $2::text[]) AS a (source, record_id) USING (source, record_id)",
        *zip(*asked, strict=True),
    )
    return {(row[0], row[1]): (row[2], row[3]) for row in rows}


class UpstreamEdge:
    """Reads the upstream topic; what is not taken is answered on the senders' topic."""

    topic = "upstream.registrations"

    def __init__(self, intake: Intake) -> None:
        self._intake = intake

    async def take(
        self, db: asyncpg.Connection, bodies: Sequence[bytes], at: datetime
    ) -> Sequence[tuple[UUID, Message]]:
        """What raw CloudEvents become; one that holds an array becomes many."""
        rows = (row for body in bodies for row in rows_of(body) if self._intake.ours(row))
        out: list[tuple[UUID, Message]] = []
        while read := self._intake.read(islice(rows, CHUNK), None, at):
            taken = await self._intake.place(db, read, at)
            out += taken.messages
            out += [(uuid4(), _answered(answer)) for answer in _told(taken.answers)]
        return out


def _told(answers: Iterable[Answer]) -> Iterable[Answer]:
    """The answers that senders do not await from the rules. Those that name no record are told
    once: the next one like it would tell nobody more.
    """
    refused = (answer for answer in answers if answer.outcome != "accepted")
    return {n if answer.named else answer: answer for n, answer in enumerate(refused)}.values()


def _answered(answer: Answer) -> Answered:
    return Answered(
        to=answer.region,
        # Whose it was cannot be told: the id is only there to be one.
        record=record_uuid(answer.source, answer.record_id) if answer.named else uuid4(),
        source=answer.source,
        record_id=answer.record_id,
        decision=answer.outcome,  # type: ignore[arg-type]  # never `accepted` here
        code=answer.code or None,
        transfer=answer.transfer,
    )
