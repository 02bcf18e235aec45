"""One embedded stack for the stories of this folder; what breaks a stack starts its own."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.system.stack import Stack


@contextmanager
def running(prefix: str) -> Iterator[Stack]:
    """A new stack; its folder is removed at the end, and nothing of it is left running."""
    home = Path(tempfile.mkdtemp(prefix=prefix))
    stack = Stack(home)
    try:
        stack.ask("up", "--embedded", timeout=180)
        yield stack
    finally:
        stack.run("down", timeout=120)
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """A stack that tests share: each uses people of its own."""
    with running("jiexu-story-") as shared:
        yield shared
