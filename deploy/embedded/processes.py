"""Processes of the embedded stack: who they are, how they start, and that none outlives us."""

import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

_LIBC = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG = 1
# The kernel's start time has ticks; the wall clock it is added to may be corrected by a second.
_SAME_START_SECONDS = 2.0
_POLL_SECONDS = 0.05
_LOG_LIMIT_BYTES = 50 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Identity:
    """A process by number *and* start time: a number alone may be another process's by now."""

    pid: int
    started: float

    @classmethod
    def of(cls, pid: int) -> "Identity | None":
        """The process that has this number now."""
        try:
            return cls(pid, psutil.Process(pid).create_time())
        except psutil.NoSuchProcess:
            return None

    def alive(self) -> bool:
        """It still runs; a zombie does not."""
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.started) < _SAME_START_SECONDS
            return same and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False

    def send(self, number: signal.Signals) -> None:
        """Signal it, unless it has ended."""
        if self.alive():
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:
                return

    def gone_within(self, seconds: float) -> bool:
        """Wait for its end; False when it still runs then."""
        deadline = time.monotonic() + seconds
        while self.alive():
            if time.monotonic() > deadline:
                return False
            time.sleep(_POLL_SECONDS)
        return True


@dataclass(frozen=True, slots=True)
class Account:
    """The system user that a process runs as; without numbers whoever starts it."""

    name: str
    uid: int | None = None
    gid: int | None = None

    @property
    def groups(self) -> list[int] | None:
        """None besides its own; unchanged for ourselves."""
        return None if self.uid is None else []


OURSELVES = Account("ourselves")


@dataclass(frozen=True, slots=True)
class Program:
    """What to start and how to stop it."""

    name: str
    command: Sequence[str]
    log: Path
    folder: Path
    environment: Mapping[str, str]
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = 20.0
    # Sent by the kernel when the launcher is killed. A killed launcher is a crash, and what can
    # be refused or delayed would leave an orphan beside the next stack.
    orphan_signal: signal.Signals = signal.SIGKILL
    account: Account = OURSELVES


def start(program: Program) -> "subprocess.Popen[bytes]":
    """Start it as our child. Only from the main thread: the kernel ends it with that thread."""
    rotate(program.log)
    with program.log.open("ab") as log:
        return subprocess.Popen(
            list(program.command),
            cwd=program.folder,
            env=dict(program.environment),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            preexec_fn=die_with_parent(program.orphan_signal),
            user=program.account.uid,
            group=program.account.gid,
            extra_groups=program.account.groups,
        )


def die_with_parent(number: signal.Signals) -> Callable[[], None]:
    """What a child runs before exec so that the kernel signals it when its parent ends."""
    parent = os.getpid()

    def before_exec() -> None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)
        if os.getppid() != parent:  # it ended before the line above
            os._exit(1)

    return before_exec


def end(process: "subprocess.Popen[bytes]", seconds: float) -> bool:
    """Wait for a process that was asked to stop, then kill it; False when that was needed."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return False
    return True


def end_processes(rows: Sequence[Mapping[str, Any]]) -> None:
    """Kill the processes of these rows of stack.json that still run, and wait until they end."""
    left = [Identity(row["pid"], row["started"]) for row in rows if row["pid"]]
    for identity in left:
        # For PostgreSQL an orderly crash: it ends its own children too.
        identity.send(signal.SIGQUIT)
    for identity in left:
        if not identity.gone_within(5.0):
            identity.send(signal.SIGKILL)
            identity.gone_within(5.0)


def rotate(log: Path) -> None:
    """Keep a log and one before it. Copied and cut, since its writer holds it open for append."""
    if not log.exists() or log.stat().st_size <= _LOG_LIMIT_BYTES:
        return
    log.with_name(log.name + ".1").write_bytes(log.read_bytes())
    os.truncate(log, 0)


def last_lines(log: Path, count: int = 15) -> str:
    """The end of a log, indented, for a message to a person."""
    if not log.exists():
        return f"    ({log} was never written)"
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 16_384))
        text = file.read().decode("utf-8", "replace")
    return "\n".join(f"    {line}" for line in text.splitlines()[-count:]) or "    (nothing)"
