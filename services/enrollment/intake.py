"""The edge: upstream records are checked, sealed, told from repetitions, and sent on their way.

Nothing of a person leaves this file in the clear: name, phone and ID are sealed under the
person's own key, the person is a keyed hash, and the name is left as blind keys for matching.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from uuid import UUID, uuid4, uuid5

import asyncpg

from services.enrollment.codes import sentence
from services.enrollment.feed import Feed, Form, Refused
from services.enrollment.sheet import Bad, Row
from shared import names
from shared.messages import NAMESPACE, Message, record_uuid
from shared.messages.enrollment import Answered, Register
from shared.regions import Regions
from shared.sealing import Keyring, seal
from shared.settings import Holder

NOWHERE = "000000"


@dataclass(frozen=True, slots=True)
class Answer:
    """What is known at once about a row."""

    source: str
    record_id: str
    outcome: str
    code: str = ""
    field: str = ""
    transfer: UUID | None = None
    region: str = NOWHERE

    @property
    def columns(self) -> tuple[str, ...]:
        """The answer as the columns of an answer file."""
        message = sentence(self.code, self.field) if self.code else ""
        transfer = str(self.transfer) if self.transfer else ""
        return self.source, self.record_id, self.outcome, self.code, message, transfer


@dataclass(frozen=True, slots=True)
class Taken:
    """The answers to rows, in their order, and the messages that the accepted ones became."""

    answers: Sequence[Answer]
    messages: Sequence[tuple[UUID, Message]]


class Intake:
    """Takes chunks of rows, each in the caller's transaction."""

    def __init__(self, regions: Regions, keyring: Keyring) -> None:
        self._regions = regions
        self._keyring = keyring
        # The same name comes a thousand times over; its keys are the same each time.
        self._name_keys = lru_cache(maxsize=20_000)(self._blind)

    def _blind(self, name: str) -> tuple[str, ...]:
        return self._keyring.blind(names.forms(name))

    async def take(
        self,
        db: asyncpg.Connection,
        rows: Sequence[Row],
        holder: Holder | None,
        at: datetime,
        *,
        check: bool = False,
    ) -> Taken:
        """Answers rows. With `check` nothing is kept and no message made.

        Without a holder the way the rows came says who may send: a topic has its own access list.
        """
        feed = Feed(self._regions, at)
        answers: list[Answer | None] = []
        forms: dict[int, Form] = {}
        for n, row in enumerate(rows):
            form = Refused(*row[1:], row[0], outcome="unreadable") if isinstance(row, Bad) else (
                feed.read(row)
            )
            if isinstance(form, Form):
                form = _allowed(form, holder)
            if isinstance(form, Form):
                forms[n] = form
                answers.append(None)
            else:
                answers.append(
                    Answer(form.source, form.record_id, form.outcome, form.code, form.field)
                )
        fresh, known = await self._place(db, forms, at, check=check)
        for n, answer in known.items():
            answers[n] = answer
        messages = [] if check else await self._registers(db, [forms[n] for n in fresh])
        return Taken([a for a in answers if a is not None], messages)

    async def _place(
        self, db: asyncpg.Connection, forms: Mapping[int, Form], at: datetime, *, check: bool
    ) -> tuple[list[int], dict[int, Answer]]:
        """Which rows are new, in their order, and the answers to all well-formed ones."""
        first: dict[tuple[str, str], bytes] = {}
        contents = {n: self._keyring.content(form.content) for n, form in forms.items()}
        for n, form in forms.items():
            first.setdefault((form.source, form.record_id), contents[n])
        held = await _hold(db, forms, contents, at, check=check)
        fresh: list[int] = []
        answers: dict[int, Answer] = {}
        for n, form in forms.items():
            key = (form.source, form.record_id)
            content, transfer = held.get(key, (None, form.values["transfer"]))
            if content is None:
                held[key] = (contents[n], transfer)
                fresh.append(n)
                outcome, code = "accepted", ""
            elif content == contents[n]:
                outcome, code = "duplicate", ""
            else:
                outcome, code, transfer = "refused", "conflict", None
            shown = transfer if form.values["action"] in ("apply", "enroll") else None
            answers[n] = Answer(*key, outcome, code, "", shown, form.region)  # type: ignore[arg-type]
        return fresh, answers
