"""What the rules decided about the rows of a feed, added to its answer file."""

import csv
import io
import itertools
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from services.monitor.commands.client import Client
from services.monitor.commands.screen import whole_file
from services.monitor.commands.waiting import survey, unfinished

COLUMN = "decision"
UNDECIDED = "undecided"
_ROWS_ASKED = 1000
_AWAITED = frozenset({"accepted", "duplicate"})
_TOLD = ("code", "message", "transfer_id")
_ROUND_SECONDS = 0.1
_FORMULA = ("'=", "'+", "'-", "'@", "'\t", "'\r")

Row = dict[str, str]
Key = tuple[str, str]


def add(
    client: Client, path: Path, deadline: float, say: Callable[[str], None] = lambda _: None
) -> Counter[str]:
    """Write the answers again with their decisions; how often each was made.

    A row that is not decided by `deadline` (monotonic) is `undecided`.
    """
    made: Counter[str] = Counter()
    with path.open(encoding="utf-8-sig", newline="") as answers, whole_file(path) as file:
        reader = csv.DictReader(answers)
        text = io.TextIOWrapper(file, "utf-8", newline="", write_through=True)
        columns = [name for name in reader.fieldnames or () if name != COLUMN]
        writer = csv.DictWriter(text, [*columns, COLUMN], lineterminator="\n")
        writer.writeheader()
        while chunk := list(itertools.islice(reader, _ROWS_ASKED)):
            _decide(client, chunk, deadline)
            made.update(row[COLUMN] for row in chunk if row["outcome"] in _AWAITED)
            writer.writerows(chunk)
            say(f"{made.total()} rows decided")
        text.detach()
    return made


def _decide(client: Client, rows: Sequence[Row], deadline: float) -> None:
    """Fill in the decision of each row that waits for one."""
    wanted = [_key(row) for row in rows if row["outcome"] in _AWAITED]
    found = _await(client, wanted, deadline) if wanted else {}
    for row in rows:
        row[COLUMN] = ""
        if row["outcome"] in _AWAITED:
            made = found.get(_key(row), {COLUMN: UNDECIDED})
            row[COLUMN] = made[COLUMN]
            # Why it was refused, and the transfer that it began, where the row has neither yet.
            row.update({name: row[name] or made.get(name) or "" for name in _TOLD})


def _await(client: Client, keys: Sequence[Key], deadline: float) -> dict[Key, Row]:
    """The decisions, asked for until all are there or nothing more can come."""
    while True:
        # Looked at before asking: what was handled by then is in the answer.
        settled = not any(map(unfinished, survey(client)))
        found = _ask(client, keys)
        if len(found) == len(set(keys)) or settled or time.monotonic() >= deadline:
            return found
        time.sleep(_ROUND_SECONDS)


def _ask(client: Client, keys: Sequence[Key]) -> dict[Key, Row]:
    body = [{"source": source, "record_id": record_id} for source, record_id in keys]
    rows = client.post("enrollment", "/v1/records/decisions", body)
    return {(row["source"], row["record_id"]): row for row in rows if row[COLUMN]}


def _key(row: Row) -> Key:
    return _as_sent(row["source"]), _as_sent(row["record_id"])


def _as_sent(text: str) -> str:
    """Without the apostrophe that keeps a spreadsheet from taking a value for a formula."""
    return text[1:] if text.startswith(_FORMULA) else text
