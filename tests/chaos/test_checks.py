"""Each checker finds what is planted for it, and nothing where all is as it must be."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from uuid import UUID, uuid5

import pytest

from shared.dead_letters import Record
from tests.chaos import checks
from tests.chaos.evidence import End, Evidence, Lane, Out, Step

TRANSFER = UUID(int=1)
END = End("exact", {"open": 1}, ["open accepted"], ["joined funded t"], {"letter": 1}, {})
LANE = "cn.transfer.commands/0"


def number(n: int) -> UUID:
    return uuid5(TRANSFER, str(n))


def record(n: int, offset: int, seq: int) -> Record:
    headers = {
        "ce_id": str(number(n)).encode(),
        "ce_type": b"transfer.withdraw.v1",
        "ce_source": b"/jiexu/enrollment",
        "lane": b"intake/0",
        "seq": b"%d" % seq,
    }
    body = f'{{"transfer": "{TRANSFER}"}}'.encode()
    return Record("cn.transfer.commands", 0, offset, 0, "key", headers, body)


def out(seq: int, cause: int) -> Out:
    return Out(LANE, seq, number(100 + seq), "key", number(cause))


def sound() -> Evidence:
    """Two messages came to the transfer service, and it sent one for each."""
    sent = [
        Record("cn.transfer.events", 0, n, 0, "key", {"ce_id": str(number(101 + n)).encode()}, b"")
        for n in range(2)
    ]
    places = [(f"cn.transfer.{stream}", 0, n) for stream in ("commands", "events") for n in (0, 1)]
    return Evidence(
        lanes_before={"transfer": {LANE: Lane(0, 0, 0)}},
        lanes_after={"transfer": {LANE: Lane(2, 2, 2)}},
        ends={("cn.transfer.commands", 0): 2},
        records=[record(1, 0, 1), record(2, 1, 2), *sent],
        outbox={"transfer": [out(1, 1), out(2, 2)]},
        handled={"transfer": {number(1), number(2)}},
        monitored=dict.fromkeys(places, 1),
        steps=[Step(TRANSFER, "transfer.withdraw.v1")] * 2,
        people=[END],
        letters={"letter": 1},
        open_letters=[],
        versions={"claim": [1, 2]},
    )  # fmt: skip


def findings(found: Evidence, calm: Mapping[str, End]) -> dict[str, list[str]]:
    return {
        "set": list(checks.set_(found, calm)),
        "version": list(checks.version(found)),
        "order": list(checks.order(found)),
    }


def test_a_sound_run_has_no_findings() -> None:
    assert findings(sound(), {"exact": END}) == {"set": [], "version": [], "order": []}


PLANTED: dict[str, tuple[str, Callable[[Evidence], Evidence]]] = {
    "a message that was not handled": (
        "set", lambda e: replace(e, handled={"transfer": {number(1)}}),
    ),
    "a message that never reached Kafka": ("set", lambda e: replace(e, records=e.records[:-1])),
    "a message decided twice": (
        "set", lambda e: replace(e, outbox={"transfer": [out(1, 1), replace(out(1, 1), seq=2)]}),
    ),
    "a person who ended otherwise": (
        "set", lambda e: replace(e, people=[replace(END, transfers=["opened"])]),
    ),
    "a registration kept twice": (
        "set", lambda e: replace(e, people=[replace(END, records={"open": 2})]),
    ),
    "a record that the monitor lacks": ("set", lambda e: replace(e, monitored={})),
    "a letter delivered twice": ("set", lambda e: replace(e, letters={"letter": 2})),
    "a dead letter": ("set", lambda e: replace(e, open_letters=["transfer: key"])),
    "a gap in a lane": ("version", lambda e: replace(e, outbox={"transfer": [out(2, 2)]})),
    "a position that is behind": (
        "version", lambda e: replace(e, ends={("cn.transfer.commands", 0): 3}),
    ),
    "a version left out": ("version", lambda e: replace(e, versions={"claim": [1, 3]})),
    "a step that is missing": ("version", lambda e: replace(e, steps=e.steps[:1])),
    "a step too many": ("version", lambda e: replace(e, steps=[*e.steps, e.steps[0]])),
    "messages handled in another order": (
        "order", lambda e: replace(e, outbox={"transfer": [out(1, 2), out(2, 1)]}),
    ),
    "messages published in another order": (
        "order",
        lambda e: replace(e, records=[record(1, 0, 2), record(2, 1, 1), *e.records[2:]]),
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", PLANTED)
def test_a_checker_finds(what: str) -> None:
    checker, plant = PLANTED[what]

    found = findings(plant(sound()), {"exact": END})

    assert found[checker], found
