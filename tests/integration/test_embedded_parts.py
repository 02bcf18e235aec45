"""The parts of the embedded stack that need no running server: jars, ports, identities."""

import hashlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.embedded import jars
from deploy.embedded.home import choose_ports
from deploy.embedded.jars import JarsUnavailable
from deploy.embedded.processes import Identity, Program
from deploy.embedded.supervision import Child

COORDINATE = "org.example:tried:1.0"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache into which one jar of a lock of one line has been downloaded."""
    monkeypatch.setenv("JIEXU_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(jars, "LOCK", tmp_path / "lock")
    (tmp_path / "lock").write_text(f"{hashlib.sha256(b'true').hexdigest()}  {COORDINATE}\n")
    return tmp_path / "cache"


def download(cache: Path, content: bytes) -> Path:
    """Put it where the resolver keeps what it has fetched."""
    path = cache / "maven" / "org" / "example" / "tried" / "1.0" / "tried-1.0.jar"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    return path


def test_a_jar_with_the_locked_checksum_is_taken(cache: Path) -> None:
    download(cache, b"true")

    (path,) = jars.ensure_jars(print)

    assert path.read_bytes() == b"true"


def test_a_jar_with_another_checksum_is_refused_and_not_kept(cache: Path) -> None:
    downloaded = download(cache, b"false")

    with pytest.raises(JarsUnavailable, match=COORDINATE):
        jars.ensure_jars(print)

    assert not downloaded.exists()
    assert list((cache / "kafka").iterdir()) == []


def test_a_jar_that_was_damaged_in_the_cache_is_fetched_again(cache: Path) -> None:
    download(cache, b"true")
    (cache / "kafka").mkdir()
    (cache / "kafka" / "tried-1.0.jar").write_bytes(b"tru")

    (path,) = jars.ensure_jars(print)

    assert path.read_bytes() == b"true"


def test_a_free_port_is_remembered_and_a_taken_one_replaced() -> None:
    first = choose_ports(["kafka", "transfer"], {})
    with socket.socket() as other:
        other.bind(("127.0.0.1", first["kafka"]))
        other.listen()

        second = choose_ports(["kafka", "transfer"], first)

    assert second["transfer"] == first["transfer"]
    assert second["kafka"] != first["kafka"]


def test_names_never_share_a_port() -> None:
    ports = choose_ports(["a", "b", "c"], {"a": 20_001, "b": 20_001, "c": 20_001})

    assert len(set(ports.values())) == 3


def test_a_process_with_the_same_number_and_another_start_is_not_the_same() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        identity = Identity.of(process.pid)
        assert identity is not None

        assert identity.alive()
        assert not Identity(identity.pid, identity.started - 60).alive()
        process.communicate()

    assert not identity.alive()


def child(folder: Path, program: str, stop_seconds: float = 20.0) -> Child:
    """A supervised Python program that has written its first line."""
    made = Child(
        Program(
            name="tried",
            command=[sys.executable, "-c", program],
            log=folder / "tried.log",
            folder=folder,
            environment=dict(os.environ),
            stop_seconds=stop_seconds,
        )
    )
    made.start()
    until(lambda: "ready" in made.program.log.read_text("utf-8"), "the program's first line")
    return made


def until(fact: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 20
    while not fact():
        assert time.monotonic() < deadline, f"waited for: {what}"
        threading.Event().wait(0.02)


WAITING = "import signal; print('ready', flush=True); signal.pause()"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + WAITING


def test_a_child_that_dies_is_started_again_and_counted(tmp_path: Path) -> None:
    tried = child(tmp_path, WAITING)
    before = tried.identity
    assert before is not None

    os.kill(before.pid, signal.SIGKILL)
    until(lambda: tried.revive() and tried.restarts == 1, "the child started again")

    assert tried.identity is not None
    assert tried.identity != before
    assert tried.identity.alive()
    tried.stop()


def test_a_child_that_lives_is_left_alone(tmp_path: Path) -> None:
    tried = child(tmp_path, WAITING)

    assert not tried.revive()

    assert tried.restarts == 0
    tried.stop()


def test_a_child_that_obeys_is_stopped_calmly(tmp_path: Path) -> None:
    tried = child(tmp_path, WAITING)
    identity = tried.identity
    assert identity is not None

    assert tried.stop()

    assert not identity.alive()


def test_a_child_that_ignores_the_signal_is_killed_after_its_bound(tmp_path: Path) -> None:
    tried = child(tmp_path, STUBBORN, stop_seconds=0.1)
    identity = tried.identity
    assert identity is not None

    assert not tried.stop()

    assert not identity.alive()
