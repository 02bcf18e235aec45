"""intake registrations and intake statement: files in, an answer per row out.

Memory stays flat whatever the size: the file is sent as a stream, and the answers are written as
they come, to a file that takes its name only when it is whole.
"""

import csv
import io
import json
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Annotated, Any, TypeVar

import typer

from services.monitor.commands import decisions, screen
from services.monitor.commands.client import EXIT_REFUSED, Client, Later, Refused, connected
from services.monitor.commands.screen import Json

_ANSWER = ("source", "record_id", "outcome", "code", "message", "transfer_id")
_OUTCOMES = ("accepted", "duplicate", "refused", "unreadable")
# The statuses with which enrollment refuses what a file holds, and not who sends it.
_UNREADABLE = frozenset({400, 413, 415, 422})
_CHUNK_BYTES = 256 * 1024
_TOLD_ROWS = 1000
_WAIT_SECONDS = 600.0

intake = typer.Typer(help="Send files: registrations (CSV), bank statements (camt or CSV).")
Answer = TypeVar("Answer")
File = Annotated[str, typer.Argument(metavar="FILE", help="`-` reads standard input.")]


@intake.command()
def registrations(
    file: File,
    *,
    check: Annotated[
        bool, typer.Option("--check", help="Read and answer without changing anything.")
    ] = False,
    wait: Annotated[
        bool, typer.Option("--wait", help="Wait for the decisions, and add them as a column.")
    ] = False,
    timeout: Annotated[
        float, typer.Option(min=0, help="Seconds to wait for the decisions.")
    ] = _WAIT_SECONDS,
    result: Annotated[
        Path | None, typer.Option(help="Where the answers go; FILE.result.csv.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Send a registration feed; FILE.result.csv has an answer per row, or one for the file."""
    if check and wait:
        raise typer.BadParameter("--check decides nothing that --wait could wait for")
    path = _place(file, result)
    with (
        connected() as client,
        _opened(file) as source,
        screen.working("sending", quiet=as_json) as say,
    ):
        tally = send(client, source, path, check=check, say=say)
        decided: Counter[str] = Counter()
        if wait:
            decided = decisions.add(client, path, time.monotonic() + timeout, say)
    document: dict[str, Any] = {"file": file, "result": str(path), "checked_only": check, **tally}
    if wait:
        document["decisions"] = dict(sorted(decided.items()))
    screen.answer(document, as_json, lambda: _summary(document))
    if tally["code"]:
        screen.remark(f"{tally['code']}: {tally['message']}")
    if undecided := decided.get(decisions.UNDECIDED):
        screen.remark(f"{undecided} rows were not decided within {timeout:g} s")
    if tally["code"] or undecided:
        raise typer.Exit(EXIT_REFUSED)


def _place(file: str, result: Path | None) -> Path:
    """Where the answers go. Raises typer.BadParameter."""
    path = result or Path("stdin.result.csv" if file == "-" else f"{file}.result.csv")
    if file != "-" and path.resolve() == Path(file).resolve():
        raise typer.BadParameter("--result would overwrite the feed itself")
    return path


def send(
    client: Client,
    source: IO[bytes],
    result: Path,
    *,
    check: bool = False,
    say: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """Send a feed and write its answers to `result`, whole; what came out, counted.

    `code` and `message` say why the file as a whole is refused where its rows could still be
    answered. Where they could not, the only row of `result` says so and Refused is raised. Answers
    of an earlier run are gone first, so that nobody takes them for those of this one. Raises
    Unreachable.
    """
    screen.ensure_writable(result)
    result.unlink(missing_ok=True)

    def sent() -> dict[str, Any]:
        source.seek(0)
        return _exchanged(client, source, result, check=check, say=say)

    try:
        return patiently(sent, say)
    except Refused as refused:
        if refused.status in _UNREADABLE:
            _answer_whole(refused, result)
        raise


def patiently(send: Callable[[], Answer], say: Callable[[str], None] = lambda _: None) -> Answer:
    """Sends, and sends again for as long as the service has too much to do, when it says."""
    told = False
    while True:
        try:
            return send()
        except Later as later:
            if not told:
                screen.remark(f"{later.message}; it is sent again until it is taken")
                told = True
            say(f"waiting {later.seconds:g} s: the service has too much to do")
            time.sleep(later.seconds)


def _answer_whole(refused: Refused, result: Path) -> None:
    """One row for a file that could not be told into rows."""
    with screen.whole_file(result) as file:
        text = io.TextIOWrapper(file, "utf-8", newline="", write_through=True)
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(_ANSWER)
        message = refused.message.removeprefix("enrollment: ")
        writer.writerow(("", "", "unreadable", refused.code, message, ""))
        text.detach()


def _exchanged(
    client: Client, source: IO[bytes], result: Path, *, check: bool, say: Callable[[str], None]
) -> dict[str, Any]:
    outcomes: Counter[str] = Counter()
    codes: Counter[str] = Counter()
    path = "/v1/registrations/file"
    flag = "true" if check else None
    with (
        client.upload("enrollment", path, _chunks(source, say), check=flag) as response,
        screen.whole_file(result) as answers,
    ):
        lines = _copied(response.iter_bytes(_CHUNK_BYTES), answers)
        for count, row in enumerate(csv.DictReader(lines), start=1):
            outcomes[row["outcome"]] += 1
            codes[row["code"]] += 1
            if count % _TOLD_ROWS == 0:
                say(f"{count} rows answered")
        notes = json.loads(response.headers.get("jiexu-notes", "{}"))
    del codes[""]
    return {
        "code": notes.get("code"),
        "message": notes.get("message"),
        "unknown_columns": notes.get("unknown_columns", []),
        "rows": outcomes.total(),
        "outcomes": {name: outcomes[name] for name in _OUTCOMES},
        "codes": dict(sorted(codes.items())),
    }


def _copied(chunks: Iterator[bytes], to: IO[bytes]) -> Iterator[str]:
    """The lines of the answer, each written to the file before it is counted."""
    rest = b""
    for chunk in chunks:
        to.write(chunk)
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield line.decode("utf-8-sig") + "\n"
    if rest:
        yield rest.decode("utf-8-sig")


def _chunks(source: IO[bytes], say: Callable[[str], None]) -> Iterator[bytes]:
    sent = 0
    while chunk := source.read(_CHUNK_BYTES):
        yield chunk
        sent += len(chunk)
        say(f"{sent / 1e6:.1f} MB sent")
    say("waiting for the first answers")


@contextmanager
def _opened(file: str) -> Iterator[IO[bytes]]:
    """The file, or standard input. Raises typer.BadParameter."""
    if file == "-":
        with _kept(sys.stdin.buffer) as kept:
            yield kept
        return
    try:
        source = Path(file).open("rb")  # noqa: SIM115 closed below
    except OSError as error:
        raise typer.BadParameter(f"cannot read {file}: {error.strerror}") from error
    with source:
        if source.seekable():
            yield source
            return
        with _kept(source) as kept:
            yield kept


@contextmanager
def _kept(source: IO[bytes]) -> Iterator[IO[bytes]]:
    """What can be read only once, on disk: it may have to be sent more than once."""
    with tempfile.TemporaryFile() as kept:
        shutil.copyfileobj(source, kept)
        kept.seek(0)
        yield kept


def _summary(document: dict[str, Any]) -> list[Any]:
    shown = [screen.table("outcomes", ("outcome", "rows>"), document["outcomes"].items())]
    if document["codes"]:
        shown.append(screen.table("why", ("code", "rows>"), document["codes"].items()))
    if "decisions" in document:
        rows = document["decisions"].items()
        shown.append(screen.table("decisions", ("decision", "rows>"), rows))
    if document["unknown_columns"]:
        shown.append(f"not known and not read: {', '.join(document['unknown_columns'])}")
    checked = ", nothing was changed" if document["checked_only"] else ""
    return [*shown, f"{document['rows']} rows; an answer for each in {document['result']}{checked}"]


@intake.command()
def statement(file: File, *, as_json: Json = False) -> None:
    """Send a bank statement: camt.053, camt.054 or CSV, taken whole or not at all."""
    with connected() as client, _opened(file) as source:
        body = source.read()
        document = patiently(lambda: client.post("settlement", "/v1/statements", body))
    screen.answer(document, as_json, lambda: _taken(document))


def _taken(document: dict[str, Any]) -> list[Any]:
    columns = ("statement", "account", "entries>", "accepted>", "duplicate>", "ignored>", "gap")
    return [screen.records("statements", columns, document["statements"]), *document["codes"]]


def register(app: typer.Typer) -> None:
    """Add the family to the command line."""
    app.add_typer(intake, name="intake", rich_help_panel="Sending")
