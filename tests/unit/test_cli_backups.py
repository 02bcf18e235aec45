"""What `jiexu restore` says where the services do not start, and where nothing was restored."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from deploy.embedded import stack
from deploy.embedded.home import StackFailed
from services.monitor.cli import app
from services.monitor.commands import backups

DOCUMENT = {
    "generation": 2,
    "republished": {"transfer": 3},
    "upstream_gone": [{"lane": "upstream.registrations/0", "from": 7, "records": 512}],
    "payments_held": [],
    "sweeps_given_out": [
        {
            "run": "450100-202603-S",
            "region": "450100",
            "month": "2026-03",
            "amount": "7.00",
            "given_out_at": "2026-04-01T09:00:00+08:00",
        }
    ],
    "statements_to_read_again": [
        {"account": "4101", "kind": "camt.053", "statement": "S-7", "closed_on": None, "page": 1}
    ],
    "reached": None,
    "former_data": None,
}


def not_ready(*_: object, **__: object) -> None:
    raise StackFailed("settlement was not ready")


def restored(home: Path, *words: str) -> Result:
    return CliRunner().invoke(app, ["restore", *words], env={"JIEXU_HOME": str(home)})


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_what_is_left_to_do_is_told_although_the_services_are_not_ready(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.setattr(backups, "_restore", lambda *_, **__: DOCUMENT)
    monkeypatch.setattr(stack, "up", not_ready)

    result = restored(tmp_path, *words)

    assert result.exit_code == 1
    assert "S-7" in result.stdout
    assert "512" in result.stdout
    assert "450100-202603-S" in result.stdout
    if words:
        assert json.loads(result.stdout) == DOCUMENT
    assert "not_restored" not in result.output
    assert "it is restored" in result.output


def test_what_is_left_to_do_is_kept_from_before_the_restore_is_complete(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Bare:
        @staticmethod
        def environment() -> dict[str, str]:
            return {}

    def up(*_: object, services: tuple[str, ...] | None = None, **__: object) -> type[Bare]:
        if services != ():
            not_ready()
        return Bare

    monkeypatch.setattr(stack, "up", up)
    monkeypatch.setattr(backups, "_recovered", lambda *_, **__: DOCUMENT)

    result = restored(tmp_path, "--kafka-lost", "--json")

    assert result.exit_code == 1
    assert json.loads((tmp_path / "restored.json").read_text("utf-8")) == DOCUMENT
    assert not (tmp_path / "restoring.json").exists()


def test_nothing_is_told_of_a_restore_that_could_not_be(tmp_path: Path) -> None:
    result = restored(tmp_path, "--json")

    assert result.exit_code == 1
    assert json.loads(result.stdout)["code"] == "not_restored"
