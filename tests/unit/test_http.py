"""What every service answers when something is wrong: a code, a sentence, never what was sent."""

from typing import Any

import asyncpg
import pytest
from fastapi import APIRouter, FastAPI, Request
from fastapi.testclient import TestClient
from pydantic import BaseModel

from shared import http
from shared.asking import Refusal

ID_NO = 410102199003078512


class Asked(BaseModel):
    id_no: str


def _fail(error: Exception) -> Any:  # noqa: ANN401 - a handler
    async def handler() -> None:
        raise error

    return handler


@pytest.fixture
def client() -> TestClient:
    api = FastAPI()
    http._answers_to_errors(api)
    api.add_middleware(http.Bounded)

    @api.post("/persons")
    async def persons(asked: Asked) -> str:
        return asked.id_no

    router = APIRouter(prefix="/v1")

    @router.post("/stream")
    async def stream(request: Request) -> int:
        return sum([len(block) async for block in request.stream()])

    router.post("/persons")(persons)
    api.include_router(router)

    for name, error in (
        ("data", asyncpg.CharacterNotInRepertoireError("nul")),
        ("database", asyncpg.CannotConnectNowError("starting")),
        ("network", OSError("gone")),
        ("fault", RuntimeError("ours")),
        ("refusal", Refusal(409, "not_at_head", "x")),
        ("token", Refusal(401, "no_token", "x")),
    ):
        api.get(f"/{name}")(_fail(error))
    return TestClient(api, raise_server_exceptions=False)


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/data", 422, "bad_request"),
        ("/database", 503, "later"),
        ("/network", 503, "later"),
        ("/fault", 500, "fault"),
        ("/refusal", 409, "not_at_head"),
        ("/token", 401, "no_token"),
        ("/nowhere", 404, "not_found"),
        ("/persons", 405, "not_allowed"),
    ],
)
def test_every_error_is_a_code_and_a_sentence(
    client: TestClient, path: str, status: int, code: str
) -> None:
    answer = client.get(path)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["message"]


def test_a_malformed_request_is_answered_without_repeating_it(client: TestClient) -> None:
    answer = client.post("/persons", json={"id_no": ID_NO})

    assert answer.status_code == 422
    assert str(ID_NO) not in answer.text
    assert "id_no" in answer.json()["message"]


def test_who_is_told_to_come_later_is_told_when(client: TestClient) -> None:
    assert client.get("/database").headers["Retry-After"] == "2"


@pytest.mark.parametrize("path", ["/persons", "/v1/persons"])
@pytest.mark.parametrize("blocks", [1, 4], ids=["told its length", "in blocks"])
def test_a_body_that_is_read_whole_is_bounded_whatever_it_says_of_its_length(
    client: TestClient, path: str, blocks: int
) -> None:
    block = b" " * (http.MOST_BYTES // blocks + 1)
    body = block if blocks == 1 else iter([block] * blocks)

    answer = client.post(path, content=body, headers={"content-type": "application/json"})

    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def test_who_reads_a_stream_bounds_it_by_itself(client: TestClient) -> None:
    answer = client.post("/v1/stream", content=b" " * (http.MOST_BYTES + 1))

    assert answer.json() == http.MOST_BYTES + 1
