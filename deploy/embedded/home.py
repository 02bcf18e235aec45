"""JIEXU_HOME: the folder that holds one embedded stack, its ports, secrets and process ids."""

import fcntl
import json
import os
import secrets
import shutil
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

# Below the range that Linux hands out to outgoing connections (32768 and up), so that nobody
# takes a port in the moment in which its process restarts.
_LOWEST_PORT, _HIGHEST_PORT = 20_000, 31_999
_NEEDED_BYTES = 500 * 1024 * 1024
_SECRETS = ("person_key_secret", "blind_key_secret", "master_key", "content_key")
# Turns an identity number into a person's key; no other service gets it.
_ENROLLMENT_ALONE = frozenset({"person_key_secret"})
ROLES = ("clerk", "supervisor", "director")
"""Who decides, in the shipped regions' `authority` rows; a clerk proposes."""


class StackFailed(Exception):
    """The embedded stack could not be started or stopped; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Home:
    """Paths below one JIEXU_HOME."""

    folder: Path

    @classmethod
    def at(cls, folder: Path) -> "Home":
        """The home in this folder, made absolute."""
        return cls(folder.expanduser().absolute())

    @property
    def stack_file(self) -> Path:
        return self.folder / "stack.json"

    @property
    def lock_file(self) -> Path:
        return self.folder / "launcher.lock"

    @property
    def restoring_file(self) -> Path:
        """There from before a restore changes anything until the database may be used."""
        return self.folder / "restoring.json"

    @property
    def secrets_file(self) -> Path:
        return self.folder / "secrets.json"

    @property
    def other_secrets_file(self) -> Path:
        return self.folder / "secrets.others.json"

    @property
    def tokens_file(self) -> Path:
        return self.folder / "tokens.json"

    @property
    def postgres(self) -> Path:
        return self.folder / "postgres"

    @property
    def kafka(self) -> Path:
        return self.folder / "kafka"

    @property
    def backups(self) -> Path:
        return self.folder / "backups"

    @property
    def line(self) -> Path:
        """The backups of the present line of history; a restore begins another."""
        return self.backups / f"line-{max(self.lines, default=1)}"

    @property
    def next_line(self) -> Path:
        return self.backups / f"line-{max(self.lines, default=1) + 1}"

    @property
    def wal_archive(self) -> Path:
        return self.line / "wal"

    @property
    def lines(self) -> list[int]:
        return [int(line.name.removeprefix("line-")) for line in self.backups.glob("line-*")]

    @property
    def cell_file(self) -> Path:
        """Of a home whose cell uses the Kafka of another home: which cell, and whose Kafka."""
        return self.folder / "cell.json"

    @property
    def provinces_file(self) -> Path:
        """Which cell serves which province; in the home that has the Kafka."""
        return self.folder / "provinces.json"

    @property
    def joined_file(self) -> Path:
        """The homes that have joined this one's Kafka."""
        return self.folder / "joined.json"

    def log(self, name: str) -> Path:
        """Where the process of this name writes."""
        return self.folder / "logs" / f"{name}.log"

    def prepare(self) -> None:
        """Make the folders and secrets. Raises StackFailed when it cannot hold a stack."""
        try:
            (self.folder / "logs").mkdir(parents=True, exist_ok=True)
            self.folder.chmod(0o700)
            self._write_secrets()
        except OSError as error:
            raise StackFailed(
                f"cannot write {self.folder}: {error.strerror}. Name another folder in JIEXU_HOME."
            ) from error
        free = shutil.disk_usage(self.folder).free
        if free < _NEEDED_BYTES:
            raise StackFailed(
                f"only {free // 2**20} MB free on the disk of {self.folder}, "
                f"{_NEEDED_BYTES // 2**20} MB are needed. Free some, or name another JIEXU_HOME."
            )

    def _write_secrets(self) -> None:
        if not self.secrets_file.exists():
            write_json(self.secrets_file, {name: secrets.token_hex(32) for name in _SECRETS})
        keys: dict[str, str] = json.loads(self.secrets_file.read_text("utf-8"))
        others = {name: key for name, key in keys.items() if name not in _ENROLLMENT_ALONE}
        write_json(self.other_secrets_file, others)
        if not self.tokens_file.exists():
            operator = {"holder": "operator", "sources": ["*"], "regions": ["*"]}
            write_json(
                self.tokens_file,
                {
                    secrets.token_urlsafe(32): operator,
                    **{secrets.token_urlsafe(32): clerk(role, [role]) for role in ROLES},
                },
            )

    def hold(self, lock: str = "launcher.lock") -> "IO[bytes] | None":
        """Take a lock, the launcher's by default; None when another has it. Held until closed."""
        file = (self.folder / lock).open("ab")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return None
        return file

    @contextmanager
    def restores(self) -> Iterator[None]:
        """One restore at a time. Raises StackFailed."""
        self.folder.mkdir(parents=True, exist_ok=True)
        lock = self.hold("restore.lock")
        if lock is None:
            raise StackFailed(f"另一恢复正在进行 / another restore is at work in {self.folder}")
        with lock:
            yield

    def refuse_half_restored(self) -> None:
        """Raises StackFailed while a restore is at work, or after one that was cut short."""
        try:
            asked = json.loads(self.restoring_file.read_text("utf-8"))["command"]
        except FileNotFoundError:
            return
        raise StackFailed(
            f"恢复未完成：请等待，或重新运行 `{asked}` / a restore of {self.folder} is at work, "
            f"or was cut short: wait for it, or run `{asked}` again"
        )

    def read_stack(self) -> dict[str, Any] | None:
        """What the launcher last wrote; None where there never was one."""
        try:
            found: dict[str, Any] = json.loads(self.stack_file.read_text("utf-8"))
        except (FileNotFoundError, NotADirectoryError):
            return None
        return found


def clerk(name: str, roles: Sequence[str]) -> dict[str, Any]:
    """Somebody who decides, for all regions."""
    return {"holder": name, "regions": ["*"], "roles": list(roles)}


def write_json(path: Path, content: object) -> None:
    """Write it whole and for the owner's eyes only; a reader sees the old or the new, after a loss
    of power too.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(content, file, indent=2)
        file.write("\n")
        file.flush()
        os.fsync(descriptor)
    partial.replace(path)


def sync(*folders: Path) -> None:
    """What was written into them, or renamed in them, survives a loss of power under its name."""
    for folder in folders:
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def choose_ports(names: Sequence[str], remembered: dict[str, int]) -> dict[str, int]:
    """One free loopback port per name: the one of the last time if it is still free."""
    chosen: dict[str, int] = {}
    for name in names:
        port = remembered.get(name, 0)
        while port in chosen.values() or not _free(port):
            port = _LOWEST_PORT + secrets.randbelow(_HIGHEST_PORT - _LOWEST_PORT)
        chosen[name] = port
    return chosen


def _free(port: int) -> bool:
    if port == 0:
        return False
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # A connection in its last wait does not make a port taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
