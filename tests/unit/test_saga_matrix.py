"""Every state × message cell is as it was reviewed: the README's matrix is the saga's own."""

from pathlib import Path

import pytest

from services.transfer import matrix, saga
from services.transfer.samples import (
    ABOUT,
    AT,
    RECORD_MESSAGES,
    RECORD_STATES,
    Row,
)
from services.transfer.samples_money import MONEY_MESSAGES, MONEY_STATES
from services.transfer.states import Transfer
from shared import regions
from shared.decision import Unexpected
from shared.messages import Message
from shared.messages import enrollment as e
from shared.settings import Settings

README = Path(__file__).parents[2] / "README.md"
REGIONS = regions.load(Settings().regions)
ASKED = e.TerminateRecord(**ABOUT)
CELLS = [
    (state, now, row)
    for states, rows in ((RECORD_STATES, RECORD_MESSAGES), (MONEY_STATES, MONEY_MESSAGES))
    for state, now in states.items()
    for row in rows
]


def test_the_readme_shows_the_saga_as_it_is() -> None:
    shown = README.read_text()

    assert shown == matrix.written(shown), "run `make saga` and review what changed"


def test_every_cell_is_decided_with_a_reason() -> None:
    for state, now, row in CELLS:
        _, text = matrix.cell(now, row.message, REGIONS)

        reason = text.split("because ")[-1] if "because" in text else text.split(": ")[-1]
        assert len(reason) > 10, (state, row.name, text)


def test_what_is_ignored_or_refused_leaves_the_transfer_as_it_was() -> None:
    for _, now, row in CELLS:
        step, _ = matrix.cell(now, row.message, REGIONS)
        if step is not None and step.kind != "goes":
            assert step.transfer == now


def code(now: Transfer | None, message: Message) -> str:
    try:
        saga.decide(now, message, AT, REGIONS)
    except Unexpected as refused:
        return refused.code
    return "heard"


def test_what_means_nothing_is_refused_with_a_code() -> None:
    for _, now, row in CELLS:
        known = "impossible" if now else "unknown_transfer"
        assert code(now, row.message) in {"heard", known}


@pytest.mark.parametrize(
    "row", [row for row in MONEY_MESSAGES if row.message.type.startswith("settlement.")]
)
def test_the_money_says_nothing_before_the_record_is_released(row: Row) -> None:
    assert code(RECORD_STATES["opened"], row.message) == "impossible"


def test_a_dead_letter_says_what_could_not_be() -> None:
    funds = MONEY_MESSAGES[0].message

    with pytest.raises(Unexpected, match=f"{funds.type} before the record was released"):
        saga.decide(RECORD_STATES["opened"], funds, AT, REGIONS)


def test_a_message_to_somebody_else_is_not_for_the_saga() -> None:
    with pytest.raises(Unexpected) as refused:
        saga.decide(RECORD_STATES["opened"], ASKED, AT, REGIONS)

    assert (refused.value.code, ASKED.type in str(refused.value)) == ("not_for_saga", True)
