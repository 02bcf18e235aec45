"""What others ask of an embedded stack: up, down, status, find."""

import argparse
import asyncio
import functools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from deploy.embedded import backups, kafka, postgres
from deploy.embedded.addresses import stack_environment
from deploy.embedded.home import Home, StackFailed
from deploy.embedded.launcher import CHECKOUT
from deploy.embedded.processes import Identity, end_processes, last_lines
from deploy.embedded.supervision import answers_ready

SERVICES = ("enrollment", "transfer", "settlement", "notification", "monitor")
_UP_SECONDS = 800.0  # above the sum of the launcher's own bounds, which say more
_DOWN_SECONDS = 90.0
_HOLDER_SECONDS = 10.0
_LOOK_SECONDS = 0.1

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Stack:
    """A running stack, as a client needs it."""

    home: Path
    database: str
    kafka: str
    urls: Mapping[str, str]
    ports: Mapping[str, int]
    state: str

    def environment(self) -> dict[str, str]:
        """The settings (``JIEXU_…``) of a process that is to use this stack."""
        return stack_environment(Home(self.home), self.ports)


def up(
    home: Path,
    *,
    workers: int | None = None,
    services: Sequence[str] = SERVICES,
    bare: bool = False,
    report: Report,
) -> Stack:
    """Start the stack of this home, or join the one that runs; returns when it is ready.

    ``workers`` is per service, ``JIEXU_WORKERS`` by default; ``bare`` leaves the database without
    tables and the broker without topics. Raises StackFailed.
    """
    place = Home.at(home)
    count = workers if workers is not None else int(os.environ.get("JIEXU_WORKERS", "1"))
    lock = None
    if _launcher(place.read_stack()) is None:
        place.prepare()
        lock = place.hold()
    if lock is None:
        return _join(place, services, report)
    with lock:
        # Under the lock: a restore that begins later waits for our launcher, and stops it.
        if services:
            place.refuse_half_restored()
        process = _launch(place, count, services, lock, bare=bare)
    identity = Identity.of(process.pid)
    assert identity is not None, "a child that is not waited for keeps its number"
    return _await_ready(place, identity, process, report)


def _join(place: Home, services: Sequence[str], report: Report) -> Stack:
    """Wait for the launcher that was quicker than ours; it has to run what is asked for."""
    running = _holder(place, report)
    if running is None:
        raise StackFailed(f"another launcher held {place.lock_file} and is gone; try again")
    report(f"already started, process {running.pid}")
    missing = set(services) - set((place.read_stack() or {}).get("services", services))
    if missing:
        place.refuse_half_restored()
        raise StackFailed(
            f"已运行的进程中没有 / what runs in {place.folder} is without "
            f"{', '.join(sorted(missing))}: `jiexu down`, then `jiexu up`"
        )
    return _await_ready(place, running, None, report)


def _holder(place: Home, report: Report) -> Identity | None:
    """The launcher that has the lock, which may not have said so yet; None when none has it."""

    def settled() -> bool:
        return _launcher(place.read_stack()) is not None or not _held(place)

    _follow(place, settled, _HOLDER_SECONDS, report)
    found = _launcher(place.read_stack())
    if found is None and _held(place):
        raise StackFailed(f"another launcher holds {place.lock_file} and says nothing; try again")
    return found


def _held(place: Home) -> bool:
    if not place.lock_file.exists():
        return False
    lock = place.hold()
    if lock is not None:
        lock.close()
    return lock is None


def down(home: Path, report: Report) -> None:
    """Stop the stack of this home; returns when none of its processes is left."""
    place = Home.at(home)
    launcher = _holder(place, report)
    if launcher is not None:
        launcher.send(signal.SIGTERM)
        _follow(place, lambda: not launcher.alive(), _DOWN_SECONDS, report)
        if launcher.alive():
            report(f"the launcher did not end within {_DOWN_SECONDS:.0f} s and is killed")
            launcher.send(signal.SIGKILL)
            launcher.gone_within(5.0)
    left = place.read_stack()
    end_processes(left["processes"] if left else [])
    report("stopped" if left else "nothing was started here")


def status(home: Path) -> dict[str, Any]:
    """The health of everything, probed now: state, processes, addresses."""
    place = Home.at(home)
    content = place.read_stack()
    if content is None:
        return {"state": "absent", "home": str(place.folder), "processes": [], "urls": {}}
    running = _launcher(content) is not None
    processes = [_process_row(place, row) for row in content["processes"]]
    return {
        "state": _state(content["state"], running=running, processes=processes),
        "error": content["error"],
        "home": str(place.folder),
        "database": content["database"],
        "kafka": content["kafka"],
        "urls": content["urls"],
        "processes": processes,
    }


def find(home: Path) -> Stack | None:
    """The stack that runs on this home; None when none does."""
    place = Home.at(home)
    content = place.read_stack()
    if content is None or _launcher(content) is None:
        return None
    return _stack(place, content)


def _state(written: str, *, running: bool, processes: list[dict[str, Any]]) -> str:
    if not running:
        # A launcher that wrote none of these last was killed.
        return written if written in ("stopped", "failed") else "crashed"
    if written == "ready" and not all(row["ready"] for row in processes):
        return "degraded"
    return written


def _process_row(place: Home, row: Mapping[str, Any]) -> dict[str, Any]:
    alive = row["pid"] is not None and Identity(row["pid"], row["started"]).alive()
    return {
        "name": row["name"],
        "pid": row["pid"],
        "alive": alive,
        "restarts": row["restarts"],
        "ready": alive and _ready(place, row["name"], row["port"]),
        "log": row["log"],
    }


def _ready(place: Home, name: str, port: int) -> bool:
    if name == "postgres":
        return asyncio.run(postgres.answers(place))
    if name == "kafka":
        return kafka.answers(port)
    if name == postgres.ARCHIVER:
        return True  # it runs, and fetches again what it missed
    return answers_ready(port)


def _launcher(content: Mapping[str, Any] | None) -> Identity | None:
    """The launcher that wrote this, if it still runs."""
    if content is None:
        return None
    identity = Identity(content["launcher"]["pid"], content["launcher"]["started"])
    return identity if identity.alive() else None


def _launch(
    place: Home, workers: int, services: Sequence[str], lock: IO[bytes], *, bare: bool
) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "deploy.embedded.launcher", str(place.folder)]
    command += ["--workers", str(workers), "--services", ",".join(services)]
    command += ["--lock", str(lock.fileno())]
    command += ["--bare"] if bare else []
    with place.log("launcher").open("ab") as log:
        return subprocess.Popen(
            command,
            cwd=CHECKOUT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=[lock.fileno()],
        )


def _await_ready(
    place: Home,
    launcher: Identity,
    process: "subprocess.Popen[bytes] | None",
    report: Report,
) -> Stack:
    def settled() -> bool:
        if process is not None and process.poll() is not None:
            return True  # collected, or it would stay a zombie for as long as we live
        return _written_by(place, launcher).get("state") == "ready" or not launcher.alive()

    seconds = _UP_SECONDS + backups.replay_seconds(place)
    _follow(place, settled, seconds, report)
    content = _written_by(place, launcher)
    if content.get("state") == "ready" and launcher.alive():
        return _stack(place, content)
    if launcher.alive():
        raise StackFailed(f"not ready within {seconds:.0f} s, at: {content.get('progress')}")
    log = place.log("launcher")
    raise StackFailed(content.get("error") or f"the launcher ended:\n{last_lines(log)}")


def _written_by(place: Home, launcher: Identity) -> dict[str, Any]:
    """stack.json if this launcher wrote it, so that a former one's is not taken for it."""
    content = place.read_stack() or {}
    return content if content.get("launcher", {}).get("pid") == launcher.pid else {}


def _follow(place: Home, done: Callable[[], bool], seconds: float, report: Report) -> None:
    """Report the launcher's progress until something is so, or the time is over."""
    deadline = time.monotonic() + seconds
    told = (place.read_stack() or {}).get("progress")
    while not done() and time.monotonic() < deadline:
        progress = (place.read_stack() or {}).get("progress")
        if progress and progress != told:
            told = progress
            report(progress)
        time.sleep(_LOOK_SECONDS)


def _stack(place: Home, content: Mapping[str, Any]) -> Stack:
    return Stack(
        home=place.folder,
        database=content["database"],
        kafka=content["kafka"],
        urls=content["urls"],
        ports=content["ports"],
        state=content["state"],
    )


def main() -> int:
    """``python -m deploy.embedded.stack up|down|status HOME``, as the command line does it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("act", choices=["up", "down", "status"])
    parser.add_argument("home", type=Path)
    parser.add_argument("--services", default=",".join(SERVICES))
    parser.add_argument("--bare", action="store_true", help="without migrations and topics")
    arguments = parser.parse_args()
    services = [name for name in arguments.services.split(",") if name]
    report = functools.partial(print, flush=True)
    try:
        if arguments.act == "up":
            up(arguments.home, services=services, bare=arguments.bare, report=report)
        elif arguments.act == "down":
            down(arguments.home, report)
        else:
            report(json.dumps(status(arguments.home), indent=2))
    except StackFailed as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
