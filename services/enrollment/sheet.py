"""A CSV file of registrations as a stream: bytes to rows, answers to CSV, in bounded memory.

One line is one row. A damaged line is answered as such and ends with its line, whatever quotation
marks it left open: no field of the feed can hold a line break.
"""

import codecs
import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

LONGEST_LINE = 64 * 1024
UTF_8, GB18030 = "utf-8", "gb18030"
ANSWER = ("source", "record_id", "outcome", "code", "message", "transfer_id")
# A spreadsheet would run what begins with one of these.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class FileRefused(ValueError):
    """The file cannot be told apart into rows at all; `detail` names the columns at fault."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail


class Bad(NamedTuple):
    """A line that is no row: why, and what can still be made out of whose it is."""

    code: str
    source: str = ""
    record_id: str = ""
    outcome: Literal["unreadable", "refused"] = "unreadable"


Row = dict[str, str] | Bad


def lines(blocks: Iterable[bytes]) -> Iterator[bytes | None]:
    """The lines without their ends; None for one that is longer than any row can be."""
    kept = bytearray()
    skipping = False
    for block in blocks:
        *ended, rest = block.split(b"\n")
        for piece in ended:
            if skipping or len(kept) + len(piece) > LONGEST_LINE:
                yield None
            else:
                kept += piece
                yield bytes(kept).removesuffix(b"\r")
            kept.clear()
            skipping = False
        if skipping or len(kept) + len(rest) > LONGEST_LINE:
            skipping = True
            kept.clear()
        else:
            kept += rest
    if skipping:
        yield None
    elif kept:
        yield bytes(kept).removesuffix(b"\r")


def encoding_of(found: Iterable[bytes | None]) -> str:
    """UTF-8, unless most of the lines that are more than ASCII are GB18030.

    The whole file decides: some words in GB18030 happen to be UTF-8 as well, and one damaged
    line must not turn all others into something else.
    """
    utf_8 = gb18030 = 0
    for number, line in enumerate(found):
        if line is None or line.isascii():
            continue
        if number == 0 and line.startswith(codecs.BOM_UTF8):
            return UTF_8
        if _decoded(line, UTF_8) is not None:
            utf_8 += 1
        elif _decoded(line, GB18030) is not None:
            gb18030 += 1
    return GB18030 if gb18030 > utf_8 else UTF_8


def _decoded(line: bytes, encoding: str) -> str | None:
    try:
        return line.decode(encoding)
    except UnicodeDecodeError:
        return None


@dataclass(frozen=True, slots=True)
class Header:
    """The columns in their order. With a `code` every row is refused for it."""

    columns: tuple[str, ...]
    unknown: tuple[str, ...]
    code: str = ""
    detail: str = ""

    @property
    def place(self) -> tuple[int, int]:
        """Where source and record id stand."""
        return self.columns.index("source"), self.columns.index("record_id")


def header_of(
    line: bytes | None, encoding: str, needed: Sequence[str], known: frozenset[str]
) -> Header:
    """The header in the first line. Raises FileRefused where rows cannot be told apart."""
    if line is None:
        raise FileRefused("binary_file")
    text = _decoded(line.removeprefix(codecs.BOM_UTF8), encoding)
    if text is None or not text.replace("\t", "").isprintable():
        raise FileRefused("binary_file")
    fields = _split(text)
    if fields is None:
        raise FileRefused("unclosed_quote")
    columns = tuple(name.strip().lower() for name in fields)
    twice = sorted({name for name in columns if name in known and columns.count(name) > 1})
    missing = [name for name in needed if name not in columns]
    unknown = tuple(name for name in columns if name and name not in known)
    code = "duplicate_column" if twice else "missing_column" if missing else ""
    detail = ", ".join(twice or missing)
    if any(columns.count(name) != 1 for name in ("source", "record_id")):
        raise FileRefused(code, detail)
    return Header(columns, unknown, code, detail)


def _split(text: str) -> list[str] | None:
    """The fields of a line; None where a quotation mark is not closed."""
    if '"' not in text:
        return text.split(",")
    try:
        return next(csv.reader([text], strict=True), [])
    except csv.Error:
        return None


def rows(found: Iterable[bytes | None], header: Header, encoding: str) -> Iterator[Row]:
    """The rows after the header; blank lines are none."""
    width = len(header.columns)
    for line in found:
        if line is None:
            yield Bad("line_too_long")
            continue
        text = _decoded(line, encoding)
        if text is None:
            yield _bad("bad_encoding", line.decode(encoding, "replace").split(","), header)
            continue
        if not text.strip(" ,\t"):
            continue
        fields = _split(text)
        if fields is None:
            yield _bad("unclosed_quote", text.split(","), header)
        elif len(fields) < width or any(fields[width:]):
            yield _bad("field_count", fields, header)
        elif header.code:
            yield _bad(header.code, fields, header)._replace(outcome="refused")
        else:
            row = dict(zip(header.columns, fields, strict=False))
            yield Bad("repeated_header") if row["record_id"] == "record_id" else row


def _bad(code: str, fields: Sequence[str], header: Header) -> Bad:
    places = header.place
    if max(places) >= len(fields):
        return Bad(code)
    source, record_id = (fields[n].strip(' "') for n in places)
    shown = source + record_id
    if not shown.isprintable() or "\ufffd" in shown or len(shown) > 200:
        return Bad(code)
    return Bad(code, source, record_id)


def answer_lines(answers: Iterable[Sequence[str]]) -> bytes:
    """Answers as CSV in which no value can be taken for a formula."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    for answer in answers:
        writer.writerow(["'" + v if v.startswith(_FORMULA) else v for v in answer])
    return out.getvalue().encode()
