"""XML of a bank read in pieces: what is hostile is refused before it costs, and a big file never
stands in memory whole. PURE.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol
from xml.etree.ElementTree import Element, ParseError, TreeBuilder

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from services.settlement.lines import StatementError

_DOCUMENT = re.compile(r"\{[^}]*:([a-z]{4}\.[0-9]{3})\.001\.[0-9]{2}\}Document")
_DEEPEST = 64
MOST_ELEMENTS = 100_000
"""In one entry, and in the whole file outside its entries: what stands in memory at once."""
MOST_TEXT = 8 * 1024 * 1024
"""Characters, of one entry and of all that is outside."""


class Taker(Protocol):
    """What is done with the parts of a message of one kind."""

    @property
    def entries(self) -> frozenset[str]:
        """Elements of which there may be any number: each is handed over and forgotten."""

    @property
    def wholes(self) -> frozenset[str]:
        """Elements handed over when they end, without the entries that were in them."""

    def take(self, name: str, element: Element) -> None:
        """Takes an element. Raises StatementError."""


def parse(text: Iterable[str], takers: Mapping[str, Callable[[str], Taker]]) -> Taker:
    """Reads a message of one of the kinds (`camt.053`); its taker, which has taken all of it.

    Raises StatementError.
    """
    reader = _Reader(takers)
    parser = DefusedXMLParser(target=reader, forbid_dtd=True)
    try:
        for number, piece in enumerate((text,) if isinstance(text, str) else text):
            parser.feed(piece if number else piece.lstrip())
        parser.close()
    except ParseError as error:
        raise StatementError("unreadable", f"line {error.position[0]}") from error
    except DefusedXmlException as error:
        raise StatementError("forbidden_xml") from error
    return reader.taker


class _Reader:
    """Builds the tree and hands it over piece by piece."""

    taker: Taker

    def __init__(self, takers: Mapping[str, Callable[[str], Taker]]) -> None:
        self._takers = takers
        self._builder = TreeBuilder()
        self._open: list[Element] = []
        self._outside = self._measure = _Measure()
        self._entry_at = 0
        self._seen = 0

    def start(self, tag: str, attributes: dict[str, str]) -> Element:
        name = tag.rpartition("}")[2]
        if not self._open:
            known = _DOCUMENT.fullmatch(tag)
            if known is None or known.group(1) not in self._takers:
                raise StatementError("unsupported_format")
            self.taker = self._takers[known.group(1)](known.group(1))
        if len(self._open) >= _DEEPEST:
            raise StatementError("forbidden_xml")
        if name in self.taker.entries and not self._entry_at:
            self._entry_at, self._measure = len(self._open) + 1, _Measure()
            self._seen += 1
        self._measure.elements += 1
        if self._measure.elements > MOST_ELEMENTS:
            self._refuse("too_many_elements")
        for value in attributes.values():
            self._read(value)
        self._open.append(self._builder.start(name, attributes))
        return self._open[-1]

    def _read(self, text: str) -> None:
        self._measure.text += len(text)
        if self._measure.text > MOST_TEXT:
            self._refuse("too_long")

    def _refuse(self, code: str) -> None:
        raise StatementError(code, f"entry {self._seen}" if self._entry_at else "")

    def data(self, text: str) -> None:
        self._read(text)
        self._builder.data(text)

    def end(self, tag: str) -> Element:
        name = tag.rpartition("}")[2]
        element = self._builder.end(name)
        if len(self._open) == self._entry_at:
            self._take(name, element, f"entry {self._seen}")
            # An empty element for each entry would add up: its parent lets go of it.
            del self._open[-2][-1]
            self._entry_at, self._measure = 0, self._outside
        elif name in self.taker.wholes and not self._entry_at:
            self._take(name, element, "")
            element.clear()
            self._seen = 0
        self._open.pop()
        return element

    def _take(self, name: str, element: Element, where: str) -> None:
        try:
            self.taker.take(name, element)
        except StatementError as error:
            raise StatementError(error.code, error.where or where) from error

    def close(self) -> None:
        self._builder.close()


class _Measure:
    """How much stands in memory."""

    def __init__(self) -> None:
        self.elements = 0
        self.text = 0
