"""Which names are unsealed for a batch of bank lines: those that may decide, and no others."""

from uuid import uuid4

from services.settlement.doubts import Doubt, compared

PLACE = "450100"


def test_a_name_is_read_where_it_has_something_in_common_with_a_line_or_is_referred_to() -> None:
    alike, other, referred = (("p1", PLACE), ("p2", PLACE), ("p3", PLACE))
    keys = {alike: ("zhangwei", "wei_"), other: ("lina",), referred: ("wangfang",)}
    doubts = {
        (uuid4(), 0): Doubt(PLACE, ("wei_", "wei")),
        (uuid4(), 1): Doubt(PLACE, ("somebody",), frozenset({referred})),
    }

    assert compared(doubts, keys) == {alike, referred}
    assert compared({}, keys) == set()
