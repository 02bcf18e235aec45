"""XML of a bank read in pieces: what is hostile is refused before it costs, and a big file never
stands in memory whole. PURE.

The parser of C calls us for each element; no tree is built, since all that is asked of an entry is
the text at a path.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import NoReturn, Protocol
from xml.parsers import expat

from services.settlement.lines import StatementError

_DOCUMENT = re.compile(r"[^}]*:([a-z]{4}\.[0-9]{3})\.001\.[0-9]{2}\}Document")
_DEEPEST = 64
MOST_ELEMENTS = 100_000
"""In one entry, and in the whole file outside its entries: what stands in memory at once."""
MOST_TEXT = 8 * 1024 * 1024
"""Characters, of one entry and of all that is outside."""
_PIECE = 1 << 16
LONGEST_PATH = 4096
"""Characters, of the names on the way to an element."""


class Part:
    """What an element holds: `texts` by path, the attributes' as `Amt@Ccy`, and by path `parts` of
    their own where a taker asks for `many`. An element without text has an empty one.
    """

    __slots__ = ("parts", "texts")

    def __init__(self) -> None:
        self.texts: dict[str, list[str]] = {}
        self.parts: dict[str, list[Part]] = {}


class Taker(Protocol):
    """What is done with the parts of a message of one kind."""

    @property
    def entries(self) -> frozenset[str]:
        """Elements of which there may be any number: each is handed over and forgotten."""

    @property
    def wholes(self) -> frozenset[str]:
        """Elements handed over when they end, without the entries that were in them."""

    @property
    def many(self) -> frozenset[str]:
        """Paths of what is read element by element."""

    def take(self, name: str, part: Part) -> None:
        """Takes an element. Raises StatementError."""


def parse(text: Iterable[str], takers: Mapping[str, Callable[[str], Taker]]) -> Taker:
    """Reads a message of one of the kinds (`camt.053`); its taker, which has taken all of it.

    Raises StatementError.
    """
    reader = _Reader(takers)
    parser = expat.ParserCreate(namespace_separator="}")
    parser.buffer_text, parser.buffer_size = True, _PIECE
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.data
    # Whatever declares an entity, or asks for what lies outside, stands in there.
    parser.StartDoctypeDeclHandler = _forbidden
    try:
        for number, piece in enumerate((text,) if isinstance(text, str) else text):
            parser.Parse(piece if number else piece.lstrip(), False)
        parser.Parse("", True)
    except expat.ExpatError as error:
        raise StatementError("unreadable", f"line {error.lineno}") from error
    return reader.taker


def _forbidden(*_: object) -> NoReturn:
    raise StatementError("forbidden_xml")


class _Reader:
    """Fills parts and hands them over one by one."""

    taker: Taker

    def __init__(self, takers: Mapping[str, Callable[[str], Taker]]) -> None:
        self._takers = takers
        self._part = Part()
        self._path = ""  # of the element that is open, with a slash behind it
        self._open: list[tuple[Part, str, str]] = []
        self._text: list[str] | None = None  # where the text of the open element goes
        self._handed: frozenset[str] = frozenset()
        self._many: frozenset[str] = frozenset()
        self._entry_at = 0
        self._seen = 0
        self._elements = self._length = 0
        self._outside = 0, 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition("}")[2]
        if not self._open:
            self._begin(tag)
        elif len(self._open) >= _DEEPEST:
            _forbidden()
        handed = "" if self._entry_at or name not in self._handed else name
        self._open.append((self._part, self._path, handed))
        if handed:
            self._enter(handed)
            path = ""
        else:
            path = self._below(name)
            if path in self._many:
                self._part.parts.setdefault(path, []).append(part := Part())
                self._part, path = part, ""
        self._path = f"{path}/" if path else ""
        texts = self._part.texts
        known = texts.get(path)
        if known is None:
            self._text = texts[path] = [""]
            self._length += len(path)
        else:
            known.append("")
            self._text = known
        for which, value in attributes.items():
            texts.setdefault(f"{path}@{which}", []).append(value)
            self._length += len(path) + len(which) + len(value)
        self._elements += 1
        if self._elements > MOST_ELEMENTS:
            self._refuse("too_many_elements")
        if self._length > MOST_TEXT:
            self._refuse("too_long")

    def _below(self, name: str) -> str:
        # Put together anew for each child: a long one would cost its length each time.
        if len(self._path) + len(name) > LONGEST_PATH:
            self._refuse("too_long")
        return self._path + name

    def _begin(self, tag: str) -> None:
        known = _DOCUMENT.fullmatch(tag)
        if known is None or known.group(1) not in self._takers:
            raise StatementError("unsupported_format")
        self.taker = self._takers[known.group(1)](known.group(1))
        self._handed, self._many = self.taker.entries | self.taker.wholes, self.taker.many

    def _enter(self, name: str) -> None:
        self._part = Part()
        if name in self.taker.entries:
            self._entry_at = len(self._open)
            self._outside, self._elements, self._length = (self._elements, self._length), 0, 0
            self._seen += 1

    def _refuse(self, code: str) -> NoReturn:
        raise StatementError(code, f"entry {self._seen}" if self._entry_at else "")

    def data(self, text: str) -> None:
        self._length += len(text)
        if self._length > MOST_TEXT:
            self._refuse("too_long")
        if self._text is not None:
            self._text[-1] += text

    def end(self, _: str) -> None:
        part, depth = self._part, len(self._open)
        self._part, self._path, handed = self._open.pop()
        self._text = None  # what follows stands between elements
        if depth == self._entry_at:
            self._take(handed, part, f"entry {self._seen}")
            self._entry_at, (self._elements, self._length) = 0, self._outside
        elif handed:
            self._take(handed, part, "")
            self._seen = 0

    def _take(self, name: str, part: Part, where: str) -> None:
        try:
            self.taker.take(name, part)
        except StatementError as error:
            raise StatementError(error.code, error.where or where) from error
