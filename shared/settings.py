"""The environment as typed settings, read once per process."""

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Every setting is an environment variable `JIEXU_<NAME>`.

    `cells` are all cells of this Kafka, the own one first; `provinces` says which province another
    than `cn` serves, as JSON: `{"450000": "south"}`.
    """

    model_config = SettingsConfigDict(env_prefix="JIEXU_", frozen=True)

    home: Path = Path(".jiexu")
    database: str = ""
    kafka: str = ""
    sandbox: bool = False
    cells: str = "cn"
    provinces: dict[str, str] = {}
    partitions: int = 4
    replication: int = 1
    worker: int = 0
    workers: int = 1
    http_host: str = "127.0.0.1"
    http_port: int = 0
    enrollment_url: str = ""
    transfer_url: str = ""
    settlement_url: str = ""
    notification_url: str = ""
    monitor_url: str = ""
    secrets: Path = Path("secrets.json")
    tokens: Path = Path("tokens.json")
    token: str = ""
    regions: Path = Path(__file__).parent.parent / "deploy" / "regions"
    pool_size: int = 6
    batch_records: int = 500
    inbox_days: int = 14
    outbox_days: int = 14
    intake_backlog: int = 200_000
    otlp: str = ""
    log_level: str = "INFO"
    webhook: str = ""
    webhook_secret: str = ""

    @property
    def cell(self) -> str:
        """The cell that these processes serve."""
        return self.cells.split(",", maxsplit=1)[0]

    def url(self, service: str) -> str:
        """The base URL of a service's HTTP interface."""
        return str(getattr(self, f"{service}_url"))


class Secrets(BaseModel):
    """Hex keys of 32 bytes each. `person_key_secret` is given to enrollment alone."""

    person_key_secret: str = ""
    blind_key_secret: str
    master_key: str
    content_key: str = ""


class Holder(BaseModel):
    """Who holds a bearer token, and what for; `*` means all. `roles` say what the holder may decide
    about (the `authority` rows of a region's file).
    """

    holder: str
    sources: frozenset[str] = frozenset()
    regions: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()

    def may_send(self, source: str, region: str) -> bool:
        """Whether the holder may send records of `source` about `region`."""
        return bool({source, "*"} & self.sources) and self.may_see(region)

    def may_see(self, region: str) -> bool:
        """Whether the holder may ask about `region`."""
        return bool({region, "*"} & self.regions)


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The settings of this process."""
    return Settings()


def read_secrets(path: Path) -> Secrets:
    """The keys in the JSON file at `path`."""
    return Secrets.model_validate_json(path.read_text())


class Tokens(Mapping[str, Holder]):
    """The bearer tokens of a file, read again when it has changed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read = self._path.stat().st_mtime_ns
        self._known = read_tokens(path)

    def __getitem__(self, token: str) -> Holder:
        return self._present()[token]

    def __iter__(self) -> Iterator[str]:
        return iter(self._present())

    def __len__(self) -> int:
        return len(self._present())

    def _present(self) -> dict[str, Holder]:
        """What the file says now; one that cannot be read leaves in force what it said before."""
        try:
            changed = self._path.stat().st_mtime_ns
            if changed != self._read:
                self._known, self._read = read_tokens(self._path), changed
        except (OSError, ValueError):
            return self._known
        return self._known


def read_tokens(path: Path) -> dict[str, Holder]:
    """The bearer tokens in the JSON file at `path`, each with its holder."""
    return {
        token: Holder.model_validate(who) for token, who in json.loads(path.read_text()).items()
    }
