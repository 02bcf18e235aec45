"""What a stack uses: processor time, memory at its peak, bytes on disk."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

import asyncpg
import psutil

from deploy.embedded import stack
from deploy.embedded.home import Home

_KIB, _MIB = 1024, 1024 * 1024
_BLOCK = 512


def processes(home: Path) -> dict[str, int]:
    """Names and numbers of the stack's processes; those of Kafka and PostgreSQL by these names."""
    return {row["name"]: row["pid"] for row in stack.status(home)["processes"] if row["alive"]}


def cpu_seconds(pids: Mapping[str, int]) -> dict[str, float]:
    """Processor seconds so far of `kafka`, `postgres` and all `services` with their children, and
    of each service.
    """
    spent: dict[str, float] = defaultdict(float)
    for name, pid in pids.items():
        seconds = sum(map(_own_seconds, _family(pid)), start=_ended_seconds(pid))
        spent[name] = seconds
        if name not in ("kafka", "postgres"):
            spent["services"] += seconds
    return dict(spent)


def peak_memory_mb(pids: Mapping[str, int]) -> dict[str, float]:
    """The most memory that each has had resident; of PostgreSQL's backends the largest counts."""
    return {
        name: round(max(_peak_kib(process.pid) for process in _family(pid)) * _KIB / _MIB, 1)
        for name, pid in pids.items()
    }


def _family(pid: int) -> list[psutil.Process]:
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _own_seconds(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system)


def _ended_seconds(pid: int) -> float:
    """What children that have ended have spent; the kernel adds it to their parent."""
    try:
        times = psutil.Process(pid).cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.children_user + times.children_system)


def _peak_kib(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text("utf-8").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM")), 0)


async def bytes_on_disk(running: stack.Stack) -> int:
    """The database's tables and indexes, and Kafka's logs; the write-ahead log is not counted."""
    connection = await asyncpg.connect(running.database)
    try:
        size = await connection.fetchval("SELECT pg_database_size(current_database())")
    finally:
        await connection.close()
    return int(size) + _folder_bytes(Home.at(running.home).kafka.rglob("*"))


def _folder_bytes(paths: Iterable[Path]) -> int:
    """What the files take, not what they announce: Kafka's indexes are made larger than filled."""
    total = 0
    for path in paths:
        try:
            total += path.stat().st_blocks * _BLOCK
        except FileNotFoundError:  # a segment that was just removed
            continue
    return total
