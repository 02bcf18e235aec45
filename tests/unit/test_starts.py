"""Where a reader begins, and when it must not."""

import pytest

from shared.starts import Missing, starts

OWN, OUTSIDE = ("cn.transfer.events", 0), ("upstream.registrations", 0)


@pytest.mark.parametrize(
    ("where", "ours", "bounds", "begin"),
    [
        (OWN, 5, (0, 9), 5),
        (OWN, 9, (0, 9), 9),
        (OWN, 9, (9, 9), 9),  # all was handled, and deleted since
        (OWN, 0, (7, 9), 7),  # a cell that came later
        (OUTSIDE, 5, (5, 9), 5),
    ],
)
def test_a_reader_begins_where_its_lane_stands(
    where: tuple[str, int], ours: int, bounds: tuple[int, int], begin: int
) -> None:
    assert starts({where: ours}, {where: bounds}) == ({where: begin}, {})


def test_what_was_deleted_unread_of_our_own_is_missing_and_its_cure_is_named() -> None:
    with pytest.raises(Missing, match=r"begins at 7, read to 5.*restore --kafka-lost"):
        starts({OWN: 5}, {OWN: (7, 9)})


def test_what_was_deleted_unread_from_outside_is_counted_and_passed_over() -> None:
    assert starts({OUTSIDE: 5}, {OUTSIDE: (7, 9)}) == ({OUTSIDE: 7}, {OUTSIDE: 2})


def test_a_kafka_that_has_less_than_was_handled_is_missing() -> None:
    with pytest.raises(Missing, match="ends at 3, 5 were handled"):
        starts({OWN: 5}, {OWN: (0, 3)})


def test_a_partition_of_which_kafka_says_nothing_begins_where_its_lane_stands() -> None:
    assert starts({OWN: 5}, {}) == ({OWN: 5}, {})
