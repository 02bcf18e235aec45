"""The embedded stack comes up, heals, recovers and leaves nothing behind. All of it is real."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import psutil
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from deploy.embedded import backups, stack
from deploy.embedded.home import Home, StackFailed
from deploy.embedded.postgres import socket_folder
from deploy.embedded.stack import Stack

TOPIC = "tried"
CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("shared") / "home"
    yield folder
    stack.down(folder, print)


@pytest.fixture
def other_home(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "home"
    stack.down(tmp_path / "home", print)


def up(home: Path) -> Stack:
    return stack.up(home, services=(), bare=True, report=print)


def until(fact: Callable[[], bool], what: str, seconds: float = 30.0) -> None:
    """Wait for a fact; fail with its name."""
    deadline = time.monotonic() + seconds
    while not fact():
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s for: {what}"
        threading.Event().wait(0.1)


def row(home: Path, name: str) -> dict[str, Any]:
    found: dict[str, Any]
    (found,) = (row for row in stack.status(home)["processes"] if row["name"] == name)
    return found


def kill(home: Path, name: str) -> int:
    """Kill -9 the process of this name; returns its number."""
    pid: int = row(home, name)["pid"]
    os.kill(pid, signal.SIGKILL)
    return pid


def back(home: Path, name: str, killed: int) -> Callable[[], bool]:
    def fact() -> bool:
        now = row(home, name)
        return bool(now["ready"] and now["pid"] != killed)

    return fact


def processes_of(home: Path) -> list[str]:
    """Everything that still runs in or for this home, by command line or working folder."""
    found = []
    for process in psutil.process_iter():
        try:
            words = " ".join(process.cmdline())
            if process.pid != os.getpid() and str(home) in f"{words} {process.cwd()}":
                found.append(words)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


async def query(database: str, statement: str) -> object:
    connection = await asyncpg.connect(database)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


async def send(kafka: str, value: bytes) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    if TOPIC not in await admin.list_topics():
        await admin.create_topics([NewTopic(TOPIC, 1, 1)])
    await admin.close()
    producer = AIOKafkaProducer(bootstrap_servers=kafka, acks="all")
    await producer.start()
    await producer.send_and_wait(TOPIC, value, partition=0)
    await producer.stop()


async def first_message(kafka: str) -> bytes | None:
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka, auto_offset_reset="earliest")
    await consumer.start()
    consumer.assign([TopicPartition(TOPIC, 0)])
    await consumer.seek_to_beginning()
    message = await asyncio.wait_for(consumer.getone(), 20)
    await consumer.stop()
    value: bytes | None = message.value
    return value


def test_up_gives_a_database_and_a_broker_that_answer(home: Path) -> None:
    running = up(home)

    asyncio.run(send(running.kafka, b"kept"))

    assert asyncio.run(query(running.database, "SELECT current_database()")) == "jiexu"
    assert asyncio.run(query(running.database, "SHOW fsync")) == "on"
    assert asyncio.run(first_message(running.kafka)) == b"kept"
    assert stack.status(home)["state"] == "ready"


def test_up_a_second_time_joins_the_stack_that_runs(home: Path) -> None:
    first = up(home)
    before = row(home, "postgres")["pid"]

    second = up(home)

    assert second == first
    assert row(home, "postgres")["pid"] == before
    assert stack.find(home) == first


def test_a_second_launcher_on_one_home_leaves_at_once(home: Path) -> None:
    up(home)

    command = [sys.executable, "-m", "deploy.embedded.launcher", str(home)]
    second = subprocess.run(
        command, cwd=CHECKOUT, capture_output=True, text=True, timeout=30, check=False
    )

    assert second.returncode == 3
    assert "another launcher" in second.stderr
    assert stack.status(home)["state"] == "ready"


def test_secrets_are_for_the_owner_only_and_stay_the_same(home: Path) -> None:
    running = up(home)
    secrets = Path(running.environment()["JIEXU_SECRETS"])
    before = secrets.read_text("utf-8")

    up(home)

    assert secrets.read_text("utf-8") == before
    assert secrets.stat().st_mode & 0o777 == 0o600
    assert Path(running.environment()["JIEXU_TOKENS"]).stat().st_mode & 0o777 == 0o600


def test_only_enrollment_gets_the_secret_of_person_keys(home: Path) -> None:
    running = up(home)

    everything = json.loads(Path(running.environment()["JIEXU_SECRETS"]).read_text("utf-8"))
    others = json.loads(Home.at(home).other_secrets_file.read_text("utf-8"))

    assert len(bytes.fromhex(everything["person_key_secret"])) == 32
    assert everything.keys() - others.keys() == {"person_key_secret"}


def test_a_killed_database_comes_back_with_what_was_committed(home: Path) -> None:
    running = up(home)
    asyncio.run(query(running.database, "CREATE TABLE kept AS SELECT 7 AS number"))

    killed = kill(home, "postgres")

    until(back(home, "postgres", killed), "PostgreSQL back after kill -9")
    assert asyncio.run(query(running.database, "SELECT number FROM kept")) == 7
    assert row(home, "postgres")["restarts"] >= 1


def test_a_killed_broker_comes_back_with_its_messages(home: Path) -> None:
    running = up(home)
    asyncio.run(send(running.kafka, b"later"))

    killed = kill(home, "kafka")

    until(back(home, "kafka", killed), "Kafka back after kill -9", seconds=60)
    assert asyncio.run(first_message(running.kafka)) is not None


def test_a_killed_launcher_leaves_nothing_and_the_next_up_recovers(home: Path) -> None:
    running = up(home)
    asyncio.run(query(running.database, "CREATE TABLE survivor AS SELECT 9 AS number"))
    content = Home.at(home).read_stack()
    assert content is not None

    os.kill(content["launcher"]["pid"], signal.SIGKILL)

    until(lambda: not processes_of(home), "no process of the home left")
    assert stack.status(home)["state"] == "crashed"
    assert stack.find(home) is None
    again = up(home)
    assert (again.database, again.kafka) == (running.database, running.kafka)
    assert asyncio.run(query(again.database, "SELECT number FROM survivor")) == 9


def test_two_homes_run_side_by_side(home: Path, other_home: Path) -> None:
    first = up(home)

    second = up(other_home)

    assert (first.kafka, first.database) != (second.kafka, second.database)
    asyncio.run(query(second.database, "CREATE TABLE only_there AS SELECT 1"))
    exists = "SELECT to_regclass('only_there') IS NOT NULL"
    assert asyncio.run(query(second.database, exists)) is True
    assert asyncio.run(query(first.database, exists)) is False


def test_two_ups_at_once_on_one_home_give_one_stack(other_home: Path) -> None:
    command = [sys.executable, "-m", "deploy.embedded.stack", "up", str(other_home)]
    command += ["--bare", "--services", ""]

    both = [subprocess.Popen(command, cwd=CHECKOUT) for _ in range(2)]

    assert [process.wait(60) for process in both] == [0, 0]
    launchers = [words for words in processes_of(other_home) if "embedded.launcher" in words]
    assert len(launchers) == 1
    assert stack.status(other_home)["state"] == "ready"


def test_down_stops_a_stack_that_has_just_begun_to_start(other_home: Path) -> None:
    command = [sys.executable, "-m", "deploy.embedded.stack", "up", str(other_home)]
    with subprocess.Popen([*command, "--bare", "--services", ""], cwd=CHECKOUT) as starting:
        until(Home.at(other_home).lock_file.exists, "the launcher's lock")

        stack.down(other_home, print)

        assert starting.wait(30) != 0
    assert processes_of(other_home) == []


def test_an_archive_that_was_torn_is_followed_by_another(home: Path) -> None:
    running, place = up(home), Home.at(home)
    torn = backups.take(place)
    aside = place.wal_archive.rename(home / "aside")
    kill(home, "archiver")

    def say(words: str) -> object:
        return asyncio.run(query(running.database, words))

    say("ALTER SYSTEM SET idle_replication_slot_timeout = '1s'")
    say("SELECT pg_reload_conf()")
    lost = "SELECT wal_status = 'lost' FROM pg_replication_slots"
    until(lambda: say("CHECKPOINT") is None and bool(say(lost)), "the archiver's slot to be lost")
    say("ALTER SYSTEM RESET ALL")
    aside.rename(place.wal_archive)
    stack.down(home, print)
    up(home)

    made = backups.take(place)

    assert (torn.folder.parent.name, made.folder.parent.name) == ("line-1", "line-2")


def test_down_leaves_no_process(home: Path) -> None:
    up(home)

    stack.down(home, print)

    assert processes_of(home) == []
    assert not socket_folder(Home.at(home)).exists()
    assert stack.status(home)["state"] == "stopped"
    assert stack.find(home) is None


def test_a_service_that_never_gets_ready_fails_with_the_end_of_its_log(
    other_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JIEXU_READY_SECONDS", "3")

    with pytest.raises(StackFailed) as failure:
        stack.up(other_home, services=("no-such-service",), bare=True, report=print)

    assert "no-such-service" in str(failure.value)
    assert str(other_home / "logs" / "no-such-service.log") in str(failure.value)
    assert processes_of(other_home) == []


def test_a_home_that_cannot_be_written_is_refused_with_advice(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder", "utf-8")

    with pytest.raises(StackFailed, match="JIEXU_HOME"):
        up(tmp_path / "file" / "home")
