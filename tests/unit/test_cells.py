"""Cells and generations: where a message to a region goes."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy.embedded import cells as network
from deploy.embedded import moving
from deploy.embedded.home import Home, StackFailed
from deploy.topics import manifest
from services.monitor.cli import app
from shared import regions
from shared.cells import NOWHERE, Cells, generation_of, stream_of

FOLDER = Path(regions.__file__).parent.parent / "deploy" / "regions"


def cells(own: str, generations: dict[str, int]) -> Cells:
    return Cells(own, regions.load(FOLDER, {"450000": "south"}).cell, generations)


def test_a_message_goes_to_the_cell_of_its_province() -> None:
    first = cells("cn", {})

    assert first.prefix_of("450100") == "south"
    assert first.prefix_of("410100") == "cn"
    assert cells("south", {}).prefix_of("410100") == "cn"


def test_a_message_to_nowhere_stays_in_the_cell_of_its_sender() -> None:
    assert cells("south", {"south": 2}).prefix_of(NOWHERE) == "south.g2"


def test_each_cell_has_a_generation_of_its_own() -> None:
    second = cells("south", {"south": 3})

    assert (second.prefix, second.prefix_of("410100")) == ("south.g3", "cn")


@pytest.mark.parametrize(
    ("topic", "place"),
    [
        ("cn.transfer.events", ("cn", "transfer.events")),
        ("south.g12.monitor.commands", ("south", "monitor.commands")),
        ("upstream.answers", None),
        ("upstream.registrations", None),
    ],
)
def test_the_stream_of_a_topic_is_the_same_in_every_generation(
    topic: str, place: tuple[str, str] | None
) -> None:
    assert stream_of(topic) == place


def test_the_generation_of_a_topic_is_known_for_its_own_cell_alone() -> None:
    assert generation_of("cn.transfer.events", "cn") == 1
    assert generation_of("cn.g12.transfer.events", "cn") == 12
    assert generation_of("south.g12.transfer.events", "cn") == 0
    assert generation_of("upstream.answers", "cn") == 0


def test_the_manifest_has_the_newest_generation_of_each_cell_and_one_upstream() -> None:
    names = manifest("south,cn", {"south": 2})

    assert "south.g2.transfer.events" in names
    assert "south.transfer.events" not in names
    assert "cn.transfer.events" in names
    assert names.count("upstream.registrations") == 1


def test_a_cell_serves_its_own_provinces_and_the_first_cell_the_rest() -> None:
    first = regions.load(FOLDER, {"450000": "south"})
    south = regions.load(FOLDER, {"450000": "south"}, "south")

    assert (first.here("450100"), first.here("410100"), first.here("")) == (False, True, True)
    assert (south.here("450100"), south.here("410100"), south.here("")) == (True, False, False)


def joined(folder: Path) -> tuple[Home, Home, Home]:
    """The first cell, which has been started, and two that have joined it and never were."""
    first, south, east = (Home.at(folder / name) for name in ("first", "south", "east"))
    first.prepare()
    first.stack_file.write_text('{"launcher": {"pid": 1, "started": 0}}')
    network.join(south, first, "south")
    network.join(east, first, "east")
    return first, south, east


def test_the_first_cell_knows_who_has_joined_it(tmp_path: Path) -> None:
    first, south, east = joined(tmp_path)
    network.join(south, first, "south")
    assert network.joined(first) == [east, south]

    east.cell_file.unlink()

    assert network.joined(first) == [south]


def test_a_home_under_two_names_is_one_home(tmp_path: Path) -> None:
    first, south, east = joined(tmp_path)
    (tmp_path / "link").symlink_to(south.folder)
    network.join(Home.at(tmp_path / "link"), first, "south")

    assert network.joined(first) == [east, south]


def test_no_province_moves_while_a_third_cell_runs_by_the_old_map(tmp_path: Path) -> None:
    first, south, east = joined(tmp_path)
    launcher = east.hold()
    assert launcher is not None

    with launcher, pytest.raises(StackFailed, match=str(east.folder)):
        moving.give(first, south, "450000", print)

    assert network.provinces(first) == {}


def test_a_province_without_its_rows_is_given_from_no_home_once_the_first_cell_was_started(
    tmp_path: Path,
) -> None:
    for home in joined(tmp_path):
        environment = {"JIEXU_HOME": str(home.folder)}
        told = CliRunner().invoke(app, ["cells", "450000", "south", "--json"], env=environment)

        assert (told.exit_code, json.loads(told.stdout)["code"]) == (1, "not_assigned")
        assert network.provinces(home) == {}


def test_a_map_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(StackFailed, match="cannot write"):
        network.assign(Home.at(tmp_path / "file"), {"450000": "south"})
