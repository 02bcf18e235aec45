"""The launcher on a disk that is full."""

import errno
from pathlib import Path
from types import SimpleNamespace

import pytest

from deploy.embedded import launcher as launching
from deploy.embedded.home import Home
from deploy.embedded.launcher import Launcher


class Child:
    """It tells when it is stopped."""

    def __init__(self, name: str, stopped: list[str]) -> None:
        self.program = SimpleNamespace(name=name)
        self.stopped = stopped

    def ask_to_stop(self) -> None:
        self.stopped.append(f"{self.program.name} asked")

    def stop(self) -> None:
        self.stopped.append(self.program.name)

    def row(self) -> dict[str, str]:
        return {"name": self.program.name}


@pytest.mark.parametrize("written", [0, 1])
def test_all_is_stopped_in_order_when_nothing_can_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: int
) -> None:
    stopped: list[str] = []
    left = written

    def start(launcher: Launcher) -> None:
        names = ("postgres", "kafka", "transfer")
        launcher.children.extend(Child(name, stopped) for name in names)  # type: ignore[misc]
        launcher.stopping.set()

    def write(*_: object) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Launcher, "_start", start)
    monkeypatch.setattr(launching, "write_json", write)

    code = Launcher(Home.at(tmp_path), 1, ()).run()

    assert stopped == ["transfer asked", "transfer", "kafka", "postgres"]
    assert code == 1 - written
