"""transfers, transfer, person, receipts, exposure: what is asked about cases."""

import heapq
import itertools
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any
from uuid import UUID

import typer

from services.monitor.commands import screen
from services.monitor.commands.client import NOT_FOUND, Client, Refused, connected, dead_letters
from services.monitor.commands.screen import Json, last_day, moment

_PANEL = "Cases"
_SHOWN_ROWS = 100
_MOST_LETTERS = 10_000
_MOST_RECEIPTS = 10_000
_PERSON_KEY = re.compile(r"[0-9a-f]{32}")

Row = dict[str, Any]
IdType = Annotated[str, typer.Option("--id-type", help="01 citizen ID, 02 … other documents.")]
TransferId = Annotated[UUID, typer.Argument(metavar="ID", help="The transfer's id.")]


def transfers(
    *,
    person: Annotated[
        str | None, typer.Option(metavar="ID_NO", help="One person's; `-` reads standard input.")
    ] = None,
    id_type: IdType = "01",
    state: Annotated[str | None, typer.Option(help="Of record or money: joined, short.")] = None,
    region: Annotated[str | None, typer.Option(help="Origin or destination.")] = None,
    stuck: Annotated[
        bool, typer.Option("--stuck", help="Open and overdue, or held by a dead letter.")
    ] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="All with --json, else 100.")] = None,
    after: Annotated[UUID | None, typer.Option(metavar="ID", help="Go on after this one.")] = None,
    as_json: Json = False,
) -> None:
    """The transfers, the oldest first."""
    with connected() as client:
        key = None if person is None else person_of(client, id_type, person)["person_key"]
        wanted = limit if limit or as_json else _SHOWN_ROWS
        last = None if after is None else str(after)
        filters = {"person": key, "state": state, "region": region}
        rows: Iterable[Row] = (
            itertools.islice(_stuck(client, last, filters), wanted)
            if stuck
            else client.pages("transfer", "/v1/transfers", "transfer_id", wanted, last, **filters)
        )
        if as_json:
            screen.print_json_array(rows)
            return
        shown = list(rows)
    screen.answer(shown, as_json, lambda: _transfers(shown, wanted))


def _stuck(client: Client, after: str | None, filters: Mapping[str, str | None]) -> Iterable[Row]:
    """Those that are open and overdue, or whose person's messages wait behind a dead letter."""
    path, asked = "/v1/transfers", {**filters, "stuck": "true"}
    overdue = client.pages("transfer", path, "transfer_id", None, after, **asked)
    start = _place(client.get("transfer", f"{path}/{after}")) if after else ("", "")
    held = sorted((row for row in _held(client, filters) if _place(row) > start), key=_place)
    both = {row["transfer_id"] for row in held}
    once = (row for row in overdue if row["transfer_id"] not in both)
    return heapq.merge(once, held, key=_place)


def _place(row: Row) -> tuple[str, str]:
    """Where a transfer stands in a list: the oldest first."""
    return row["opened_at"], row["transfer_id"]


def _held(client: Client, filters: Mapping[str, str | None]) -> Iterator[Row]:
    """The open transfers of the people whose messages wait."""
    heads: dict[str, Row] = {}
    for letter in dead_letters(client, _MOST_LETTERS):
        if _PERSON_KEY.fullmatch(letter["key"]) and letter.get("state") != "parked":
            heads.setdefault(letter["key"], letter)
    people = sorted(heads)
    for key in people:
        if filters["person"] in (None, key):
            rows = client.get("transfer", "/v1/transfers", **{**filters, "person": key})
            for row in rows:
                if not row["closed"]:
                    yield {**row, "waiting": [_behind(heads[key])]}


def _behind(letter: Row) -> Row:
    """What a transfer waits for whose person's messages wait behind a dead letter."""
    return {
        "leg": "both",
        "for": f"a dead letter: {letter['type']} ({letter['code']}) at {letter['service']}",
        "of": letter["service"],
        "since": letter["recorded_at"],
        "do": f"jiexu dead-letters show {letter['letter']}",
    }


def _waiting(rows: list[Row]) -> Any:  # noqa: ANN401 rich's table
    columns = ("transfer", "waits for", "of", "since", "what to do")
    cells = (
        (row["transfer_id"], wait["for"], wait["of"], moment(wait["since"]), wait["do"])
        for row in rows
        for wait in row.get("waiting", ())
    )
    return screen.table("what they wait for", columns, cells)


def _transfers(rows: list[Row], wanted: int | None) -> list[Any]:
    columns = ("transfer", "corridor", "record", "money", "advanced>", "due", "reason")
    cells = (
        (
            row["transfer_id"],
            f"{row['origin']}>{row['destination']}",
            row["record"],
            row["money"],
            row["advanced"],
            f"{last_day(row['due_at'])}{' late' if row['overdue'] else ''}",
            row["reason"],
        )
        for row in rows
    )
    shown = [screen.table(f"{len(rows)} transfers", columns, cells)]
    if any("waiting" in row for row in rows):
        shown.append(_waiting(rows))
    if wanted is not None and len(rows) == wanted:
        shown.append(f"more: --after {rows[-1]['transfer_id']}")
    return shown


def transfer(id_: TransferId, *, as_json: Json = False) -> None:
    """One transfer with its timeline, and what people had or have to decide about it."""
    with connected() as client:
        found = client.get("transfer", f"/v1/transfers/{id_}")
        found["timeline"] = timeline_of(client, str(id_))
        found["items"] = client.get("settlement", f"/v1/items/of/{id_}")
    screen.answer(found, as_json, lambda: _one(found))


def timeline_of(client: Client, transfer: str) -> list[Row]:
    """What happened to a transfer, and what its person was told."""
    from services.monitor.timeline import with_letters

    try:
        found = client.get("monitor", f"/v1/timeline/{transfer}")
    except Refused as refused:
        # The event log may be a moment behind the case.
        if refused.status == NOT_FOUND:
            return []
        raise
    letters = client.get("notification", "/v1/letters", transfer=transfer)
    return with_letters(found["timeline"], letters)


def items_of(rows: list[Row]) -> list[Any]:
    """What people decide about a transfer: each item with what was done, when and by whom."""
    steps = (
        {"item": row["item"], "queue": row["queue"], "state": row["state"], **step}
        for row in rows
        for step in row["history"]
    )
    columns = ("item", "queue", "state", "at", "what", "by", "act", "why")
    return [screen.records("items", columns, steps)] if rows else []


def _one(found: Row) -> list[Any]:
    waits = [_waiting([found])] if found.get("waiting") else []
    steps = ((moment(row["at"]), row["message"], row["text"]) for row in found["timeline"])
    due = {"due_at": last_day(found["due_at"])} if found.get("due_at") else {}
    return [
        screen.facts("transfer", {**found, **due}),
        *waits,
        *items_of(found["items"]),
        screen.table("timeline", ("at", "message", "text"), steps),
    ]


def person(
    id_no: Annotated[str, typer.Argument(metavar="ID_NO", help="`-` reads standard input.")],
    *,
    id_type: IdType = "01",
    as_json: Json = False,
) -> None:
    """Enrollments, months, entitlement and account balances of one person, per region."""
    with connected() as client:
        found = person_of(client, id_type, id_no)
        key = found.pop("person_key")
        found["accounts"] = client.post("settlement", "/v1/accounts", {"person_key": key})
    screen.answer(found, as_json, lambda: _about(found))


def person_of(client: Client, id_type: str, id_no: str) -> Row:
    """The person of an ID number, which travels in a body and never in an address."""
    number = sys.stdin.readline().strip() if id_no == "-" else id_no.strip()
    if not number:
        raise typer.BadParameter("no ID number was given")
    found: Row = client.post("enrollment", "/v1/persons", {"id_type": id_type, "id_no": number})
    return found


def _about(found: Row) -> list[Any]:
    columns = ("region", "scheme", "state", "months", "total>", "entitled from", "waiting>")
    enrollments = (
        (
            row["region"],
            row["scheme"],
            row["state"],
            " ".join(row["months"]),
            row["months_total"],
            row["entitled_from"],
            row["waiting_months"],
        )
        for row in found["enrollments"]
    )
    accounts = (
        (row["region"], row["balance"], row["unfunded"], row["recoverable"])
        for row in found["accounts"]
    )
    covered = "covered today" if found["covered_today"] else "not covered today"
    following = found.get("next")
    said = f"; next: {following['what']} ({following['at']})" if following else ""
    return [
        f"{found['person']}: {covered}{said}",
        screen.table("enrollments", columns, enrollments),
        screen.table("accounts", ("region", "balance>", "unfunded>", "recoverable>"), accounts),
    ]


def receipts(
    *,
    state: Annotated[str | None, typer.Option(help="unmatched, matched, …")] = None,
    region: Annotated[str | None, typer.Option(help="Whose bank account received it.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=_MOST_RECEIPTS)] = _MOST_RECEIPTS,
    as_json: Json = False,
) -> None:
    """What the bank received, and what it was matched to."""
    with connected() as client:
        rows = client.get("settlement", "/v1/receipts", state=state, region=region, limit=limit)
    names = ("receipt", "part>", "region", "booked_on", "state", "verdict", "rule")
    amounts = ("amount>", "applied>", "in_suspense>")
    screen.answer(rows, as_json, lambda: screen.records("receipts", (*names, *amounts), rows))
    if len(rows) == limit:
        screen.remark(f"there may be more than these {limit}: narrow it by --state or --region")


def exposure(*, as_json: Json = False) -> None:
    """Open advances per corridor against the limit, and how old they are (working days)."""
    with connected() as client:
        rows = client.get("settlement", "/v1/exposure")
    screen.answer(rows, as_json, lambda: _exposed(rows))


def _exposed(rows: list[Row]) -> Any:  # noqa: ANN401 rich's table
    names = ("corridor", "open", "limit", "count")
    buckets = list(rows[0]["ages"]) if rows else []
    more = ("largest", "oldest_working_days", "age_limit", "warned_percent")
    cells = (
        (
            *(row[name] for name in names),
            *row["ages"].values(),
            *(row.get(name) for name in more),
            (row.get("suspended") or {}).get("code"),
        )
        for row in rows
    )
    columns = ("corridor", "open>", "limit>", "count>", *(f"{bucket} wd>" for bucket in buckets))
    others = ("largest>", "oldest wd>", "age limit wd>", "warned %>", "suspended")
    return screen.table("exposure", (*columns, *others), cells)


def register(app: typer.Typer) -> None:
    """Add the family to the command line."""
    for command in (transfers, transfer, person, receipts, exposure):
        app.command(rich_help_panel=_PANEL)(command)
