"""Messages of different producers may interleave in any order: the same end, the same money."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any
from uuid import uuid5

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.settlement.exposure import Limits
from shared.messages import NAMESPACE, Message, record_uuid, transfer_uuid
from shared.messages import enrollment as e
from shared.messages import transfer as t
from tests.unit.enrollment_world import MARCH, NANNING, PERSON, ZHENGZHOU, month, ranges
from tests.unit.network import Network
from tests.unit.settlement_world import detail, receipt

TRANSFER = transfer_uuid("test", "enroll")
GUILIN = "450300"


def register(action: str, name: str, region: str, **fields: Any) -> e.Register:  # noqa: ANN401
    given_fields = {
        "to": region,
        "person": PERSON,
        "record": record_uuid("test", name),
        "source": "test",
        "record_id": name,
        "action": action,
        "occurred_at": MARCH - timedelta(days=1),
        "scheme": "310",
        "person_type": "flexible",
        "residence_permit": "yes",
    }
    return e.Register(**{**given_fields, **fields})


OPEN = register("open", "open", ZHENGZHOU, months=ranges("2019-03..2026-02"), balance_fen=408412)
STOP = register("suspend", "stop", ZHENGZHOU, month=month("2026-02"))
ENROLL = register(
    "enroll",
    "enroll",
    NANNING,
    month=month("2026-03"),
    previous_region=ZHENGZHOU,
    transfer=TRANSFER,
)
WITHDRAW = register(
    "withdraw",
    "withdraw",
    NANNING,
    refers_to=record_uuid("test", "enroll"),
    transfer=TRANSFER,
)
DECEASE = register("decease", "decease", NANNING)
MOVE_ON = register(
    "enroll",
    "on",
    GUILIN,
    month=month("2026-03"),
    previous_region=NANNING,
    transfer=transfer_uuid("test", "on"),
)
STOP_AGAIN = register("suspend", "stop2", NANNING, month=month("2026-03"))


WITHDRAW_LATER = [OPEN, ENROLL, WITHDRAW, STOP]
HEFEI = "340100"
TO_HEFEI = transfer_uuid("test", "hefei")
# Across Hefei, which pays out what it holds for those who go where there is no account.
TO_HEFEI_ROWS = [
    register(
        "enroll",
        "hefei-enroll",
        HEFEI,
        person_type="employee",
        employer=True,
        month=month("2026-03"),
        previous_region=ZHENGZHOU,
    ),
    register("apply", "hefei", HEFEI, previous_region=ZHENGZHOU, transfer=TO_HEFEI),
    register("suspend", "hefei-stop", HEFEI, month=month("2026-03")),
    register(
        "enroll",
        "away",
        NANNING,
        account=False,
        month=month("2026-03"),
        previous_region=HEFEI,
        transfer=transfer_uuid("test", "away"),
    ),
]


ALL_ACTS: tuple[type[t.Act], ...] = (t.Pause, t.Resume, t.Retry)


def came(name: str, fen: int) -> Message:
    return receipt(name, detail(fen, TRANSFER, payer_region=ZHENGZHOU))


STORIES: dict[str, tuple[list[Message], list[Message], Limits | None]] = {
    "exact": ([OPEN, STOP, ENROLL], [came("r", 408412)], None),
    "in two parts": ([OPEN, STOP, ENROLL], [came("r1", 400000), came("r2", 8412)], None),
    "too much": ([OPEN, STOP, ENROLL], [came("r", 408500)], None),
    "no advance": ([OPEN, STOP, ENROLL], [came("r", 408412)], Limits(1, 1)),
    "moving on before the money came": (
        [OPEN, STOP, ENROLL, STOP_AGAIN, MOVE_ON],
        [came("r", 408412)],
        None,
    ),
    "stopped late": ([OPEN, ENROLL, STOP], [], None),
    "paid out when the money comes at last": (
        [OPEN, STOP, *TO_HEFEI_ROWS],
        [receipt("h", detail(408412, TO_HEFEI, payer_region=ZHENGZHOU), region=HEFEI)],
        Limits(1, 1),
    ),
}


def play(story: str, choose: Callable[[int], int], operator: Sequence[Message] = ()) -> Network:
    people, bank, limits = STORIES[story]
    network = Network(limits) if limits else Network()
    for producer, messages in (("intake", people), ("bank", bank), ("operator", operator)):
        for n, message in enumerate(messages):
            network.put(producer, producer, uuid5(NAMESPACE, f"{producer} {n}"), message)
    network.run(choose)
    return network


def end(network: Network) -> dict[str, Any]:
    """What must not depend on the order: the states, the money, whose it is."""
    transfers = {
        (t.origin, t.destination, t.record, t.money, t.closed_at is not None, t.funds.released)
        for t in network.transfers.values()
        if t is not None and t.record != "refused"  # who was asked too early is asked again
    }
    everywhere = (ZHENGZHOU, NANNING, GUILIN, HEFEI)
    balances = {r: network.settlement.balance(r, PERSON) for r in everywhere}
    return {"transfers": transfers, "balances": balances}


@pytest.mark.parametrize("story", STORIES)
def test_a_story_ends_the_same_in_every_order(story: str) -> None:
    expected = end(play(story, lambda _: 0))

    @settings(max_examples=150)
    @given(st.data())
    def in_any_order(data: st.DataObject) -> None:
        network = play(story, lambda n: data.draw(st.integers(0, n - 1)))

        assert end(network) == expected, network.heard

    in_any_order()


ACTS = {
    act: act(to=NANNING, person=PERSON, transfer=TRANSFER, by="op", why="w") for act in ALL_ACTS
}


@pytest.mark.parametrize("story", STORIES)
def test_an_operator_changes_nothing_of_the_end_whenever_he_acts(story: str) -> None:
    expected = end(play(story, lambda _: 0))
    orders = (t.Retry, t.Pause, t.Retry, t.Resume, t.Retry, t.Retry, t.Pause, t.Resume)

    @settings(max_examples=150)
    @given(st.data())
    def whenever(data: st.DataObject) -> None:
        acts = [ACTS[order] for order in orders]
        network = play(story, lambda n: data.draw(st.integers(0, n - 1)), acts)

        assert end(network) == expected, network.heard

    whenever()


def test_the_exact_story_ends_funded() -> None:
    network = play("exact", lambda _: 0)

    found = network.transfers[PERSON, TRANSFER]
    assert found
    assert (found.record, found.money, found.funds.matched) == ("joined", "funded", 408412)


@pytest.mark.parametrize("act", [WITHDRAW, DECEASE], ids=["withdrawn", "deceased"])
def test_in_a_race_with_the_release_the_origin_says_who_won(act: Message) -> None:
    people = STORIES["exact"][0]
    seen = set()

    @settings(max_examples=150)
    @given(st.data())
    def race(data: st.DataObject) -> None:
        network = Network()
        for n, message in enumerate([*people, act]):
            network.put("intake", "intake", uuid5(NAMESPACE, f"{n}"), message)
        network.run(lambda n: data.draw(st.integers(0, n - 1)))
        found = network.transfers[PERSON, TRANSFER]
        assert found
        seen.add((found.record, found.money))
        held = sum(network.settlement.balance(r, PERSON) for r in (ZHENGZHOU, NANNING))
        assert found.record in ("joined", "withdrawn")
        if act is DECEASE:
            assert held == 0, network.heard  # what was there went to the heirs
        else:
            assert held == 408412, network.heard

    race()
    assert {record for record, _ in seen} & {"joined", "withdrawn"}


def test_a_withdrawn_application_never_moves_anybody_later() -> None:
    @settings(max_examples=150)
    @given(st.data())
    def in_any_order(data: st.DataObject) -> None:
        network = Network()
        for n, message in enumerate(WITHDRAW_LATER):
            network.put("intake", "intake", uuid5(NAMESPACE, f"{n}"), message)
        network.run(lambda n: data.draw(st.integers(0, n - 1)))
        states = {t.record for t in network.transfers.values() if t}
        # The origin may have released before it heard of the withdrawal: then it was too late.
        if "joined" in states:
            told = [m for m in network.told if m.type == "transfer.withdrawal-refused.v1"]
            assert told, network.heard
        else:
            assert states == {"withdrawn"}, network.heard

    in_any_order()
