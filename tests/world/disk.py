"""A small disk under a folder, that can be filled."""

import asyncio
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

REFUSAL = b"No space left on device"
_SECONDS = 120


@dataclass(frozen=True)
class Disk:
    """A folder with a file system of its own."""

    folder: Path

    @property
    def _ballast(self) -> Path:
        return self.folder / "ballast"

    def fill(self, but_mb: int) -> None:
        """All of it, but so much."""
        size = shutil.disk_usage(self.folder).free - (but_mb << 20)
        with self._ballast.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, size)

    def free(self) -> None:
        """There is room again."""
        self._ballast.unlink()

    async def until_refused(self, log: Path) -> None:
        """Waits until the server says that it found no room."""
        async with asyncio.timeout(_SECONDS):
            while REFUSAL not in log.read_bytes():  # noqa: ASYNC110, ASYNC240
                await asyncio.sleep(0.2)


@contextmanager
def small_disk(folder: Path, size_mb: int) -> Iterator[Disk]:
    """The folder's files, on a small disk of their own while it lasts."""
    aside = folder.with_name(f"{folder.name}.aside")
    folder.rename(aside)
    folder.mkdir()
    owner = aside.stat()
    options = f"size={size_mb}m,mode=0700,uid={owner.st_uid},gid={owner.st_gid}"
    words = ["mount", "-t", "tmpfs", "-o", options, "jiexu", str(folder)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"no small disk can be mounted here: {done.stderr.strip()}")
    try:
        subprocess.run(["cp", "-a", f"{aside}/.", str(folder)], check=True)
        yield Disk(folder)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
