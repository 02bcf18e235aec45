"""Deciding at the command line: what is approved is the proposal that was read."""

from collections.abc import Iterator
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from services.monitor.cli import app
from tests.unit.cli_server import TRANSFER, Server, serving

ITEM, MESSAGE = TRANSFER, "8c1f2a52-6a38-5b58-9a0e-3f3f0d1f4a09"
READ, PRESENT = (f"8c1f2a52-6a38-5b58-9a0e-3f3f0d1f4b0{number}" for number in (1, 2))
PROPOSAL = {
    "proposal": PRESENT,
    "act": "settlement.write-off.v1",
    "fields": {"amount": "12.00", "others": ["T2", "T3"]},
    "by": "li",
    "at": "2026-03-02T09:30:00+08:00",
    "reason": "small",
    "reason_text": "金额过小 / Collecting it would cost more than it is",
    "why": "",
}


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


def decided(server: Server, *words: str, what: str = "approved", **found: object) -> Result:
    step = {"message": MESSAGE, "what": what, "code": None, "text": None}
    item = {"item": ITEM, "state": what, "proposal": PROPOSAL, "history": [step], **found}
    server.on(f"settlement/v1/items/{ITEM}", item)
    server.on(f"settlement/v1/items/{ITEM}/{words[0]}", {"item": ITEM, "message": MESSAGE}, 202)
    server.on("settlement/v1/items", {"item": ITEM, "message": MESSAGE}, 202)
    return CliRunner().invoke(app, list(words), env=server.environment())


def sent(server: Server, verdict: str) -> list[Any]:
    return server.bodies(f"settlement/v1/items/{ITEM}/{verdict}")


@pytest.mark.parametrize(("verdict", "what"), [("approve", "approved"), ("reject", "rejected")])
def test_the_proposal_that_was_read_is_decided_whatever_has_come_since(
    server: Server, verdict: str, what: str
) -> None:
    result = decided(server, verdict, ITEM, READ, "--by", "wang", "--why", "as read", what=what)

    assert result.exit_code == 0, result.output
    assert sent(server, verdict) == [{"why": "as read", "proposal": READ, "by": "wang"}]


def test_without_one_it_is_the_present_proposal_and_said_which(server: Server) -> None:
    result = decided(server, "approve", ITEM, "--by", "wang")

    assert sent(server, "approve") == [{"why": "", "proposal": PRESENT, "by": "wang"}]
    for told in (PRESENT, "settlement.write-off.v1", "12.00", "T2 T3", f"approved: {ITEM}"):
        assert told in result.stdout


def test_where_nothing_is_proposed_nothing_is_sent(server: Server) -> None:
    result = decided(server, "approve", ITEM, "--by", "wang", proposal=None)

    assert result.exit_code == 1
    assert "nothing is proposed yet" in result.stderr
    assert sent(server, "approve") == []


def test_who_proposes_is_told_how_it_is_approved(server: Server) -> None:
    words = ("propose", "settlement.write-off", "amount=12.00", "--by", "li", "--reason", "small")

    result = decided(server, *words, what="proposed")

    assert f"jiexu approve {ITEM} {MESSAGE} --by" in result.stdout
