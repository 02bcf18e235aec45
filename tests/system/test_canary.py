"""No personal data in the clear anywhere but in the upstream topic (and the letters themselves)."""

import asyncio
import json
from datetime import date
from pathlib import Path

import asyncpg
import httpx
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from deploy.embedded import stack as embedded
from shared.identity import make_id
from tests.system.bank_files import Line, camt053
from tests.system.stack import Stack, mover

NAME, PHONE, ACCOUNT = "钱塘蕙", "13912345678", "6222021234567890123"
UPSTREAM = "upstream.registrations"


async def _topics(kafka: str) -> dict[str, bytes]:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=kafka, auto_offset_reset="earliest", enable_auto_commit=False
    )
    await consumer.start()
    try:
        topics = [t for t in await consumer.topics() if not t.startswith("__") and t != UPSTREAM]
        consumer.subscribe(topics)
        seen: dict[str, bytes] = {}
        idle = 0
        while idle < 3:
            batch = await consumer.getmany(timeout_ms=1000)
            idle = 0 if batch else idle + 1
            for tp, records in batch.items():
                for record in records:
                    headers = b"".join(value for _, value in record.headers)
                    parts = (record.key or b"") + (record.value or b"") + headers
                    seen[tp.topic] = seen.get(tp.topic, b"") + parts
        return seen
    finally:
        await consumer.stop()


async def _tables(dsn: str) -> dict[str, str]:
    db = await asyncpg.connect(dsn)
    try:
        names = await db.fetch(
            "SELECT schemaname || '.' || tablename AS name FROM pg_tables"
            " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        )
        seen = {}
        for row in names:
            rows = await db.fetch(f"SELECT t::text AS line FROM {row['name']} AS t")
            text = "\n".join(r["line"] for r in rows)
            # A bytea is shown in hex: what is inside counts too.
            seen[row["name"]] = text + _unhexed(text)
        return seen
    finally:
        await db.close()


def _unhexed(text: str) -> str:
    parts = []
    for piece in text.replace('"', " ").replace(",", " ").replace("\\", " ").split():
        if piece.startswith("x") and len(piece) > 9:
            try:
                parts.append(bytes.fromhex(piece[1:].rstrip(")")).decode("utf-8", "replace"))
            except ValueError:
                continue
    return "\n".join(parts)


async def _publish(kafka: str, rows: list[dict[str, str]]) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=kafka)
    await producer.start()
    for row in rows:
        await producer.send_and_wait(UPSTREAM, json.dumps(row).encode(), key=b"k")
    await producer.stop()


def everywhere(stack: Stack, running: embedded.Stack) -> dict[str, str]:
    """All that the stack keeps or says, by where it stands."""
    topics = asyncio.run(_topics(running.kafka))
    places = {f"topic {n}": body.decode("utf-8", "replace") for n, body in topics.items()}
    places |= {f"table {n}": text for n, text in asyncio.run(_tables(running.database)).items()}
    for path in (stack.home / "logs").iterdir():
        places[f"log {path.name}"] = path.read_text("utf-8", "replace")
    places |= {f"metrics {n}": httpx.get(f"{url}/metrics").text for n, url in running.urls.items()}
    return places


def test_marked_people_are_found_nowhere(stack: Stack, tmp_path: Path) -> None:
    running = embedded.find(stack.home)
    assert running
    people = {how: make_id("410102", date(1987, 1, 2), n) for n, how in enumerate(("f", "k", "h"))}
    marked = {
        how: [
            {**row, "phone": PHONE} | ({"name": NAME} if row.get("name") else {})
            for row in mover(f"canary-{how}", id_no, NAME, "321.09")
        ]
        for how, id_no in people.items()
    }
    stack.send(tmp_path / "feed.csv", marked["f"])
    asyncio.run(_publish(running.kafka, marked["k"]))
    bad = {**marked["k"][0], "record_id": "canary-bad", "month": "2026-13", "action": "contribute"}
    asyncio.run(_publish(running.kafka, [bad]))
    token = next(iter(json.loads((stack.home / "tokens.json").read_text())))
    answer = httpx.post(
        f"{running.urls['enrollment']}/v1/registrations",
        json=[{k: v for k, v in row.items() if v} for row in marked["h"]],
        headers={"Authorization": f"Bearer {token}"},
    )
    assert answer.status_code == 202, answer.text
    line = Line("CANARY", "5.55", remark=f"{NAME} {PHONE} {people['f']}", payer_account=ACCOUNT)
    (tmp_path / "s.xml").write_text(camt053([line], number="canary"))
    stack.ask("intake", "statement", str(tmp_path / "s.xml"))
    stack.settle()

    places = everywhere(stack, running)
    looked_at = {"topic cn.enrollment.commands", "topic cn.settlement.events", "log enrollment.log"}
    assert looked_at | {"table settlement.holders", "metrics monitor"} <= set(places)

    marks = [NAME, PHONE, ACCOUNT, *people.values()]
    found = [(mark, name) for name, text in places.items() for mark in marks if mark in text]
    assert found == []
    assert stack.ask("dead-letters", "list") == []
