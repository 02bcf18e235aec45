"""Where an origin answers by hand, over HTTP: its open requests, and its clerk's word."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter

from services.enrollment.codes import sentence
from shared.asking import Refusal, Who
from shared.calendar import SHANGHAI
from shared.messages import RegionCode, next_uuid
from shared.messages.enrollment import CompleteRelease
from shared.service import Runtime

_MOST = 10_000
_OPEN = (
    "SELECT transfer, person, destination, scheme, new_scheme, trigger, due_at FROM releases"
    " WHERE region = $1 AND due_at IS NOT NULL ORDER BY due_at, transfer LIMIT $2"
)
# Requests are kept under their person; why a transfer was answered is found by the transfer.
_ONE = (
    "SELECT person, region, state FROM releases WHERE (person, transfer) IN"
    " (SELECT person, subject FROM explanations WHERE subject = $1)"
)
_COMPLETE = ("accepted", "released", "terminated")


def router(runtime: Runtime) -> APIRouter:
    """What the origin's clerks use."""
    api = APIRouter(prefix="/v1/releases")

    @api.get("")
    async def waiting(who: Who, region: RegionCode, limit: int = 1000) -> list[dict[str, Any]]:
        """Requests that the region took and has not completed, the most urgent first."""
        if not who.may_see(region):
            raise Refusal(403, "not_your_region", sentence("not_your_region"))
        async with runtime.pool.acquire() as db:
            rows = await db.fetch(_OPEN, region, max(0, min(limit, _MOST)))
        return [{**row, "due_at": row["due_at"].astimezone(SHANGHAI).isoformat()} for row in rows]

    @api.post("/{transfer}/complete", status_code=202)
    async def complete(transfer: UUID, who: Who) -> dict[str, str]:
        """The clerk is done: the record is checked once more and released. Repeating is safe."""
        async with runtime.pool.acquire() as db, db.transaction():
            found = await db.fetchrow(_ONE, transfer)
            if found is None or not who.may_see(found["region"]):
                raise Refusal(404, "unknown_release", sentence("unknown_release"))
            if found["state"] not in _COMPLETE:
                raise Refusal(409, "release_not_open", sentence("release_not_open"))
            id_ = next_uuid(transfer, "complete")
            order = CompleteRelease(to=found["region"], person=found["person"], transfer=transfer)
            await runtime.send(db, [(id_, order)])
        return {"message": str(id_)}

    return api
