"""PostgreSQL and Kafka of an embedded stack, and what the world does to them."""

import os
import signal
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from deploy.embedded.home import Home


@dataclass(frozen=True)
class Machine:
    """A stack whose launcher starts again what dies; what stands still it leaves alone."""

    home: Path
    dsn: str
    kafka: str

    def processes(self, name: str) -> list[psutil.Process]:
        """The process of this name and its children, the oldest first."""
        stack = Home.at(self.home).read_stack()
        assert stack is not None
        pid = next(row["pid"] for row in stack["processes"] if row["name"] == name)
        main = psutil.Process(pid)
        return [main, *main.children(recursive=True)]

    def kill(self, name: str) -> None:
        """SIGKILL."""
        self.processes(name)[0].kill()

    @contextmanager
    def standing_still(self, name: str) -> Iterator[None]:
        """SIGSTOP for a while, then SIGCONT."""
        stopped = self.processes(name)
        signals(stopped, signal.SIGSTOP)
        try:
            yield
        finally:
            signals(reversed(stopped), signal.SIGCONT)


def signals(processes: Iterable[psutil.Process], number: int) -> None:
    """One signal to all that are still there."""
    for process in processes:
        try:
            os.kill(process.pid, number)
        except ProcessLookupError:
            continue  # a backend that ended meanwhile
