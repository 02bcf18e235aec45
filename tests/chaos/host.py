"""`python -m tests.chaos.host`: holds every service imported, and forks one when asked to.

A service is up in a tenth of a second and not in three, which is what makes a matrix of hundreds
of crashes possible. Orders come in as lines of JSON and are answered in turn; our end is theirs.
"""

import json
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.chaos import points

# Before anything of the product is imported: afterwards it would be too late for points.
points.install()

import uvloop  # noqa: E402

from deploy.embedded.processes import die_with_parent  # noqa: E402
from services.enrollment import app as enrollment  # noqa: E402
from services.monitor import app as monitor  # noqa: E402
from services.notification import app as notification  # noqa: E402
from services.settlement import app as settlement  # noqa: E402
from services.transfer import app as transfer  # noqa: E402
from shared.chassis import Process  # noqa: E402
from shared.settings import Settings  # noqa: E402
from tests.chaos import controls, crash  # noqa: E402

BUILDS = {
    "enrollment": enrollment.build,
    "transfer": transfer.build,
    "settlement": settlement.build,
    "notification": notification.build,
    "monitor": monitor.build,
}


@dataclass(frozen=True, slots=True)
class Order:
    """A service to run: its settings, where it counts, where it ends, and as which control."""

    service: str
    environment: dict[str, str]
    log: str
    hits: str
    plan: list[Any] | None
    control: str | None


def _run(order: Order) -> None:
    """The whole life of a child."""
    log = os.open(order.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.environ.update(order.environment)
    plan = crash.Plan(*order.plan) if order.plan else None
    crash.POINTS.begin(Path(order.hits), len(points.points()), plan)
    if order.control:
        controls.CONTROLS[order.control]()
    uvloop.run(Process(order.service, Settings()).run(BUILDS[order.service]))


def _fork(order: Order) -> int:
    bind = die_with_parent(signal.SIGKILL)
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        bind()
        _run(order)
        code = 0
    finally:
        sys.stderr.flush()
        os._exit(code)


def _ended(pid: int) -> int | None:
    """The exit code of a child, negative for a signal; None while it runs."""
    found, status = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if found else None


def _say(answer: object) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Answers orders until there are no more."""
    _say("ready")
    for line in sys.stdin:
        match json.loads(line):
            case {"start": order}:
                answer: int | None = _fork(Order(**order))
            case {"kill": pid}:
                os.kill(pid, signal.SIGKILL)
                answer = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            case {"ended": pid}:
                answer = _ended(pid)
            case other:
                raise ValueError(other)
        _say(answer)


if __name__ == "__main__":
    main()
