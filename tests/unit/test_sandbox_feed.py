"""The shipped input: what the generator writes, and that it reaches what the demo must show."""

from collections import Counter
from datetime import date
from pathlib import Path
from random import Random

import pytest

from deploy.sandbox import amendments, cast, fates, feed, stories
from shared import identity, messages, months, regions
from shared.money import parse_yuan

FOLDER = Path(__file__).parents[2] / "deploy"
INPUT = FOLDER / "sandbox" / "input"
REGIONS = regions.load(FOLDER / "regions")
STAGE = stories.Stage(REGIONS, cast.OPENED, cast.STOPPED, cast.FIRST, cast.STAGE_DAYS)
SHIPPED = feed.read(INPUT)


def test_the_same_seed_writes_the_same_files(tmp_path: Path) -> None:
    cast.write(tmp_path / "one", seed=3, count=200)
    cast.write(tmp_path / "other", seed=3, count=200)

    one, other = (sorted((tmp_path / name).iterdir()) for name in ("one", "other"))

    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in other]
    assert len(one) == 6


def test_shipped_input_is_large_enough_and_small_enough() -> None:
    people = {row["id_no"] for row in SHIPPED}

    assert len(people) >= 300
    assert sum(path.stat().st_size for path in INPUT.iterdir()) < 1_000_000


def test_a_source_sends_only_for_its_regions() -> None:
    sent = {
        (row["source"], row["region"]) for row in SHIPPED if not row["record_id"].startswith("bad")
    }

    provinces = {region.code: region.province for region in REGIONS.all}
    assert all(feed.SOURCES[provinces[region]] == source for source, region in sent)
    assert {region for _, region in sent} == set(provinces)


def test_rows_are_well_formed_but_for_those_that_are_meant_not_to_be() -> None:
    sound = [row for row in SHIPPED if not row["record_id"].startswith("bad")]

    for row in sound:
        identity.normalise("01", row["id_no"], date(2026, 3, 2))
        months.parse_ranges(row["months"])
        assert not row["employer_id"] or identity.valid_employer_id(row["employer_id"])
        assert not row["balance"] or parse_yuan(row["balance"]) >= 0
    assert len(SHIPPED) - len(sound) == 4


def test_a_number_counts_rows_of_one_source_in_the_order_of_time() -> None:
    gx = [row for row in SHIPPED if row["source"] == "gx-hrss"]

    assert [int(row["record_id"]) for row in gx] == list(range(1, len(gx) + 1))
    assert [row["occurred_at"] for row in gx] == sorted(row["occurred_at"] for row in gx)


def test_what_the_bank_is_ordered_names_records_that_start_transfers() -> None:
    orders = fates.read_orders(INPUT / "bank.csv")

    starting = {
        messages.transfer_uuid(row["source"], row["record_id"]).hex
        for row in SHIPPED
        if row["action"] in ("enroll", "apply")
    }
    assert orders.keys() <= starting
    # Of what a bank takes back from the payee tests/integration/test_taken_back.py tells.
    assert {fate.trouble for fate in orders.values()} == set(fates.TROUBLES) - {"taken-back"}


def test_what_is_amended_is_an_opening_record_that_left_by_a_transfer() -> None:
    known = {(row["source"], row["record_id"]): row for row in SHIPPED}

    found = amendments.read(INPUT / "amendments.csv")

    assert found
    for one in found:
        opening, start = known[one.record], known[one.start]
        assert (opening["action"], opening["region"]) == ("open", one.region)
        assert start["action"] in {"enroll", "apply"}
        assert opening["id_no"] == start["id_no"]
        assert parse_yuan(one.balance) < parse_yuan(opening["balance"])


def test_a_withdrawal_refers_to_the_application() -> None:
    by_id = {(row["source"], row["record_id"]): row for row in SHIPPED}

    withdrawn = [row for row in SHIPPED if row["action"] == "withdraw"]

    assert withdrawn
    for row in withdrawn:
        meant = by_id[row["source"], row["refers_to"]]
        assert (meant["action"], meant["id_no"]) == ("apply", row["id_no"])
        assert meant["occurred_at"] < row["occurred_at"]


def test_every_corridor_is_used() -> None:
    used = {(row["previous_region"], row["region"]) for row in SHIPPED if row["action"] == "enroll"}

    codes = [region.code for region in REGIONS.all]
    assert used >= {(a, b) for a in codes for b in codes if a != b}


@pytest.mark.parametrize("count", [200, 1500])
def test_the_mix_of_schemes_is_as_in_the_world(count: int) -> None:
    rows, _ = cast.play(Random(9), STAGE, count)

    anyone = Counter(
        (row.fields["previous_scheme"], row.fields["scheme"])
        for row in rows
        if row.action == "enroll" and "anyone" in row.label
    )
    assert 0.6 < anyone["310", "310"] / anyone.total() < 0.95


def test_days_are_in_order_and_a_time_that_is_none_is_sent_first() -> None:
    late = {"occurred_at": "2026-03-03T09:00:00+08:00", "source": "a"}
    soon = {"occurred_at": "2026-03-02T09:00:00+08:00", "source": "a"}
    none = {"occurred_at": "yesterday", "source": "a"}

    days = feed.by_day([late, none, soon])

    assert list(days) == [date(2026, 3, 2), date(2026, 3, 3)]
    assert days[date(2026, 3, 2)]["a"] == [soon, none]
