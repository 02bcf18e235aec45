"""The matrix has every pair of service and point that is reached; a sample has pairs of facts."""

from itertools import combinations

from tests.chaos import matrix
from tests.chaos.crash import Plan, Side
from tests.chaos.matrix import Hits
from tests.chaos.points import points
from tests.chaos.runs import Result, Run

POINTS = points()
KNOWN: dict[tuple[int, Side], int] = {(n, side): 4 for n in range(20) for side in ("amid", "after")}
HITS: Hits = {"transfer": KNOWN, "monitor": {(3, "after"): 1}}


def test_there_is_a_crash_for_each_seed_and_each_point_that_a_service_reaches() -> None:
    found = matrix.crashes(HITS, POINTS, [1, 2])

    assert len(found) == 2 * 21
    assert {plan.side for seed, _, plan in found if seed == 1} == {"after"}
    assert {plan.side for seed, name, plan in found if (seed, name) == (2, "transfer")} == {"amid"}


def test_a_point_that_lacks_one_moment_is_tried_in_the_other() -> None:
    found = matrix.crashes(HITS, POINTS, [2])

    assert (2, "monitor", Plan(3, "after", 1)) in found


def test_together_every_crash_is_in_one_run_and_no_service_twice_in_any() -> None:
    found = matrix.crashes(HITS, POINTS, [1, 2])

    runs = matrix.runs(found, together=True)

    played = [(run.seed, service, plan) for run in runs for service, plan in run.plans.items()]
    assert sorted(map(str, played)) == sorted(map(str, found))
    assert len(runs) == 40


def test_a_sample_is_the_same_for_a_commit_and_another_for_another() -> None:
    found = matrix.crashes(HITS, POINTS, [1, 2])

    one, again, other = (matrix.sample(found, POINTS, 12, by) for by in ("a", "a", "b"))

    assert one == again != other
    assert len(one) == 12


def test_a_sample_has_more_pairs_than_the_first_runs_of_the_matrix() -> None:
    found = matrix.crashes(HITS, POINTS, [1, 2])

    chosen, first = (
        set[tuple[object, object]]().union(*(matrix.pairs(one, POINTS) for one in some))
        for some in (matrix.sample(found, POINTS, 12, "a"), found[:12])
    )

    assert len(chosen) > len(first)
    services = {("service", "transfer"), ("service", "monitor")}
    assert services <= {fact for pair in chosen for fact in pair}


def test_a_point_that_is_not_reached_is_told_and_not_passed_over() -> None:
    run = Run(1, {"transfer": Plan(0, "after", 1)})
    missed = Result(run, frozenset(), 1.0, 1, {"set": []})

    rows = list(matrix.table([missed], POINTS, ["transfer"]))

    assert rows == [(POINTS[0].name, "1 unreached")]
    assert matrix.unreached(HITS, POINTS) == list(POINTS[20:])


def test_facts_make_as_many_pairs_as_two_can_be_taken() -> None:
    one = (1, "transfer", Plan(0, "after", 1))

    assert len(matrix.pairs(one, POINTS)) == len(list(combinations(range(6), 2)))
