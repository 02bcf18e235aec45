"""Kafka's jars: exactly those of ``kafka.sha256``, fetched once into a cache and verified.

The list is the lock. Resolving the dependencies anew at every set-up would trust whatever the
resolver makes of them that day: asked for Kafka and its log binding together, it lets the
binding's parent replace kafka-clients 4.3.1 by 3.9.1.
"""

import hashlib
import os
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from jgo import resolve
from jgo.maven import MavenContext

LOCK = Path(__file__).with_name("kafka.sha256")
# Resolved one by one, so that neither changes the versions of the other.
WANTED = (
    "org.apache.kafka:kafka_2.13:4.3.1",
    "org.apache.logging.log4j:log4j-slf4j-impl:2.25.4",
)
DOWNLOADS_AT_ONCE = 4


class JarsUnavailable(Exception):
    """Kafka's jars could not be fetched, or are not the ones of the checked-in list."""


@dataclass(frozen=True, slots=True)
class Jar:
    """One line of the lock: ``sha256  group:artifact:version``."""

    sha256: str
    coordinate: str

    @property
    def filename(self) -> str:
        """``artifact-version.jar``, the file's name in the cache."""
        _, artifact, version = self.coordinate.split(":")
        return f"{artifact}-{version}.jar"


def cache_folder() -> Path:
    """``JIEXU_CACHE``, else ``~/.cache/jiexu``: outside the checkout, shared by all homes."""
    return Path(os.environ.get("JIEXU_CACHE") or Path.home() / ".cache" / "jiexu").absolute()


def locked() -> list[Jar]:
    """The checked-in list."""
    lines = [line.split() for line in LOCK.read_text("utf-8").splitlines() if line.strip()]
    return [Jar(sha256, coordinate) for sha256, coordinate in lines]


def ensure_jars(report: Callable[[str], None]) -> list[Path]:
    """The jars' paths, each verified; fetches what is missing. Raises JarsUnavailable."""
    folder = cache_folder() / "kafka"
    wanted = locked()
    missing = [jar for jar in wanted if not _verified(folder / jar.filename, jar)]
    if missing:
        report(f"Kafka: fetching {len(missing)} of {len(wanted)} jars into {folder}")
        _fetch(missing, folder, report)
    return [folder / jar.filename for jar in wanted]


def _verified(path: Path, jar: Jar) -> bool:
    return path.is_file() and _sha256(path) == jar.sha256


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _fetch(jars: list[Jar], folder: Path, report: Callable[[str], None]) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        context = MavenContext(repo_cache=cache_folder() / "maven")
        with ThreadPoolExecutor(DOWNLOADS_AT_ONCE) as pool:
            for done, jar in enumerate(pool.map(lambda j: _fetch_one(context, j, folder), jars), 1):
                report(f"Kafka: {done}/{len(jars)} {jar.filename}")
    except JarsUnavailable:
        raise
    except (OSError, RuntimeError, ValueError) as error:
        raise JarsUnavailable(
            f"Kafka's jars could not be fetched into {folder}: {error}\n"
            "They come from Maven Central: check the network (a proxy is taken from HTTPS_PROXY, "
            "certificates from REQUESTS_CA_BUNDLE) and the free disk space (100 MB), then try "
            "again. On a machine without network copy the cache folder of another one and name "
            "it in JIEXU_CACHE."
        ) from error


def _fetch_one(context: MavenContext, jar: Jar, folder: Path) -> Jar:
    group, artifact, version = jar.coordinate.split(":")
    component = context.project(group, artifact).at_version(version)
    fetched = component.artifact().resolve()
    found = _sha256(fetched)
    if found != jar.sha256:
        # Out of the way, or every later attempt would find the same wrong file.
        fetched.unlink()
        raise JarsUnavailable(
            f"{jar.coordinate} has the checksum {found}, but {LOCK.name} wants {jar.sha256}. "
            "Something between here and Maven Central changed the file; do not use it."
        )
    partial = folder / f".{jar.filename}.{os.getpid()}"
    partial.write_bytes(fetched.read_bytes())
    # Renamed when whole, so that two set-ups at once never see half a file.
    partial.replace(folder / jar.filename)
    fetched.unlink()
    return jar


def _lock_lines() -> Iterable[str]:
    context = MavenContext(repo_cache=cache_folder() / "maven")
    found: dict[str, str] = {}
    for endpoint in WANTED:
        for artifact in resolve(endpoint):
            name = f"{artifact.groupId}:{artifact.artifactId}"
            component = context.project(artifact.groupId, artifact.artifactId)
            path = component.at_version(artifact.version).artifact().resolve()
            line = f"{_sha256(path)}  {name}:{artifact.version}"
            found.setdefault(name, line)
    return (found[name] for name in sorted(found))


def main() -> int:
    """Fetch the jars (``make setup``), or with ``--lock`` write the list anew (``make lock``)."""
    if "--lock" in sys.argv[1:]:
        LOCK.write_text("\n".join(_lock_lines()) + "\n", "utf-8")
    try:
        ensure_jars(lambda line: print(line, flush=True))  # noqa: T201, this is a command
    except JarsUnavailable as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
