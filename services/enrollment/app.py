"""Enrollment as a process: its service, its edge, and what it answers over HTTP."""

import asyncio
import json
import shutil
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Hashable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from itertools import islice
from pathlib import Path
from typing import IO, Annotated, Any
from uuid import UUID

import asyncpg
from fastapi import APIRouter, Depends, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, Response, StreamingResponse
from pydantic import BaseModel, FailFast

from services.enrollment import api, decisions, documents, shapes, sheet, store
from services.enrollment.codes import sentence
from services.enrollment.documents import MOST_BYTES, MOST_RECORDS
from services.enrollment.feed import ALWAYS, FIELDS
from services.enrollment.intake import CHUNK, OUTCOMES, Answer, Intake, Read, UpstreamEdge
from shared import identity
from shared.asking import Refusal, holder
from shared.calendar import shanghai_day
from shared.decision import Decision, Delivery, States
from shared.messages import Text as UpstreamText
from shared.messages import record_uuid
from shared.overload import INTAKE
from shared.regions import Regions
from shared.service import App, Runtime
from shared.settings import Holder

_BLOCK = 256 * 1024
_AT_ONCE = 50
# A file of three million rows is taken in by then; others' records wait no longer for its end.
_HOLD_SECONDS = 300

Who = Annotated[Holder, Depends(holder)]


class EnrollmentService:
    """The three functions of enrollment, with the regions' rules that they go by."""

    name = "enrollment"
    topics: tuple[str, ...] = ("enrollment.commands",)
    handles = decisions.HANDLES

    def __init__(self, regions: Regions) -> None:
        self._regions = regions

    async def load(self, db: asyncpg.Connection, batch: Sequence[Delivery]) -> States:
        return await store.load(db, batch)

    def decide(self, states: States, delivery: Delivery) -> Decision:
        return decisions.decide(states, delivery, self._regions)

    async def save(self, db: asyncpg.Connection, changes: Mapping[Hashable, object]) -> None:
        await store.save(db, changes)


def build(runtime: Runtime) -> App:
    """Everything enrollment offers to the chassis."""
    intake = Intake(runtime.regions, runtime.keyring)
    router = APIRouter()
    _registrations(router, runtime, intake)
    _file(router, runtime, intake)
    _questions(router, runtime)
    router.include_router(api.router(runtime))
    return App(service=EnrollmentService(runtime.regions), router=router, edge=UpstreamEdge(intake))


def refusal(status: int, code: str, detail: str = "") -> Refusal:
    """An HTTP error with the code's sentence."""
    return Refusal(status, code, sentence(code, detail))


async def _place(
    runtime: Runtime, intake: Intake, found: Sequence[Read | Answer], *, check: bool
) -> Sequence[Answer]:
    """One chunk, one transaction: what is answered `accepted` is durably on its way."""
    async with runtime.pool.acquire() as db, db.transaction():
        taken = await intake.place(db, found, await runtime.now(db), check=check)
        if taken.messages:
            await runtime.send(db, taken.messages)
    return taken.answers


async def _read(
    runtime: Runtime, intake: Intake, rows: Iterator[sheet.Row], who: Holder
) -> list[Read | Answer]:
    """The next chunk; what else the process has to do is done in between."""
    async with runtime.pool.acquire() as db:
        at = await runtime.now(db)
    found: list[Read | Answer] = []
    while len(found) < CHUNK and (more := intake.read(islice(rows, _AT_ONCE), who, at)):
        found += more
        await asyncio.sleep(0)
    return found


def _registrations(router: APIRouter, runtime: Runtime, intake: Intake) -> None:
    @router.post("/v1/registrations", **INTAKE)
    async def registrations(request: Request, who: Who, *, check: bool = False) -> Response:
        """One record or an array of them; each is answered."""
        rows = await _json_rows(request)
        answers: list[Answer] = []
        left = iter(rows)
        while found := await _read(runtime, intake, left, who):
            answers += await _place(runtime, intake, found, check=check)
        counts = Counter(answer.outcome for answer in answers)
        shown = [_shown(answer) for answer in answers]
        status = 202 if counts["accepted"] and not check else 200
        outcomes = {name: counts[name] for name in OUTCOMES}
        return JSONResponse({"outcomes": outcomes, "answers": shown}, status)


def _file(router: APIRouter, runtime: Runtime, intake: Intake) -> None:
    @router.post("/v1/registrations/file", **INTAKE)
    async def file(request: Request, who: Who, *, check: bool = False) -> Response:
        """A CSV file of any size; its answers stream back as they are decided."""
        spool = await _spooled(request, runtime.settings.home / "spool")
        try:
            encoding = await run_in_threadpool(_encoding, spool)
            lines = sheet.lines(_blocks(spool))
            header = sheet.header_of(_first(lines), encoding, ALWAYS, FIELDS)
        except sheet.FileRefused as error:
            spool.close()
            raise refusal(422, error.code, error.detail) from None

        async def answers() -> AsyncIterator[bytes]:
            with spool, nullcontext() if check else runtime.holding(_HOLD_SECONDS):
                yield sheet.answer_lines([sheet.ANSWER])
                rows = sheet.rows(lines, header, encoding)
                found = await _read(runtime, intake, rows, who)
                while found:
                    # The next chunk is read while PostgreSQL has this one.
                    answered, found = await asyncio.gather(
                        _place(runtime, intake, found, check=check),
                        _read(runtime, intake, rows, who),
                    )
                    yield sheet.answer_lines(answer.columns for answer in answered)

        return StreamingResponse(
            answers(),
            media_type="text/csv; charset=utf-8",
            headers={"jiexu-notes": json.dumps(_notes(header))},
        )


def _notes(header: sheet.Header) -> dict[str, Any]:
    """What is to be said once about a file: why it is refused, what was not understood."""
    refused = sentence(header.code, header.detail) if header.code else None
    unknown = [name[:100] for name in header.unknown[:50]]
    return {"code": header.code or None, "message": refused, "unknown_columns": unknown}


def _shown(answer: Answer) -> dict[str, str | None]:
    columns = dict(zip(sheet.ANSWER, answer.columns, strict=True))
    return {
        name: value or None if name in ("code", "message", "transfer_id") else value
        for name, value in columns.items()
    } | {"message_id": str(answer.sent) if answer.sent else None}


async def _json_rows(request: Request) -> list[sheet.Row]:
    body = bytearray()
    async for block in request.stream():
        body += block
        if len(body) > MOST_BYTES:
            raise refusal(413, "too_large")
    try:
        return documents.parse(bytes(body))
    except documents.NotJson:
        raise refusal(400, "not_json") from None
    except documents.TooLarge:
        raise refusal(413, "too_large") from None


async def _spooled(request: Request, folder: Path) -> IO[bytes]:
    """The body on disk, in a file without a name: it is gone with the process whatever happens."""
    spool, limit = _spool(folder)
    size = 0
    async for block in request.stream():
        size += len(block)
        if size > limit:
            spool.close()
            raise refusal(413, "too_large")
        spool.write(block)
    if size == 0:
        spool.close()
        raise refusal(422, "empty_file")
    return spool


def _spool(folder: Path) -> tuple[IO[bytes], int]:
    """A new spool and its limit: half of what is free stays free for the database and Kafka."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return tempfile.TemporaryFile(dir=folder), shutil.disk_usage(folder).free // 2


def _blocks(spool: IO[bytes]) -> Iterator[bytes]:
    spool.seek(0)
    while block := spool.read(_BLOCK):
        yield block


def _encoding(spool: IO[bytes]) -> str:
    return sheet.encoding_of(sheet.lines(_blocks(spool)))


def _first(found: Iterator[bytes | None]) -> bytes | None:
    for line in found:
        if line is None or line.strip(b" \t\r\xef\xbb\xbf"):
            return line
    raise sheet.FileRefused("empty_file")


class Asked(BaseModel):
    """A person by ID; in a body, since a URL is written to logs."""

    id_type: str = "01"
    id_no: str


class Subject(BaseModel):
    """What is to be explained: a transfer, or a record that started none."""

    transfer: UUID


class RecordKey(BaseModel):
    """What identifies an upstream record for ever; both as in the feed."""

    source: UpstreamText
    record_id: UpstreamText


# A long list of what is none costs nothing: it is refused at the first.
Records = Annotated[list[RecordKey], FailFast()]


def _questions(router: APIRouter, runtime: Runtime) -> None:
    @router.post("/v1/persons")
    async def persons(asked: Asked, who: Who) -> dict[str, Any]:
        """Where a person is insured, as far as the asker may see."""
        async with runtime.pool.acquire() as db:
            today = shanghai_day(await runtime.now(db))
            try:
                id_no = identity.normalise(asked.id_type, asked.id_no, today)
            except identity.IdentityError as error:
                raise refusal(422, error.code) from None
            key = runtime.keyring.person_key(asked.id_type, id_no)
            person = await store.find(db, key)
        shape = shapes.person_shape(shapes.seen(person, who.may_see), today)
        return {"person": identity.mask_id(id_no), "person_key": key, **shape}

    @router.post("/v1/explain")
    async def explain(subject: Subject, who: Who) -> list[dict[str, Any]]:
        """Why: each decision of the asker's regions, its rule, the rule's source, the facts."""
        async with runtime.pool.acquire() as db:
            found = await store.explanations(db, subject.transfer)
        seen = [shapes.explanation_shape(why) for why in found if who.may_see(why.region)]
        if not seen:
            raise refusal(404, "nothing_decided")
        return seen

    @router.post("/v1/records/decisions")
    async def decided(records: Records, who: Who) -> list[dict[str, Any]]:
        """What the rules decided about records; `decision` is null while they have not."""
        if len(records) > MOST_RECORDS:
            raise refusal(413, "too_large")
        if any(not {r.source, "*"} & who.sources for r in records):
            raise refusal(403, "not_your_source")
        ids = [record_uuid(r.source, r.record_id) for r in records]
        async with runtime.pool.acquire() as db:
            verdicts = await store.verdicts(db, ids)
        return [
            shapes.verdict_shape(r.source, r.record_id, verdicts.get(id_))
            for r, id_ in zip(records, ids, strict=True)
        ]
