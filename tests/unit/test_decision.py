"""A changed state is a new one that differs in what was named."""

from dataclasses import dataclass

import pytest

from shared.decision import replace


@dataclass(frozen=True)
class Loose:
    a: int
    b: str = "b"


@dataclass(frozen=True, slots=True)
class Slotted:
    a: int
    b: str = "b"


@pytest.mark.parametrize("kind", [Loose, Slotted])
def test_the_named_fields_change_and_the_state_before_stays(kind: type[Loose]) -> None:
    before = kind(1)

    after = replace(before, a=2)

    assert (before, after) == (kind(1), kind(2))


@pytest.mark.parametrize("kind", [Loose, Slotted])
def test_a_field_that_is_not_there_is_refused(kind: type[Loose]) -> None:
    with pytest.raises(TypeError, match="c"):
        replace(kind(1), c=3)
