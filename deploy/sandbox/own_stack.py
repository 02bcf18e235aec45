"""An embedded stack of one's own: started in an empty folder, and nothing of it left behind."""

import shutil
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from deploy.embedded import stack


@contextmanager
def started(
    folder: Path,
    tell: Callable[[str], None],
    *,
    workers: int = 1,
    keep: bool = False,
    services: Sequence[str] = stack.SERVICES,
) -> Iterator[stack.Stack]:
    """A running stack in `folder`, which is emptied before.

    Stopped and removed at the end, also after Ctrl-C and SIGTERM. With `keep` it goes on when all
    went well. After a failure its folder stays, for its logs say why.
    """
    if folder.exists() and any(folder.iterdir()):
        stack.down(folder, tell)
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    finished = False
    with _terminated_as_interrupted():
        try:
            yield stack.up(folder, workers=workers, services=services, report=tell)
            finished = True
        finally:
            if not (keep and finished):
                stack.down(folder, tell)
            if finished and not keep:
                shutil.rmtree(folder)


@contextmanager
def _terminated_as_interrupted() -> Iterator[None]:
    """SIGTERM unwinds as Ctrl-C does: a killed demo must not leave Kafka running."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def leave(number: int, _: FrameType | None) -> None:
        sys.exit(128 + number)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
