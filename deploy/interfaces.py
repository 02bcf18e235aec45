"""`python -m deploy.interfaces` writes the published interfaces: AsyncAPI of the bus, OpenAPI of
each service. Stale ones fail the tests.
"""

import importlib
import json
import tempfile
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from shared import http
from shared.chassis import Process
from shared.messages.catalogue import CATALOGUE
from shared.settings import Settings

FOLDER = Path(__file__).parent.parent / "docs" / "interfaces"
SERVICES = ("enrollment", "transfer", "settlement", "notification", "monitor")
HEADERS = {
    "ce_id": "uuid5 of the cause and an index",
    "ce_type": "owner, name and version",
    "ce_source": "the service that sends it",
    "ce_time": "business time",
    "sentat": "real time of the outbox",
    "lane": "the topic and partition that caused it, intake/n or timers/n",
    "seq": "its number on the lane, without a gap",
    "correlationid": "the transfer, else the record",
    "causationid": "the message that caused it",
    "traceparent": "W3C trace context",
}


def asyncapi() -> dict[str, Any]:
    """AsyncAPI 3 of the bus: one channel per topic of the cell `cn`, all messages with schema."""
    messages: dict[str, Any] = {}
    channels: dict[str, Any] = {}
    for kind in sorted(CATALOGUE):
        message = CATALOGUE[kind]
        messages[kind] = {
            "name": kind,
            "summary": (message.__doc__ or "").split("\n\n")[0].replace("\n", " ").strip(),
            "contentType": "application/json",
            "headers": {"$ref": "#/components/schemas/envelope"},
            "payload": message.model_json_schema(),
        }
        for topic in _topics(kind):
            channel = channels.setdefault(topic, {"address": topic, "messages": {}})
            channel["messages"][kind] = {"$ref": f"#/components/messages/{kind}"}
    envelope = {
        "type": "object",
        "required": ["ce_id", "ce_type", "sentat"],
        "properties": {n: {"type": "string", "description": d} for n, d in HEADERS.items()},
    }
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Jiexu", "version": "1"},
        "channels": channels,
        "components": {"messages": messages, "schemas": {"envelope": envelope}},
    }


def _topics(kind: str) -> list[str]:
    message = CATALOGUE[kind]
    if message.owner == "chassis":
        return [f"cn.{service}.{message.stream}" for service in SERVICES]
    return [message.model_construct(to="450100").topic("cn")]


def openapi(service: str) -> dict[str, Any]:
    """OpenAPI of a service's HTTP interface."""
    with tempfile.TemporaryDirectory() as folder:
        keys = dict.fromkeys(
            ("person_key_secret", "blind_key_secret", "master_key", "content_key"), "00" * 32
        )
        secrets = Path(folder) / "secrets.json"
        secrets.write_text(json.dumps(keys))
        process = Process(service, Settings(secrets=secrets, home=Path(folder)))
        app = importlib.import_module(f"services.{service}.app").build(process)
    api = FastAPI(title=f"Jiexu {service}", version="1")
    http.routes(api, process, http.Health(process, app))
    api.include_router(app.router)
    return api.openapi()


def documents() -> dict[str, str]:
    """All documents by file name."""
    made = {"asyncapi.json": asyncapi()}
    made |= {f"openapi-{service}.json": openapi(service) for service in SERVICES}
    return {
        name: json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
        for name, document in made.items()
    }


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in documents().items():
        (FOLDER / name).write_text(text)
