"""The parts of the embedded stack that need no running server: jars, ports, identities."""

import hashlib
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.embedded import jars
from deploy.embedded.home import choose_ports
from deploy.embedded.jars import JarsUnavailable
from deploy.embedded.processes import Identity

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
