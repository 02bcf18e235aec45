"""What a command prints: one JSON document for programs, tables for people.

Answers go to standard output; progress and remarks go to standard error.
"""

import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any

import typer

from services.monitor.commands.client import Refused

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

JSON_WANTED = "jiexu.json"
_UNSEEN_COLUMNS = 240
# A phone or ID number, and no part of a transfer's id.
_NUMBERS = re.compile(r"(?<![0-9A-Za-z-])\d{11,}[Xx]?(?![0-9A-Za-z-])")


def _remember(context: typer.Context, wanted: bool) -> bool:  # noqa: FBT001 typer's form
    """Let the outermost command know how to print a refusal."""
    # `jiexu clock --json set T` asks for it before the last command is known.
    wanted = wanted or bool(context.meta.get(JSON_WANTED))
    context.meta[JSON_WANTED] = wanted
    return wanted


Json = Annotated[
    bool,
    typer.Option(
        "--json",
        callback=_remember,
        is_eager=True,
        help="One JSON document on standard output; everything else goes to standard error.",
    ),
]


def answer(
    document: object, as_json: bool, view: "Callable[[], RenderableType | Sequence[Any]]"  # noqa: FBT001
) -> None:  # fmt: skip
    """Print the document, or what `view` makes of it for people."""
    if as_json:
        print_json(document)
        return
    seen = view()
    for part in seen if isinstance(seen, (list, tuple)) else (seen,):
        console().print(part)


def print_json(document: object) -> None:
    """One document, in UTF-8 whatever the terminal's encoding is."""
    typer.echo(json.dumps(document, ensure_ascii=False, indent=2).encode())


def print_json_array(rows: Iterable[object]) -> None:
    """One document of any length: its rows are written as they come."""
    opened = False
    for row in rows:
        text = json.dumps(row, ensure_ascii=False)
        typer.echo((",\n" if opened else "[\n").encode() + text.encode(), nl=False)
        opened = True
    typer.echo(b"\n]" if opened else b"[]")


def print_json_line(row: object) -> None:
    """One document of a stream that has no end."""
    typer.echo(json.dumps(row, ensure_ascii=False).encode())


def console(*, errors: bool = False) -> "Console":
    """The terminal as rich knows it, made now: a test may have put another stream in place."""
    from rich.console import Console

    looked_at = (sys.stderr if errors else sys.stdout).isatty()
    # What goes into a file or a pipe is searched, not looked at: nothing of it is folded.
    width = None if looked_at else _UNSEEN_COLUMNS
    return Console(stderr=errors, width=width, highlight=False, emoji=False, markup=False)


def remark(text: str) -> None:
    """Say something beside the answer."""
    typer.echo(masked(text), err=True)


def masked(text: str) -> str:
    """The text with every long number hidden: it may be somebody's."""
    return _NUMBERS.sub(lambda found: f"{found[0][:4]}{'*' * (len(found[0]) - 4)}", text)


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Any:  # noqa: ANN401
    """A table; a column whose name ends in `>` is set to the right, the first is kept whole."""
    from rich.table import Table

    made = Table(
        title=title, title_justify="left", box=None, pad_edge=False, header_style="bold underline"
    )
    made.show_header = any(columns)
    for index, column in enumerate(columns):
        made.add_column(
            column.rstrip(">"),
            justify="right" if column.endswith(">") else "left",
            no_wrap=index == 0,
            overflow="fold",
        )
    for row in rows:
        made.add_row(*(cell(value) for value in row))
    return made


def facts(title: str, found: Mapping[str, object]) -> Any:  # noqa: ANN401 rich's table
    """The plain fields of one object that have a value, one under the other."""
    plain = {name: value for name, value in found.items() if value not in (None, "", [], {})}
    rows = ((name, v) for name, v in plain.items() if not isinstance(v, (list, dict)))
    return table(title, ("", ""), rows)


def records(title: str, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> Any:  # noqa: ANN401
    """A table of objects, whose columns are named like their fields."""
    names = [column.rstrip(">") for column in columns]
    return table(title, columns, ([row.get(name) for name in names] for row in rows))


def cell(value: object) -> str:
    """A value as people read it."""
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


def moment(value: object) -> str:
    """An ISO time to the minute, without its offset (all are Asia/Shanghai)."""
    return str(value)[:16].replace("T", " ") if value else "–"


def last_day(value: object) -> str:
    """The last day before an ISO due time, which is midnight at the end of that day."""
    if not value:
        return "–"
    return (datetime.fromisoformat(str(value)) - timedelta(seconds=1)).date().isoformat()


@contextmanager
def working(text: str, *, quiet: bool) -> Iterator[Callable[[str], None]]:
    """A spinner on standard error while something lasts; nothing where nobody looks."""
    if quiet or not sys.stderr.isatty():
        yield lambda _: None
        return
    with console(errors=True).status(text) as status:
        yield status.update


@contextmanager
def whole_file(path: Path) -> Iterator[IO[bytes]]:
    """A file that gets its name when it is whole; after a failure there is no trace of it.

    Raises Refused where it cannot be written.
    """
    partial = _partial(path)
    with _writing(path):
        try:
            with partial.open("wb") as file:
                yield file
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)


def ensure_writable(path: Path) -> None:
    """Look before something is asked for that cannot be undone. Raises Refused."""
    with _writing(path):
        if path.exists() and not path.is_file():
            raise Refused("not_written", f"cannot write {path}: it is there and is no plain file")
        partial = _partial(path)
        partial.touch()
        partial.unlink()


def _partial(path: Path) -> Path:
    return path.with_name(f".{path.name}.{os.getpid()}.partial")


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Refused("not_written", f"cannot write {path}: {error.strerror}") from error
