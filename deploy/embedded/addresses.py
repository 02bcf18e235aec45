"""Where the processes of a stack answer, and the settings that tell each of them."""

import json
import os
from collections.abc import Mapping

from deploy.embedded import cells, postgres
from deploy.embedded.home import Home


def worker_name(service: str, worker: int) -> str:
    """``transfer`` for the first, ``transfer-1`` for the next: name of process, port and log."""
    return service if worker == 0 else f"{service}-{worker}"


def service_urls(ports: Mapping[str, int]) -> dict[str, str]:
    """Where each service process answers HTTP."""
    named = {name: port for name, port in ports.items() if not name.startswith("kafka")}
    return {name: f"http://127.0.0.1:{port}" for name, port in named.items()}


def stack_environment(home: Home, ports: Mapping[str, int]) -> dict[str, str]:
    """The settings of everything that runs on this stack."""
    urls = service_urls(ports)
    first = {f"JIEXU_{name.upper()}_URL": url for name, url in urls.items() if "-" not in name}
    return {
        "JIEXU_HOME": str(home.folder),
        "JIEXU_DATABASE": postgres.dsn(home),
        "JIEXU_KAFKA": cells.kafka_of(home, ports),
        "JIEXU_CELLS": ",".join(cells.all_cells(home)),
        "JIEXU_PROVINCES": json.dumps(cells.provinces(home)),
        "JIEXU_SANDBOX": os.environ.get("JIEXU_SANDBOX", "1"),
        "JIEXU_SECRETS": str(home.secrets_file),
        "JIEXU_TOKENS": str(home.tokens_file),
        **first,
    }
