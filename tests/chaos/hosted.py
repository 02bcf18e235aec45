"""A stack whose services are ours: PostgreSQL and Kafka as the product starts them, the services
forked by `tests.chaos.host`, so that one of them can be told where to end.
"""

import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deploy.embedded.addresses import stack_environment
from deploy.embedded.home import Home, choose_ports
from deploy.embedded.stack import SERVICES
from deploy.sandbox import own_stack
from services.monitor.commands.client import Client
from tests.chaos import crash
from tests.chaos.points import ROOT

_LOOK_SECONDS = 0.02


@dataclass(slots=True)
class Hosted:
    """Five services as children of one host, each started again when it ends."""

    home: Home
    environment: dict[str, str]
    ports: dict[str, int]
    database: str
    kafka: str
    host: "subprocess.Popen[str]"
    control: str | None = None
    pids: dict[str, int] = field(default_factory=dict)
    exits: dict[str, list[int]] = field(default_factory=dict)
    runs: int = 0
    """How many were played here: each has people of its own."""
    _talking: threading.Lock = field(default_factory=threading.Lock)
    _over: threading.Event = field(default_factory=threading.Event)

    @property
    def urls(self) -> dict[str, str]:
        return {name: f"http://127.0.0.1:{port}" for name, port in self.ports.items()}

    def client(self) -> Client:
        tokens = json.loads(self.home.tokens_file.read_text("utf-8"))
        return Client(self.urls, next(iter(tokens)))

    def _ask(self, order: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON
        assert self.host.stdin
        assert self.host.stdout
        self.host.stdin.write(json.dumps(order) + "\n")
        self.host.stdin.flush()
        answer = self.host.stdout.readline()
        assert answer, "the host has ended: see host.log"
        return json.loads(answer)

    def counters(self, service: str) -> Path:
        return self.home.folder / f"{service}.hits"

    def _start(self, service: str, plan: crash.Plan | None) -> None:
        keys = self.home.secrets_file if service == "enrollment" else self.home.other_secrets_file
        own = {"JIEXU_HTTP_PORT": str(self.ports[service]), "JIEXU_SECRETS": str(keys)}
        order = {
            "service": service,
            "environment": {**self.environment, **own},
            "log": str(self.home.log(service)),
            "hits": str(self.counters(service)),
            "plan": [plan.point, plan.side, plan.hit] if plan else None,
            "control": self.control,
        }
        self.pids[service] = self._ask({"start": order})

    def start_all(self) -> None:
        with self._talking:
            for service in SERVICES:
                self._start(service, None)

    def kill(self, service: str) -> None:
        """Ends it with SIGKILL; it stays down until it is armed."""
        with self._talking:
            pid = self.pids.pop(service)
            self._ask({"kill": pid})

    def arm(self, service: str, plan: crash.Plan | None) -> None:
        """Starts a service that is down, to end as planned and to be started again plainly."""
        with self._talking:
            self.exits[service] = []
            self._start(service, plan)

    def watch(self) -> None:
        """Starts again what has ended, until the stack stops."""
        while not self._over.wait(_LOOK_SECONDS):
            with self._talking:
                for service, pid in list(self.pids.items()):
                    code = self._ask({"ended": pid})
                    if code is not None:
                        self.exits.setdefault(service, []).append(code)
                        self._keep_hits(service)
                        self._start(service, None)

    def _keep_hits(self, service: str) -> None:
        """The counters of the process that ended, for the next one begins anew."""
        self.counters(service).replace(self.counters(service).with_suffix(".ended"))

    def hits(self, service: str, *, ended: bool) -> dict[tuple[int, crash.Side], int]:
        """How often the points were reached, by the process that runs or by the one before it."""
        file = self.counters(service)
        return crash.hits(file.with_suffix(".ended") if ended else file)

    def stop(self) -> None:
        self._over.set()
        with self._talking:
            for pid in self.pids.values():
                self._ask({"kill": pid})
            self.pids.clear()


@contextmanager
def running(tell: Callable[[str], None], control: str | None = None) -> Iterator[Hosted]:
    """A stack with its services up; nothing of it is left behind."""
    folder = Path(tempfile.mkdtemp(prefix="jiexu-chaos-"))
    with ExitStack() as stack:
        bare = stack.enter_context(own_stack.started(folder, tell, services=()))
        home = Home(folder)
        ports = choose_ports(SERVICES, {})
        with home.log("host").open("ab") as log:
            host = subprocess.Popen(
                [sys.executable, "-m", "tests.chaos.host"],
                cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True,
                start_new_session=True,  # what ends us is not to end it before us
            )  # fmt: skip
        stack.callback(host.wait)
        stack.callback(host.terminate)
        assert host.stdout
        assert host.stdout.readline(), f"the host did not start: {home.log('host').read_text()}"
        environment = stack_environment(home, {**bare.ports, **ports})
        hosted = Hosted(home, environment, ports, bare.database, bare.kafka, host, control)
        hosted.start_all()
        watcher = threading.Thread(target=hosted.watch)
        watcher.start()
        stack.callback(watcher.join)
        stack.callback(hosted.stop)
        tell("services: forked")
        yield hosted


def until(what: Callable[[], bool], seconds: float, told: Callable[[], str]) -> None:
    """Waits until something is so. Raises TimeoutError with what is told then."""
    deadline = time.monotonic() + seconds
    while not what():
        if time.monotonic() > deadline:
            raise TimeoutError(told())
        time.sleep(_LOOK_SECONDS)
