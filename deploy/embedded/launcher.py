"""The launcher: one detached process per JIEXU_HOME that starts, watches and stops the stack."""

import argparse
import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deploy.embedded import backups, cells, kafka, postgres
from deploy.embedded.addresses import service_urls, stack_environment, worker_name
from deploy.embedded.home import Home, StackFailed, choose_ports, write_json
from deploy.embedded.jars import JarsUnavailable
from deploy.embedded.processes import (
    Identity,
    Program,
    die_with_parent,
    end_processes,
    last_lines,
    rotate,
)
from deploy.embedded.supervision import Child

CHECKOUT = Path(__file__).resolve().parents[2]
_RESTARTS_WHILE_STARTING = 6  # what dies more often has an error, and waiting will not mend it
ANOTHER_LAUNCHER = 3  # our exit code when somebody else holds the home
_WATCH_SECONDS = 0.1
_LOGS_SECONDS = 60.0
# A crash's recovery or a slow disk may need all of it; JIEXU_READY_SECONDS is for services.
_READY_SECONDS = {
    "postgres": 120.0,
    "kafka": 90.0,
    "service": float(os.environ.get("JIEXU_READY_SECONDS", "180")),
    "one-shot": 180.0,
}
# Run before the services, in this order, each on every start: they change only what is missing.
PREPARATIONS = ("deploy.migrations", "deploy.topics")


class Interrupted(Exception):
    """Asked to stop while still starting."""


@dataclass(slots=True)
class Launcher:
    """What is started so far, and how far the start has come."""

    home: Home
    workers: int
    services: Sequence[str]
    preparations: Sequence[str] = PREPARATIONS
    ports: dict[str, int] = field(default_factory=dict)
    children: list[Child] = field(default_factory=list)
    state: str = "starting"
    progress: str = ""
    error: str | None = None
    unwritten: bool = False
    stopping: threading.Event = field(default_factory=threading.Event)

    def run(self) -> int:
        """Start everything, watch until told to stop, stop everything."""
        try:
            self._start()
            self.state, self.progress = "ready", "ready"
            self._write()
            self._watch_until_stopped()
            self.state = "stopped"
        except Interrupted:
            self.state = "stopped"
        except (StackFailed, JarsUnavailable) as error:
            self.state, self.error = "failed", str(error)
        except Exception as error:  # noqa: BLE001, told to who waits, in full in the log; we end
            with contextlib.suppress(OSError):
                traceback.print_exc()
            self.state, self.error = "failed", f"{type(error).__name__}: {error}"
        self._stop_all()
        with contextlib.suppress(OSError):
            self._write()
        return 0 if self.state == "stopped" else 1

    def _start(self) -> None:
        before = self.home.read_stack() or {}
        # What a killed launcher may have left holds ports and locks.
        end_processes(before.get("processes", []))
        self.ports = choose_ports(self._port_names(), before.get("ports", {}))
        self._say("PostgreSQL: starting")
        database = Child(postgres.prepare(self.home))
        self._begin(database)
        # While the database recovers, Kafka's disk is formatted.
        broker = self._start_kafka() if cells.network_of(self.home) == self.home else None
        answers = lambda: asyncio.run(postgres.answers(self.home))  # noqa: E731
        self._await(database, answers, "postgres", more=backups.replay_seconds(self.home))
        asyncio.run(postgres.create_database(self.home))
        port = int(cells.kafka_of(self.home, self.ports).rpartition(":")[2] or 0)
        self._await(broker or database, lambda: kafka.answers(port), "kafka")
        for module in self.preparations:
            self._prepare_with(module)
        self._start_services()

    def _start_kafka(self) -> Child:
        port, controller = self.ports["kafka"], self.ports["kafka-controller"]
        broker = Child(kafka.prepare(self.home, port, controller, self._say), port=port)
        self._say("Kafka: starting")
        self._begin(broker)
        return broker

    def _clients(self) -> list[Child]:
        """All but the database and Kafka."""
        return [c for c in self.children if c.program.name not in ("postgres", "kafka")]

    def _start_services(self) -> None:
        for name in self.services:
            for worker in range(self.workers):
                self._begin(self._service(name, worker))
        # One bound for all of them: they start at the same time.
        since = time.monotonic()
        for child in self._clients():
            self._say(f"{child.program.name}: waiting until it is ready")
            self._await(child, child.ready, "service", since)

    def _service(self, name: str, worker: int) -> Child:
        label = worker_name(name, worker)
        port = self.ports[label]
        keys = self.home.secrets_file if name == "enrollment" else self.home.other_secrets_file
        special = {
            "JIEXU_HTTP_PORT": str(port),
            "JIEXU_WORKER": str(worker),
            "JIEXU_WORKERS": str(self.workers),
            "JIEXU_SECRETS": str(keys),
        }
        program = Program(
            name=label,
            command=[sys.executable, "-m", "services.serve", name, "--worker", str(worker)],
            log=self.home.log(label),
            folder=CHECKOUT,
            environment={**os.environ, **self.environment(), **special},
        )
        return Child(program, port=port)

    def environment(self) -> dict[str, str]:
        """What every service is told about the stack."""
        return stack_environment(self.home, self.ports)

    def _port_names(self) -> list[str]:
        labels = [worker_name(name, w) for name in self.services for w in range(self.workers)]
        return ["kafka", "kafka-controller", *labels]

    def _begin(self, child: Child) -> None:
        child.start()
        self.children.append(child)
        self._write()

    def _await(
        self, child: Child, ready: Callable[[], bool], kind: str, since: float = 0, more: float = 0
    ) -> None:
        """Wait until it is ready; a child that dies meanwhile is started again."""
        bound = _READY_SECONDS[kind] + more
        deadline = (since or time.monotonic()) + bound
        while not ready():
            if time.monotonic() > deadline or child.restarts > _RESTARTS_WHILE_STARTING:
                raise StackFailed(
                    f"{child.program.name} was not ready within {bound:.0f} s "
                    f"({child.restarts} restarts; load {os.getloadavg()[0]:.1f} on "
                    f"{os.cpu_count()} cores). On a busy machine give the services more in "
                    f"JIEXU_READY_SECONDS. The end of {child.program.log}:\n"
                    f"{last_lines(child.program.log)}"
                )
            self._pause()
            self._revive()

    def _prepare_with(self, module: str) -> None:
        self._say(f"{module}: running")
        log = self.home.log(module.rpartition(".")[2])
        rotate(log)
        with log.open("ab") as output:
            done = subprocess.Popen(
                [sys.executable, "-m", module],
                cwd=CHECKOUT,
                env={**os.environ, **self.environment()},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                preexec_fn=die_with_parent(signal.SIGKILL),
            )
        deadline = time.monotonic() + _READY_SECONDS["one-shot"]
        try:
            while done.poll() is None and time.monotonic() < deadline:
                self._pause()
                self._revive()
        finally:
            done.kill()
            done.wait()
        if done.returncode != 0:
            raise StackFailed(f"{module} failed. The end of {log}:\n{last_lines(log)}")

    def _watch_until_stopped(self) -> None:
        logs_at = time.monotonic() + _LOGS_SECONDS
        while not self.stopping.wait(_WATCH_SECONDS):
            # A full disk takes neither a log nor our own file, nor a word of why. It passes, and
            # what died of it must be started again then.
            with contextlib.suppress(OSError):
                self._revive()
                self._archive()
                if time.monotonic() > logs_at:
                    logs_at = time.monotonic() + _LOGS_SECONDS
                    for child in self.children:
                        rotate(child.program.log)

    def _archive(self) -> None:
        """Archive the database's log from the first backup on."""
        known = any(child.program.name == postgres.ARCHIVER for child in self.children)
        wanted = not known and self.home.wal_archive.is_dir()
        if wanted and asyncio.run(backups.keeps_slot(self.home)):
            self._begin(Child(postgres.archiver(self.home)))

    def _revive(self) -> None:
        for child in self.children:
            self.unwritten |= child.revive()
        if self.unwritten:
            self._write()
            self.unwritten = False

    def _pause(self) -> None:
        if self.stopping.wait(_WATCH_SECONDS):
            raise Interrupted

    def _stop_all(self) -> None:
        """Services together, then Kafka, then the database: each outlives who needs it."""
        clients = self._clients()
        for child in clients:
            child.ask_to_stop()
        engines = self.children[: len(self.children) - len(clients)]
        for child in [*clients, *reversed(engines)]:
            with contextlib.suppress(
                OSError
            ):  # a full disk takes no word, and we stop all the same
                self._say(f"{child.program.name}: stopping")
            child.stop()
        postgres.remove_socket_folder(self.home)

    def _say(self, progress: str) -> None:
        self.progress = progress
        print(progress, flush=True)  # noqa: T201, our output is the launcher's log
        self._write()

    def _write(self) -> None:
        launcher = Identity.of(os.getpid())
        assert launcher is not None
        content: dict[str, Any] = {
            "state": self.state,
            "progress": self.progress,
            "error": self.error,
            "launcher": {"pid": launcher.pid, "started": launcher.started},
            "workers": self.workers,
            "services": list(self.services),
            "ports": self.ports,
            "database": postgres.dsn(self.home),
            "kafka": cells.kafka_of(self.home, self.ports),
            "urls": service_urls(self.ports),
            "processes": [child.row() for child in self.children],
        }
        write_json(self.home.stack_file, content)


def main() -> int:
    """``python -m deploy.embedded.launcher HOME [--workers N] [--services a,b]``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("home", type=Path)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--services", default="")
    parser.add_argument("--bare", action="store_true", help="without migrations and topics")
    parser.add_argument("--lock", type=int, help="the home's lock, already held")
    arguments = parser.parse_args()
    home = Home.at(arguments.home)
    lock = home.hold() if arguments.lock is None else os.fdopen(arguments.lock, "ab")
    if lock is None:
        print(f"another launcher runs on {home.folder}", file=sys.stderr)  # noqa: T201
        return ANOTHER_LAUNCHER
    services = [name for name in arguments.services.split(",") if name]
    preparations = () if arguments.bare else PREPARATIONS
    launcher = Launcher(home, arguments.workers, services, preparations)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: launcher.stopping.set())
    with lock:
        return launcher.run()


if __name__ == "__main__":
    sys.exit(main())
