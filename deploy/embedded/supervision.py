"""One supervised child: started, watched, started again when it dies, stopped."""

import subprocess
import time
from dataclasses import dataclass, field
from typing import Any

import httpx

from deploy.embedded.processes import Identity, Program, end, start

_FIRST_DELAY_SECONDS, _LONGEST_DELAY_SECONDS = 0.2, 5.0
_HEALTHY_SECONDS = 30.0


def answers_ready(port: int | None) -> bool:
    """A service answers at this port, and is ready."""
    try:
        answer = httpx.get(f"http://127.0.0.1:{port}/health/ready", timeout=2, trust_env=False)
    except httpx.HTTPError:
        return False
    return answer.status_code == httpx.codes.OK


@dataclass(slots=True)
class Child:
    """A program and the process that runs it now."""

    program: Program
    port: int | None = None
    restarts: int = 0
    identity: Identity | None = None
    _process: "subprocess.Popen[bytes] | None" = None
    _started_at: float = 0.0
    _start_again_at: float = 0.0
    _asked_at: float | None = None
    _delay: float = field(default=_FIRST_DELAY_SECONDS)

    def start(self) -> None:
        """Start its process."""
        self._process = start(self.program)
        self._started_at = time.monotonic()
        self.identity = Identity.of(self._process.pid)

    def ready(self) -> bool:
        """Its HTTP interface says so."""
        return answers_ready(self.port)

    def died(self) -> bool:
        """Its process has ended, unasked."""
        return self._process is not None and self._process.poll() is not None

    def revive(self) -> bool:
        """Start it again when it is dead and its delay is over; True when something changed."""
        now = time.monotonic()
        if self._process is None:
            if now < self._start_again_at:
                return False
            self.restarts += 1
            self.start()
            return True
        if not self.died():
            return False
        if now - self._started_at > _HEALTHY_SECONDS:
            self._delay = _FIRST_DELAY_SECONDS
        self._start_again_at = now + self._delay
        self._delay = min(self._delay * 2, _LONGEST_DELAY_SECONDS)
        self._process, self.identity = None, None
        return True

    def ask_to_stop(self) -> None:
        """Send its stop signal without waiting, so that several end at the same time."""
        if self._process is not None and self._asked_at is None and not self.died():
            # Once: a second signal means "at once" to many programs.
            self._process.send_signal(self.program.stop_signal)
            self._asked_at = time.monotonic()

    def stop(self) -> bool:
        """End it within its bound since it was asked; False when it had to be killed."""
        if self._process is None:
            return True
        self.ask_to_stop()
        waited = 0.0 if self._asked_at is None else time.monotonic() - self._asked_at
        calm = end(self._process, max(0.0, self.program.stop_seconds - waited))
        self._process, self.identity = None, None
        return calm

    def row(self) -> dict[str, Any]:
        """What stack.json says of it."""
        return {
            "name": self.program.name,
            "pid": self.identity.pid if self.identity else None,
            "started": self.identity.started if self.identity else None,
            "restarts": self.restarts,
            "port": self.port,
            "log": str(self.program.log),
        }
