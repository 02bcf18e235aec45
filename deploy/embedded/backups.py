"""Backups of an embedded database, and setting it back to a moment: PostgreSQL's own tools.

A base backup (`pg_basebackup`) and all that is written after it (`pg_receivewal`, a child of the
launcher) lead to any moment T since. What follows a restore is another line of history: it is kept
apart, in `backups/line-N`, and begins with a backup of its own.
"""

import asyncio
import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg

from deploy.embedded import postgres
from deploy.embedded.home import Home, StackFailed, sync, write_json

_ARCHIVE_SECONDS = 30.0
_COPIED = "jiexu_wal"
_TORN = "after-a-torn-archive"
_SEGMENT_SECONDS = 5.0  # to read 16 MB of the log again, on a slow disk


@dataclass(frozen=True, slots=True)
class Backup:
    """A base backup; it leads to any moment after `ended_at` of its line."""

    folder: Path
    ended_at: datetime

    @property
    def line(self) -> int:
        return int(self.folder.parent.name.removeprefix("line-"))


def take(place: Home) -> Backup:
    """Backs up the running database, and has all that follows archived. Raises StackFailed."""
    place.refuse_half_restored()
    place.wal_archive.mkdir(parents=True, exist_ok=True)
    place.backups.chmod(0o700)
    asyncio.run(_archived(place))
    partial = place.line / "base.partial"
    shutil.rmtree(partial, ignore_errors=True)
    command = [
        str(postgres.client("pg_basebackup")),
        *("-d", postgres.dsn(place), "-D", str(partial)),
        *("--checkpoint=fast", "--wal-method=stream"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise StackFailed(f"pg_basebackup failed:\n{done.stderr}")
    ended_at = asyncio.run(_moment(place, "clock_timestamp()")) or datetime.now(UTC)
    folder = place.line / f"base-{ended_at:%Y%m%dT%H%M%S.%fZ}"
    write_json(partial / "jiexu-backup.json", {"ended_at": ended_at.isoformat()})
    sync(partial)
    partial.rename(folder)
    sync(place.line)
    return Backup(folder, ended_at)


async def keeps_slot(place: Home) -> bool:
    """The server keeps for the archiver what it has not fetched yet; False while it is down.

    Where it had to let go of some, the archive is torn: what follows is another line, of which the
    next backup is the first.
    """
    state = "SELECT wal_status FROM pg_replication_slots WHERE slot_name = $1"
    try:
        async with asyncpg.create_pool(postgres.dsn(place), min_size=1, max_size=1) as pool:
            found = await pool.fetchval(state, postgres.SLOT)
            if found == "lost":
                (place.next_line / "wal").mkdir(parents=True)
                (place.line / _TORN).touch()
                await pool.execute("SELECT pg_drop_replication_slot($1)", postgres.SLOT)
            if found in (None, "lost"):
                create = "SELECT pg_create_physical_replication_slot($1, true)"
                await pool.execute(create, postgres.SLOT)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return False
    return True


async def _archived(place: Home) -> None:
    """Waits until the launcher's archiver listens, so that nothing after the backup is missed."""
    db = await asyncpg.connect(postgres.dsn(place))
    try:
        async with asyncio.timeout(_ARCHIVE_SECONDS):
            while not await db.fetchval(  # noqa: ASYNC110 - another process's doing
                "SELECT active FROM pg_replication_slots WHERE slot_name = $1", postgres.SLOT
            ):
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise StackFailed(
            f"the archiver did not begin; see {place.log(postgres.ARCHIVER)}. Where it could not "
            "write for too long, `jiexu down` and `jiexu up` begin another archive"
        ) from None
    finally:
        await db.close()


async def _moment(place: Home, told_by: str) -> datetime | None:
    db = await asyncpg.connect(postgres.dsn(place))
    try:
        at: datetime | None = await db.fetchval(f"SELECT {told_by}")
    finally:
        await db.close()
    return at and at.astimezone(UTC)


def reached(place: Home, backup: Backup) -> datetime:
    """The last moment of which the database that was just set back knows: an archive that is torn
    ends before what was written last.
    """
    last = asyncio.run(_moment(place, "pg_last_xact_replay_timestamp()"))
    return max(last or backup.ended_at, backup.ended_at)


def listed(place: Home) -> list[Backup]:
    """All backups, oldest first."""
    return sorted(_found(place), key=lambda backup: backup.ended_at)


def _found(place: Home) -> Iterator[Backup]:
    for mark in place.backups.glob("line-*/base-*/jiexu-backup.json"):
        ended_at = json.loads(mark.read_text("utf-8"))["ended_at"]
        yield Backup(mark.parent, datetime.fromisoformat(ended_at))


def fitting(place: Home, to: datetime | None) -> Backup:
    """The backup that leads to the moment. Raises StackFailed."""
    found = [backup for backup in listed(place) if to is None or backup.ended_at <= to]
    if not found:
        raise StackFailed(
            f"no backup in {place.backups} ended before {to or 'now'}: {_told(place)}"
        )
    # A line that follows a torn archive undoes nothing.
    begun = [one for one in place.lines if one > found[-1].line]
    if to is None and not all((place.backups / f"line-{one}" / _TORN).exists() for one in begun):
        raise StackFailed(
            "上次恢复之后尚无备份，请用 --to 指明时刻 / no backup was made since the last "
            "restore: the last archived moment is of a history that it undid. "
            f"Name the moment (--to): {_told(place)}"
        )
    return found[-1]


def begin(place: Home, command: str) -> None:
    """From now on nothing starts here but the restore, until `settle` or `put_back`."""
    write_json(place.restoring_file, {"command": command})


def rewind(place: Home, backup: Backup, to: datetime | None) -> Path | None:
    """Puts the data folder as of `to` (by default the last moment archived) in the place of the
    present one, which is kept; where it is. The next start recovers.

    The stack is down.
    """
    fresh = place.folder / "postgres.new"
    shutil.rmtree(fresh, ignore_errors=True)
    shutil.copytree(backup.folder, fresh)
    _bring_wal(place, backup, fresh)
    settings = {
        "restore_command": f'cp "{_COPIED}/%f" "%p"',
        "recovery_target_action": "promote",
        # Who connects before its end would find a database that cannot be written.
        "hot_standby": "off",
    } | ({"recovery_target_time": to.astimezone(UTC).isoformat(sep=" ")} if to else {})
    lines = "".join(f"{name} = '{value}'\n" for name, value in settings.items())
    (fresh / "postgresql.auto.conf").write_text(lines, "utf-8")
    (fresh / "recovery.signal").touch()
    postgres.give_to_server(fresh)
    kept = None
    if place.postgres.exists():
        kept = place.folder / f"postgres.before-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    changes = {"kept": str(kept) if kept else None, "line": str(place.next_line)}
    write_json(place.restoring_file, {**_restoring(place), "changes": changes})
    if kept:
        place.postgres.rename(kept)
    fresh.rename(place.postgres)
    # What follows is not of the archived history.
    (place.next_line / "wal").mkdir(parents=True)
    return kept


def replay_seconds(place: Home) -> float:
    """What the start of a database that was just set back may take besides."""
    if not (place.postgres / "recovery.signal").exists():
        return 0.0
    return _SEGMENT_SECONDS * sum(1 for _ in (place.postgres / _COPIED).iterdir())


def _told(place: Home) -> str:
    ends = ", ".join(backup.ended_at.isoformat() for backup in listed(place))
    return f"those there ended at {ends}" if ends else "there is none; `jiexu backup` makes one"


def _bring_wal(place: Home, backup: Backup, fresh: Path) -> None:
    """What was archived since the backup, and what the present data folder still has of it."""
    copied = fresh / _COPIED
    copied.mkdir()
    own = backup.folder.parent
    for segment in sorted((own / "wal").iterdir()):
        shutil.copy2(segment, copied / segment.name.removesuffix(".partial"))
    if own == place.line and (place.postgres / "pg_wal").is_dir():
        for segment in (place.postgres / "pg_wal").iterdir():
            if segment.is_file():
                shutil.copy2(segment, copied / segment.name)


def _restoring(place: Home) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(place.restoring_file.read_text("utf-8"))
    return found


def put_back(place: Home) -> None:
    """All as it was before a restore that could not be, or was cut short; the stack is down."""
    changes = _restoring(place).get("changes")
    # What was not yet put aside, or is back already, is in its place.
    if changes and (changes["kept"] is None or Path(changes["kept"]).exists()):
        shutil.rmtree(changes["line"], ignore_errors=True)
        shutil.rmtree(place.postgres, ignore_errors=True)
        if changes["kept"]:
            Path(changes["kept"]).rename(place.postgres)
    place.restoring_file.unlink()


def settle(place: Home) -> None:
    """After the recovery: what it needed goes, and the database may be used."""
    if "changes" in _restoring(place):
        asyncio.run(_forget_recovery(place))
        shutil.rmtree(place.postgres / _COPIED)
    place.restoring_file.unlink()


async def _forget_recovery(place: Home) -> None:
    db = await asyncpg.connect(postgres.dsn(place))
    try:
        await db.execute("ALTER SYSTEM RESET ALL")
    finally:
        await db.close()
