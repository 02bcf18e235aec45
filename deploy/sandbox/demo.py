"""The main job on shipped input, from nothing to the closing report.

An own stack is started, registrations come in day by day, people are credited in advance, and
weeks of working days pass in which the bank pays as banks do. Ends with 0 only if every outcome
was reached and every invariant of the books holds; nothing is left running.
"""

import asyncio
import json
import sys
import time as real
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from operator import itemgetter
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from deploy.embedded import stack
from deploy.sandbox import amendments, cast, fates, feed, own_stack, report, truth
from deploy.sandbox import office as office_of
from deploy.sandbox.amendments import Amendment
from deploy.sandbox.bank import Bank
from deploy.sandbox.fates import Temper
from deploy.sandbox.network import Network, begin_at, joined
from deploy.sandbox.office import Office, opened
from deploy.sandbox.report import Evenings
from shared import regions
from shared.calendar import SHANGHAI, WorkingCalendar
from shared.settings import Settings

INPUT = Path(__file__).parent / "input"
# A quarter: ten days of registrations and what follows them, two month ends, and the days until
# the net sheets of April and May are paid.
WORKING_DAYS = 80
_MORNING, _EVENING = time(8, 0), time(18, 0)
# Rows in one upload: as a province's system sends its changes every few minutes.
_CHUNK_ROWS = 25
_CALENDAR = WorkingCalendar()


@dataclass(slots=True)
class Run:
    """What one demo works with, and what it has counted."""

    network: Network
    bank: Bank
    days: dict[date, dict[str, list[dict[str, str]]]]
    known: regions.Regions
    office: Office
    amended: Sequence[Amendment]
    counts: Counter[str] = field(default_factory=Counter)
    evenings: Evenings = field(default_factory=Evenings)


def run(
    home: Path,
    console: Console,
    as_json: bool = False,  # noqa: FBT001, FBT002 the command line's form
    *,
    keep: bool = False,
    seed: int = cast.SEED,
    people: int | None = None,
) -> int:
    """Play the demo in `home`/demo; 0 if all went as it must. `people` makes new input."""
    folder = home.expanduser().absolute() / "demo"
    started = real.monotonic()
    console.print("Starting Kafka, PostgreSQL and the five services")

    def tell(text: str) -> None:
        console.print(f"  {text}")

    with own_stack.started(folder, tell, keep=keep) as running:
        source = INPUT
        if people is not None:
            source = folder / "input"
            cast.write(source, seed, people)
        with joined(running, folder / "answers") as network:
            played = _play(running, network, source, seed, console)
            faults = truth.check(network, played.bank.folder, played.known)
            arrived = truth.arrived(network, played.bank.folder, played.known)
            played.evenings.decided.update(played.office.done)
            content = report.compile_report(
                network, played.counts, arrived, faults, played.evenings
            )
    content["seconds"] = round(real.monotonic() - started, 1)
    if as_json:
        sys.stdout.write(json.dumps(content, ensure_ascii=False, indent=2) + "\n")
    report.show(console, content)
    if keep:
        console.print(f"Still running. Look around with JIEXU_HOME={folder} jiexu transfers")
    return 0 if content["ok"] else 1


def _play(running: stack.Stack, network: Network, source: Path, seed: int, console: Console) -> Run:
    known = regions.load(Settings().regions)
    temper = Temper(seed, orders=fates.read_orders(source / "bank.csv"))
    days = feed.by_day(feed.read(source))
    bank = Bank(running.home / "bank", known, temper)
    calendar = _days(days)
    asyncio.run(begin_at(running, datetime.combine(calendar[0], _MORNING, SHANGHAI)))
    with opened(running, network) as office, _progress(console, len(calendar)) as advance:
        amended = amendments.read(source / "amendments.csv")
        played = Run(network, bank, days, known, office, amended)
        for day in calendar:
            _day(played, day)
            advance(day, played.counts)
        for path in played.bank.rest():
            _tell(played, path)
        network.quiet()
    return played


def _days(feeds: Collection[date]) -> list[date]:
    """Every working day from the first on which something is sent, and other days of feeds."""
    day = min(feeds)
    found, working = [], 0
    while working < WORKING_DAYS or day <= max(feeds):
        if works := _CALENDAR.is_working_day(day):
            working += 1
        if works or day in feeds:
            found.append(day)
        day += timedelta(days=1)
    return found


def _day(played: Run, day: date) -> None:
    """One day: registrations by evening, instructions to the bank, its statements."""
    network, counts = played.network, played.counts
    network.go_to(datetime.combine(day, _EVENING, SHANGHAI))
    for records in played.days.get(day, {}).values():
        for start in range(0, len(records), _CHUNK_ROWS):
            chunk = records[start : start + _CHUNK_ROWS]
            outcomes = network.register(chunk)
            counts["rows"] += outcomes.total()
            counts.update({f"rows {outcome}": n for outcome, n in outcomes.items()})
            # Those who move come in one file after the other, as through a day: not in one burst.
            if any(record["action"] in ("enroll", "apply") for record in chunk):
                network.quiet()
    if not _CALENDAR.is_working_day(day):
        return
    found = (network.instructions(code, day) for code in played.known.entities)
    if payments := sum(played.bank.take(xml, day) for xml in found if xml):
        counts["payments instructed"] += payments
        # What is instructed is in the books before the bank can tell of it.
        network.quiet()
    for path in played.bank.work(day):
        _tell(played, path)
    network.quiet()
    _decide(played, day)
    _look(played, day)


def _decide(played: Run, day: date) -> None:
    """What people decide in the evening, two of them each time."""
    office = played.office
    true = truth.read(played.bank.folder, played.known)
    office.decide(
        [
            *office_of.evening(office, true, day),
            *office_of.amended(played.amended, day),
            *office_of.losses(office, played.bank, day),
            *office_of.trusted_again(office, day),
        ]
    )
    for sheet in office.sheets():
        if sheet["state"] == "published" and not office.done["net lines disputed"]:
            # They come in the order of people's keys, which no two stacks have alike.
            line = min(office.lines(sheet["month"]), key=itemgetter("line"))
            office.dispute(line, line["corridor"][-6:], "the amount is asked for once more")


def _look(played: Run, day: date) -> None:
    """The books must hold every evening; and what comes and goes is noted."""
    balance = played.network.ask("settlement", "/v1/trial-balance")
    played.evenings.look(day, balance, played.network.ask("settlement", "/v1/exposure"))


def _tell(played: Run, path: Path) -> None:
    content = path.read_bytes()
    played.network.tell(content)
    what = "statements" if b"<Stmt>" in content else "other messages of the bank"
    played.counts[what] += 1
    played.counts["statement entries"] += content.count(b"<Ntry>")


@contextmanager
def _progress(console: Console, total: int) -> "Iterator[_Advance]":
    """A bar on a terminal, else a line per week."""
    if not console.is_terminal:
        yield _Advance(console, total)
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        yield _Advance(console, total, bar, bar.add_task("", total=total))


@dataclass(slots=True)
class _Advance:
    """Tells that a day is over."""

    console: Console
    total: int
    bar: Progress | None = None
    task: TaskID | None = None
    done: int = 0

    def __call__(self, day: date, counts: Counter[str]) -> None:
        self.done += 1
        text = (
            f"{day:%Y-%m-%d %a}  {counts['rows']} registrations · "
            f"{counts['payments instructed']} payments · {counts['statement entries']} bank entries"
        )
        if self.bar is not None and self.task is not None:
            self.bar.update(self.task, completed=self.done, description=text)
        elif self.done % 5 == 0 or self.done == self.total:
            self.console.print(f"  day {self.done}/{self.total}  {text}")
