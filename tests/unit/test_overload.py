"""Intake is refused while more waits than a setting allows, and taken again well below it."""

from fastapi import FastAPI
from fastapi.testclient import TestClient

from shared import http
from shared.overload import INTAKE, Gate
from shared.settings import Holder

CLERK = {"authorization": "Bearer clerk"}


class Full:
    """Says how much room there is."""

    full = True

    async def too_much(self) -> bool:
        return self.full


def door(room: Full) -> TestClient:
    api = FastAPI()
    http._answers_to_errors(api)
    api.state.tokens = {"clerk": Holder(holder="clerk")}
    api.state.overload = room

    @api.post("/v1/registrations", **INTAKE)
    async def take() -> str:
        return "taken"

    return TestClient(api)


def test_a_gate_shuts_above_its_setting_and_opens_at_half_of_it() -> None:
    gate = Gate(100)
    states = []
    for waiting in (100, 101, 60, 51, 50, 100, 101):
        gate.look(waiting)
        states.append(gate.shut)

    assert states == [False, True, True, True, False, False, True]


def test_what_comes_while_too_much_waits_is_told_to_come_later_and_what_to_do() -> None:
    room = Full()
    client = door(room)

    refused = client.post("/v1/registrations", headers=CLERK)
    room.full = False
    taken = client.post("/v1/registrations", headers=CLERK)

    assert (refused.status_code, refused.json()["code"]) == (429, "later")
    assert int(refused.headers["Retry-After"]) > 0
    assert "send it again" in refused.json()["message"]
    assert (taken.status_code, taken.json()) == (200, "taken")


def test_who_may_not_ask_is_told_that_and_not_how_full_it_is() -> None:
    assert door(Full()).post("/v1/registrations").status_code == 401
