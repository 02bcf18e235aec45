"""Registration feeds as the provinces' systems send them: rows in order of time, as CSV files."""

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

from deploy.sandbox.people import Person
from shared.regions import Regions

# The registration system of each province sends for all its regions.
SOURCES = {"130000": "he-hrss", "340000": "ah-hrss", "410000": "ha-hrss", "450000": "gx-hrss"}

COLUMNS = (
    "source", "record_id", "action", "occurred_at", "region", "id_type", "id_no", "name", "phone",
    "scheme", "person_type", "employer_id", "residence_permit", "month", "months", "base",
    "amount", "balance", "previous_region", "reason", "paid_on", "previous_scheme", "plan_year",
    "applicant", "refers_to",
)  # fmt: skip
_NAMED = ("open", "enroll")


@dataclass(frozen=True, slots=True)
class Row:
    """One record before it has a number. `label` names it, for `refers` and for the bank."""

    at: datetime
    region: str
    action: str
    person: Person
    fields: Mapping[str, str] = field(default_factory=dict)
    label: str = ""
    refers: str = ""


@dataclass(frozen=True, slots=True)
class Feeds:
    """Numbered records by source, and which (source, record id) a label has become."""

    records: Mapping[str, Sequence[dict[str, str]]]
    labels: Mapping[str, tuple[str, str]]


def number(rows: Iterable[Row], regions: Regions) -> Feeds:
    """Give every row its source and its number there, in the order of time."""
    records: dict[str, list[dict[str, str]]] = defaultdict(list)
    labels: dict[str, tuple[str, str]] = {}
    for row in sorted(rows, key=lambda row: row.at):
        region = regions.get(row.region)
        assert region is not None, "stories play in regions that have joined"
        source = SOURCES[region.province]
        record_id = str(len(records[source]) + 1)
        if row.label:
            labels[row.label] = (source, record_id)
        referred = {"refers_to": labels[row.refers][1]} if row.refers else {}
        records[source].append(_record(row, source, record_id) | referred)
    return Feeds(records, labels)


def _record(row: Row, source: str, record_id: str) -> dict[str, str]:
    named = {"name": row.person.name, "phone": row.person.phone} if row.action in _NAMED else {}
    return {
        "source": source,
        "record_id": record_id,
        "action": row.action,
        "occurred_at": row.at.isoformat(),
        "region": row.region,
        "id_type": "01",
        "id_no": row.person.id_no,
        **named,
        **row.fields,
    }


def csv_bytes(records: Iterable[Mapping[str, str]]) -> bytes:
    """A feed file."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    return text.getvalue().encode()


def write(folder: Path, feeds: Feeds) -> None:
    """One file per source in the folder."""
    for source, records in feeds.records.items():
        (folder / f"{source}.csv").write_bytes(csv_bytes(records))


def read(folder: Path) -> list[dict[str, str]]:
    """The rows of every feed file of the folder, in its own order within a file."""
    files = sorted(folder.glob("*-hrss.csv"))
    return [row for file in files for row in _read_one(file)]


def _read_one(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        yield from csv.DictReader(file)


def by_day(records: Iterable[dict[str, str]]) -> dict[date, dict[str, list[dict[str, str]]]]:
    """The records of each day by source, days in order; a time that is none goes to the first."""
    days: dict[date, dict[str, list[dict[str, str]]]] = defaultdict(lambda: defaultdict(list))
    unread: list[dict[str, str]] = []
    for record in records:
        try:
            day = datetime.fromisoformat(record["occurred_at"]).date()
        except ValueError:
            unread.append(record)
            continue
        days[day][record["source"]].append(record)
    for record in unread:
        days[min(days)][record["source"]].append(record)
    return dict(sorted(days.items()))
