"""A restore that fails or is cut short, seen from outside: what is there, and who may start it."""

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from deploy.embedded import backups, moving, postgres, stack
from deploy.embedded.backups import Backup
from deploy.embedded.home import Home, StackFailed, write_json
from deploy.embedded.processes import Identity

ENDED = datetime(2026, 3, 31, 12, tzinfo=UTC)
COMMAND = "jiexu restore"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A home with data, and a backup of it."""
    monkeypatch.setattr(postgres, "give_to_server", lambda _: None)
    home = Home.at(tmp_path)
    home.postgres.mkdir()
    (home.postgres / "PG_VERSION").write_text("former")
    backed_up(home, 1)
    return home


def backed_up(home: Home, line: int) -> Backup:
    folder = home.backups / f"line-{line}" / "base-1"
    folder.mkdir(parents=True)
    (folder.parent / "wal").mkdir(exist_ok=True)
    (folder / "PG_VERSION").write_text("restored")
    ended_at = ENDED + timedelta(hours=line - 1)
    write_json(folder / "jiexu-backup.json", {"ended_at": ended_at.isoformat()})
    return Backup(folder, ended_at)


def data(home: Home) -> str:
    return (home.postgres / "PG_VERSION").read_text()


def test_after_a_restore_the_history_that_it_undid_comes_back_only_by_name(place: Home) -> None:
    first = backups.fitting(place, None)
    (place.backups / "line-2" / "wal").mkdir(parents=True)

    with pytest.raises(StackFailed, match="--to"):
        backups.fitting(place, None)

    assert backups.fitting(place, ENDED) == first
    second = backed_up(place, 2)
    assert backups.fitting(place, None) == second


def test_a_line_that_follows_a_torn_archive_undid_nothing(place: Home) -> None:
    first = backups.fitting(place, None)
    (place.backups / "line-2" / "wal").mkdir(parents=True)
    (place.backups / "line-2" / "after-a-torn-archive").touch()

    assert backups.fitting(place, None) == first

    (place.backups / "line-3" / "wal").mkdir(parents=True)  # a restore

    with pytest.raises(StackFailed, match="--to"):
        backups.fitting(place, None)


class CutShort(Exception):
    """The process ended there."""


def test_a_restore_cut_short_anywhere_is_undone_by_the_next(
    place: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = 0

    def counted(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: object, **named: object) -> object:
            nonlocal left
            left -= 1
            if left == 0:
                raise CutShort
            return real(*given, **named)

        return call

    for name in ("rename", "replace", "mkdir", "touch"):
        monkeypatch.setattr(Path, name, counted(getattr(Path, name)))
    seen = set()
    for steps in range(1, 40):
        left = steps
        try:
            backups.begin(place, COMMAND)
            backups.rewind(place, backups.fitting(place, None), None)
        except CutShort:
            pass
        else:
            assert left > 0, "the last step was reached"
            break
        finally:
            left = 0
            seen.add(data(place) if place.postgres.exists() else "none")
            if place.restoring_file.exists():
                backups.put_back(place)
            assert data(place) == "former"
            assert [line.name for line in place.backups.iterdir()] == ["line-1"]

    assert seen == {"former", "none", "restored"}


def test_nothing_starts_where_a_restore_was_cut_short(place: Home) -> None:
    backups.begin(place, "jiexu restore --to 2026-03-31T12:00:00Z")

    for starts in (
        lambda: stack.up(place.folder, report=print),
        lambda: moving.give(place, Home.at(place.folder / "other"), "450000", print),
        lambda: backups.take(place),
    ):
        with pytest.raises(StackFailed, match="--to 2026-03-31T12:00:00Z"):
            starts()


def test_up_does_not_join_a_stack_that_runs_without_services(
    place: Home,
) -> None:
    us = Identity.of(os.getpid())
    assert us is not None
    launcher = {"pid": us.pid, "started": us.started}
    write_json(place.stack_file, {"services": [], "progress": "ready", "launcher": launcher})

    with pytest.raises(StackFailed, match="enrollment"):
        stack.up(place.folder, report=print)


def test_one_restore_at_a_time(place: Home) -> None:
    with place.restores(), pytest.raises(StackFailed, match="another restore"), place.restores():
        pass

    with place.restores():
        pass


def test_the_marker_says_what_to_run_again(place: Home) -> None:
    backups.begin(place, COMMAND)

    assert json.loads(place.restoring_file.read_text("utf-8")) == {"command": COMMAND}
