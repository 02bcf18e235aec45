"""A small statement of known truth: nobody gets another's money, and the plain ones need nobody."""

from shared.regions import load
from shared.settings import Settings
from tests.matching.run import Result, run
from tests.matching.truth import story

REGIONS = load(Settings().regions)


def told(seed: int) -> Result:
    return run(story(seed, 800, REGIONS), REGIONS)


def test_no_line_goes_to_somebody_whose_it_is_not_and_the_clear_ones_go_by_themselves() -> None:
    result = told(1)

    assert result.wrong == []
    assert result.recall >= 0.97, result.missed[:5]


def test_the_measure_sees_a_wrong_match() -> None:
    story_ = story(2, 200, REGIONS)
    plain = next(paid for paid in story_.paid if paid.kind == "plain")
    other = next(paid for paid in story_.paid if paid.kind == "plain" and paid is not plain)
    plain.truth.clear()
    plain.truth.update(other.truth)

    assert run(story_, REGIONS).wrong == [f"plain: {plain.row}"]


def test_a_story_has_every_kind_of_trouble_and_follows_from_its_seed() -> None:
    assert story(3, 800, REGIONS).paid == story(3, 800, REGIONS).paid
    assert len({paid.kind for paid in story(3, 800, REGIONS).paid}) == 16
