"""What an operator can mend on a whole stack: poison, what waits behind it, stuck transfers."""

import asyncio
import json
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from aiokafka import AIOKafkaProducer

from deploy.embedded import stack as embedded
from services.monitor.commands.client import Client
from shared.identity import make_id
from shared.lanes import partition_of
from tests.system.stack import Stack, mover

TOPIC = "cn.transfer.commands"
BY_HAND = ("he-hrss", "130600")
WHY = ("--reason", "the sender has asked for it")


def client_of(stack: Stack) -> Client:
    running = embedded.find(stack.home)
    assert running
    token = next(iter(json.loads((stack.home / "tokens.json").read_text())))
    return Client(running.urls, token)


def publish(stack: Stack, records: list[tuple[str, str, bytes]]) -> None:
    """Puts (key, type, body) on the transfer service's own topic."""
    running = embedded.find(stack.home)
    assert running

    async def send() -> None:
        producer = AIOKafkaProducer(bootstrap_servers=running.kafka)
        await producer.start()
        for key, kind, body in records:
            headers = {"ce_id": str(uuid4()), "ce_type": kind, "sentat": datetime.now(UTC)}
            await producer.send_and_wait(
                TOPIC,
                body,
                key=key.encode(),
                partition=partition_of(key, 4),
                headers=[(name, str(value).encode()) for name, value in headers.items()],
            )
        await producer.stop()

    asyncio.run(send())


def transfers_of(stack: Stack, id_no: str) -> list[dict[str, Any]]:
    return list(stack.ask("transfers", "--person", "-", text=id_no))


def begun_by_hand(stack: Stack, folder: Path, name: str, serial: int) -> tuple[str, str, str]:
    """A transfer that waits for a clerk of its origin: its person's ID, key and its own id."""
    id_no = make_id("130602", date(1990, 1, 7), serial)
    stack.send(folder / f"{name}.csv", mover(name, id_no, "张伟", "70.00", origin=BY_HAND))
    stack.settle()
    [transfer] = transfers_of(stack, id_no)
    assert transfer["record"] == "releasing"
    asked = {"id_type": "01", "id_no": id_no}
    key = client_of(stack).post("enrollment", "/v1/persons", asked)["person_key"]
    return id_no, key, transfer["transfer_id"]


def complete(stack: Stack, transfer: str) -> None:
    """The clerk of the origin is done."""
    client_of(stack).post("enrollment", f"/v1/releases/{transfer}/complete")
    stack.settle()


def letters(stack: Stack, *words: str) -> list[dict[str, Any]]:
    return list(stack.ask("dead-letters", "list", "--service", "transfer", *words))


def others_go_on(stack: Stack, folder: Path) -> None:
    """Twenty people move while somebody's messages wait, and nothing of theirs is left over."""
    others = [make_id("410102", date(1990, 2, 7), n) for n in range(20)]
    rows = [mover(f"flat-{n}", id_, "李娜", "5.00") for n, id_ in enumerate(others)]
    stack.send(folder / "others.csv", [row for three in rows for row in three])
    stack.settle()

    assert {transfers_of(stack, id_)[0]["money"] for id_ in others} == {"advanced"}
    pending = client_of(stack).get("transfer", "/v1/pending")
    assert (pending["lag"], pending["parked"] > 0) == (0, True)


def test_poison_holds_up_its_key_alone_and_what_waits_goes_on_in_order(
    stack: Stack, tmp_path: Path
) -> None:
    id_no, key, transfer = begun_by_hand(stack, tmp_path, "poison", 11)
    publish(stack, [(key, "transfer.remind.v1", b"\xff no JSON")])
    stack.settle()

    others_go_on(stack, tmp_path)
    complete(stack, transfer)
    [held] = [t for t in stack.ask("transfers", "--stuck") if t["transfer_id"] == transfer]
    assert held["record"] == "releasing"
    assert "transfer.remind.v1 (unreadable) at transfer" in held["waiting"][0]["for"]

    [head, *behind] = [row for row in letters(stack) if row["key"] == key]
    assert (head["state"], {row["state"] for row in behind}) == ("refused", {"parked"})
    shown = stack.ask("dead-letters", "show", head["letter"])
    assert shown["body"] == {"unreadable": True, "bytes": 9}
    remind = {"to": "450100", "person": key, "transfer": transfer, "due_at": "2026-03-02T00:00:00Z"}
    edited = tmp_path / "edited.json"
    for body in ({**remind, "due_at": "never"}, remind):
        edited.write_text(json.dumps(body))
        stack.ask("dead-letters", "redrive", head["letter"], "--body", str(edited), *WHY)
        stack.settle()

    [moved] = transfers_of(stack, id_no)
    assert (moved["record"], moved["money"]) == ("joined", "advanced")
    acts = stack.ask("dead-letters", "show", head["letter"])["acts"]
    assert [(a["act"], a["by"], a["outcome"]) for a in acts] == [
        ("edit", "operator", "unreadable"),
        ("edit", "operator", "redriven"),
    ]
    decided = [
        step["type"]
        for step in stack.ask("explain", transfer)["decisions"]
        if step["service"] == "transfer"
    ]
    parked = [row["type"] for row in behind]
    assert [kind for kind in decided if kind in parked] == parked
    assert stack.ask("trial-balance")["balanced"] is True


def test_a_letter_is_discarded_only_with_a_reason_that_is_kept(stack: Stack) -> None:
    key = uuid4().hex
    publish(stack, [(key, "transfer.nonsense.v1", b"{}")])
    stack.settle()
    [letter] = [row for row in letters(stack) if row["key"] == key]

    assert stack.run("dead-letters", "discard", letter["letter"]).code == 2
    personal = ("--reason", "asked by 13800000000")
    assert stack.run("dead-letters", "discard", letter["letter"], *personal).code == 1
    stack.ask("dead-letters", "discard", letter["letter"], *WHY)
    stack.settle()

    shown = stack.ask("dead-letters", "show", letter["letter"])
    assert (shown["state"], shown["settled_by"], shown["settled_why"]) == (
        "discarded",
        "operator",
        WHY[1],
    )


def test_a_whole_filter_is_redriven_at_a_rate_each_letter_once(stack: Stack) -> None:
    keys = sorted(uuid4().hex for _ in range(12))
    publish(stack, [(key, "transfer.unheard-of.v1", b"{}") for key in keys])
    stack.settle()
    which = ("--filter", "type=transfer.unheard-of.v1")
    assert len(letters(stack, *which)) == len(keys)
    before = datetime.now(UTC)

    done = stack.ask(
        *("dead-letters", "redrive", "--service", "transfer", *which, "--rate", "5", *WHY)
    )
    assert done["letters"] == len(keys)

    def acts() -> list[list[dict[str, Any]]]:
        return [row["acts"] for row in letters(stack, *which)]

    while not all(acts()):
        stack.settle()
    found = acts()
    assert [len(each) for each in found] == [1] * len(keys)
    assert {each[0]["why"] for each in found} == {WHY[1]}
    last = max(datetime.fromisoformat(each[0]["at"]) for each in found)
    assert last - before >= timedelta(seconds=(len(keys) - 1) / 5)
    for row in letters(stack, *which):
        stack.ask("dead-letters", "discard", row["letter"], "--service", "transfer", *WHY)
    stack.settle()
    assert letters(stack, *which) == []


@pytest.mark.parametrize(
    "words",
    [
        ("redrive", *WHY),
        ("redrive", str(uuid4()), "--filter", "code=x", *WHY),
        ("redrive", "--filter", "colour=red", *WHY),
        ("redrive", "--filter", "older=soon", *WHY),
        ("redrive", "--filter", "code=x"),
        ("list", "--service", "nobody"),
    ],
)
def test_a_filter_that_says_nothing_is_wrong_usage(stack: Stack, words: tuple[str, ...]) -> None:
    assert stack.run("dead-letters", *words).code == 2


def test_a_paused_transfer_takes_in_what_comes_and_says_nothing_until_it_is_resumed(
    stack: Stack, tmp_path: Path
) -> None:
    id_no, _, transfer = begun_by_hand(stack, tmp_path, "paused", 13)
    stack.ask("pause", transfer, *WHY)
    stack.settle()

    complete(stack, transfer)

    [paused] = transfers_of(stack, id_no)
    assert (paused["record"], paused["money"]) == ("released", "pending")
    assert (paused["paused"]["by"], paused["paused"]["why"]) == ("operator", WHY[1])
    assert paused["paused"]["held"] == ["enrollment.join-record.v1", "settlement.release-funds.v1"]
    [stuck] = [t for t in stack.ask("transfers", "--stuck") if t["transfer_id"] == transfer]
    assert stuck["waiting"][0]["leg"] == "both"
    assert "paused by operator" in stuck["waiting"][0]["for"]
    assert f"jiexu resume {transfer}" in stuck["waiting"][0]["do"]
    assert stack.ask("trial-balance")["balanced"] is True

    stack.ask("resume", "--filter", "corridor=130600>450100", *WHY)
    stack.settle()

    [moved] = transfers_of(stack, id_no)
    assert (moved["record"], moved["money"], moved["paused"]) == ("joined", "advanced", None)
    told = [line["text"] for line in stack.ask("transfer", transfer)["timeline"]]
    assert any("operator paused it: the sender has asked for it" in text for text in told)
    steps = str(stack.ask("explain", transfer)["decisions"])
    assert "resumed: what was held back is said now (operator: the sender" in steps
    assert stack.ask("trial-balance")["balanced"] is True


def test_a_retry_of_all_in_a_state_changes_nothing_that_was_answered(
    stack: Stack, tmp_path: Path
) -> None:
    id_no, _, transfer = begun_by_hand(stack, tmp_path, "retried", 17)
    for _ in range(2):
        done = stack.ask("retry", "--filter", "state=releasing", *WHY)
        assert transfer in {each["transfer_id"] for each in done["ordered"]}
        stack.settle()
    complete(stack, transfer)
    before = transfers_of(stack, id_no)
    assert before[0]["money"] == "advanced"

    stack.ask("retry", transfer, *WHY)
    stack.settle()

    assert transfers_of(stack, id_no) == before
    assert stack.ask("trial-balance")["balanced"] is True


@pytest.mark.parametrize(
    ("words", "code", "exit_code"),
    [
        (("transfers", "--state", "lost"), "unknown_state", 1),
        (("transfers", "--region", "999999"), "unknown_region", 1),
        (("transfers", "--stuck", "--region", "999999"), "unknown_region", 1),
        (("receipts", "--state", "lost"), "unknown_state", 1),
        (("receipts", "--region", "999999"), "unknown_region", 1),
        (("retry", "--filter", "corridor=410100", *WHY), "not_a_corridor", 1),
        (("retry", "--filter", "state=lost", *WHY), "unknown_state", 1),
        (("retry", str(uuid4()), *WHY), "not_found", 1),
        (("retry", *WHY), "usage", 2),
        (("retry", "--filter", "colour=red", *WHY), "usage", 2),
        (("pause", str(uuid4())), "usage", 2),
    ],
)
def test_what_cannot_be_asked_is_said_and_not_answered_with_nothing(
    stack: Stack, words: tuple[str, ...], code: str, exit_code: int
) -> None:
    answer = stack.run(*words)

    assert (answer.code, answer.document["code"]) == (exit_code, code)


def test_what_was_said_and_what_is_set_aside_is_counted(stack: Stack, tmp_path: Path) -> None:
    rows = mover("counted", make_id("410102", date(1990, 4, 7), 19), "王芳", "3.00")
    stack.send(tmp_path / "counted.csv", rows)
    stack.settle()
    running = embedded.find(stack.home)
    assert running

    def metrics(service: str) -> str:
        return httpx.get(f"{running.urls[service]}/metrics").text

    assert 'jiexu_messages_said_total{type="settlement.advance-credited.v1"}' in metrics(
        "settlement"
    )
    # They are counted every ten seconds.
    deadline = time.monotonic() + 60
    while 'jiexu_dead_letters{service="transfer",state="parked"}' not in metrics("transfer"):
        assert time.monotonic() < deadline, "dead letters are not counted"
