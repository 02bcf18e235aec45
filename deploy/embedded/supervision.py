"""One supervised child: started, watched, started again when it dies, stopped."""

import subprocess
import time
from dataclasses import dataclass, field
from typing import Any

from deploy.embedded.processes import Identity, Program, start, stop

_FIRST_DELAY_SECONDS, _LONGEST_DELAY_SECONDS = 0.2, 5.0
_HEALTHY_SECONDS = 30.0


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
    _delay: float = field(default=_FIRST_DELAY_SECONDS)

    def start(self) -> None:
        """Start its process."""
        self._process = start(self.program)
        self._started_at = time.monotonic()
        self.identity = Identity.of(self._process.pid)

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

    def stop(self) -> bool:
        """End it within its bound; False when it had to be killed."""
        if self._process is None:
            return True
        calm = stop(self._process, self.program)
        self._process, self.identity = None, None
        return calm

    def ask_to_stop(self) -> None:
        """Send its stop signal without waiting, so that several end at the same time."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(self.program.stop_signal)

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
