"""The same transfers as durable workflows of DBOS Transact, in an environment of its own.

`run` enqueues every transfer, waits for the end of all and prints what it took as one
line of JSON; it starts its workers as `work`. A registration starts one workflow, the
bank's answer another: a workflow that waits with `recv` costs four more round trips.
"""

import argparse
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy
from dbos import DBOS, DBOSClient, DBOSConfig, SQLAlchemyDatasource

from tests.bench.peers import funding, moving
from tests.bench.peers.story import EVENT_KEY, Statement, Transfer

_WORKFLOWS = {"move": moving.STEPS, "fund": funding.STEPS}
_ENQUEUED_TOGETHER = 100
_LOOK_SECONDS = 0.2
_POLL_SECONDS = 0.1

Facts = Sequence[Any]
Step = Callable[[Transfer], list[Statement]]
Durable = Callable[[Step], Callable[[Facts], None]]


def _url(dsn: str) -> str:
    return dsn.replace("postgresql://", "postgresql+psycopg://", 1)


def _execute(connection: "psycopg.Connection[Any]", statements: Sequence[Statement]) -> None:
    """All of a step's statements, sent together."""
    with connection.pipeline(), connection.cursor() as cursor:
        for sql, values in statements:
            cursor.execute(sql, values)


class _PlainSteps:
    """A step with a transaction of its own; it may run twice, which its first rows notice.

    Cheaper than a datasource's transaction by a look-up, a row and a check of ownership.
    """

    def __init__(self, dsn: str, _: int) -> None:
        self._dsn = dsn
        self._mine = threading.local()

    def __call__(self, step: Step) -> Callable[[Facts], None]:
        def commit(facts: Facts) -> None:
            try:
                connection = self._connection()
                with connection.pipeline(), connection.transaction():
                    _execute(connection, step(Transfer(*facts)))
            except psycopg.errors.UniqueViolation as error:
                if error.diag.constraint_name != EVENT_KEY:
                    raise

        done: Callable[[Facts], None] = DBOS.step(name=step.__name__)(commit)
        return done

    def _connection(self) -> "psycopg.Connection[Any]":
        if not hasattr(self._mine, "connection"):
            self._mine.connection = psycopg.connect(self._dsn, autocommit=True)
        connection: psycopg.Connection[Any] = self._mine.connection
        return connection


class _DatasourceSteps:
    """A datasource's transaction: the step and the record that it was done commit together."""

    def __init__(self, dsn: str, concurrency: int) -> None:
        self._datasource = SQLAlchemyDatasource.create(
            _url(dsn), engine_kwargs={"pool_size": concurrency, "max_overflow": concurrency}
        )

    def __call__(self, step: Step) -> Callable[[Facts], None]:
        def commit(facts: Facts) -> None:
            session = self._datasource.sql_session()
            driver = session.connection().connection.driver_connection
            _execute(driver, step(Transfer(*facts)))

        done: Callable[[Facts], None] = self._datasource.transaction(
            name=step.__name__, isolation_level="READ COMMITTED"
        )(commit)
        return done


_STYLES: Mapping[str, Callable[[str, int], Durable]] = {
    "plain": _PlainSteps,
    "datasource": _DatasourceSteps,
}


def _register(name: str, steps: Sequence[Callable[[Facts], None]]) -> None:
    def follow(facts: Facts) -> None:
        for step in steps:
            step(facts)

    DBOS.workflow(name=name)(follow)


def _work(dsn: str, name: str, style: str, concurrency: int) -> None:
    """Take workflows until standard input ends; answer each line of it with the CPU so far."""
    config: DBOSConfig = {
        "name": "peer",
        "system_database_url": _url(dsn),
        "sys_db_pool_size": concurrency + 4,
        "db_engine_kwargs": {"pool_pre_ping": False},
        "executor_id": name,
        "application_version": "1",
        "log_level": "WARNING",
    }
    DBOS(config=config)
    durable = _STYLES[style](dsn, concurrency)
    for workflow, steps in _WORKFLOWS.items():
        _register(workflow, [durable(step) for step in steps])
    DBOS.launch()
    for queue in _WORKFLOWS:
        DBOS.register_queue(
            queue, worker_concurrency=concurrency, polling_interval_sec=_POLL_SECONDS
        )
    for _ in sys.stdin:
        print(time.process_time(), flush=True)  # noqa: T201, its parent reads it
    DBOS.destroy()


class _Worker:
    def __init__(self, number: int, options: argparse.Namespace) -> None:
        command = [sys.executable, "-m", "tests.bench.peers.transact", "work", options.dsn]
        command += [f"--name=worker-{number}", f"--style={options.style}"]
        command += [f"--concurrency={options.concurrency}"]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def cpu_seconds(self) -> float:
        """Waits until it has started."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError("a worker has ended: its reason stands above")
        return float(answer)

    def end(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(60)


def _enqueue(
    client: DBOSClient, engine: sqlalchemy.Engine, name: str, people: Sequence[Facts]
) -> None:
    """A hundred in a transaction: the cheapest that its client offers."""
    for first in range(0, len(people), _ENQUEUED_TOGETHER):
        with engine.begin() as connection:
            for facts in people[first : first + _ENQUEUED_TOGETHER]:
                client.enqueue_in_transaction(
                    connection,
                    {"queue_name": name, "workflow_name": name,
                     "workflow_id": f"{name}-{facts[0]}", "app_version": "1"},
                    facts,
                )  # fmt: skip


def _await(engine: sqlalchemy.Engine, name: str, count: int) -> None:
    """Until so many workflows are done. Raises RuntimeError when one has failed."""
    query = sqlalchemy.text(
        "SELECT count(*) FILTER (WHERE status = 'SUCCESS'), count(*) FILTER (WHERE status NOT IN"
        " ('SUCCESS', 'PENDING', 'ENQUEUED')) FROM dbos.workflow_status WHERE name = :name"
    )
    while True:
        with engine.begin() as connection:
            done, failed = connection.execute(query, {"name": name}).one()
        if failed:
            raise RuntimeError(f"{failed} workflows of {name} failed: see dbos.workflow_status")
        if done == count:
            return
        time.sleep(_LOOK_SECONDS)


def _run(options: argparse.Namespace) -> None:
    workers = [_Worker(0, options)]
    workers[0].cpu_seconds()  # it has made DBOS's tables: only one may
    workers += [_Worker(number, options) for number in range(1, options.workers)]
    people = json.loads(Path(options.facts).read_text("utf-8"))
    engine = sqlalchemy.create_engine(_url(options.dsn))
    client = DBOSClient(system_database_engine=engine, application_name="peer")
    before = sum(worker.cpu_seconds() for worker in workers) + time.process_time()
    print("started", flush=True)  # noqa: T201, its parent reads it
    begun = time.monotonic()
    for name in _WORKFLOWS:
        _enqueue(client, engine, name, people)
        _await(engine, name, len(people))
    seconds = time.monotonic() - begun
    cpu = sum(worker.cpu_seconds() for worker in workers) + time.process_time() - before
    for worker in workers:
        worker.end()
    print(json.dumps({"seconds": seconds, "cpu_seconds": cpu}), flush=True)  # noqa: T201


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("run", "work"))
    parser.add_argument("dsn")
    parser.add_argument("--facts", help="a JSON file: one list per transfer")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--concurrency", type=int, default=16)
    parser.add_argument("--style", choices=sorted(_STYLES), default="plain")
    parser.add_argument("--name", default="worker-0")
    options = parser.parse_args()
    if options.what == "run":
        _run(options)
    else:
        _work(options.dsn, options.name, options.style, options.concurrency)


if __name__ == "__main__":
    main()
