"""The text of a bank's file, and its rows: read piece by piece, never beyond what a row may be."""

import bz2
import gzip
import lzma
from collections.abc import Iterator
from itertools import chain, repeat

import pytest

from services.settlement import bank_csv
from services.settlement.bank.texts import pieces
from services.settlement.lines import StatementError
from tests.unit.test_lines import HEADER

CSV_ROW = "4501010104000045101,B1,2026-03-20,credit,1.00,CNY,,,,,remark,return"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_a_file_is_read_in_the_encodings_banks_use(encoding: str) -> None:
    text = "张伟 转移款" * 20_000

    assert "".join(pieces(text.encode(encoding))) == text


@pytest.mark.parametrize("declared", ["GB2312", "gbk", "GB18030"])
def test_a_file_is_read_in_the_encoding_that_it_declares(declared: str) -> None:
    text = f"<?xml version='1.0' encoding='{declared}'?><a>张伟</a>"

    assert "".join(pieces(text.encode("gb18030"))) == text


def test_a_file_that_declares_another_encoding_than_it_has_is_not_guessed() -> None:
    for declared, encoding, name in (("UTF-8", "gb18030", "张"), ("ISO-8859-1", "latin-1", "ä")):
        text = f"<?xml version='1.0' encoding='{declared}'?><a>{name}</a>"
        with pytest.raises(StatementError, match="unreadable"):
            pieces(text.encode(encoding))


@pytest.mark.parametrize(
    "body",
    [gzip.compress(b"<Document/>"), b"PK\x03\x04rest", bz2.compress(b"x"), lzma.compress(b"x")],
)
def test_a_compressed_file_is_refused_with_a_code_of_its_own(body: bytes) -> None:
    with pytest.raises(StatementError, match="compressed"):
        pieces(body)


@pytest.mark.parametrize("body", [b"a\x00b", b"\xff\xff\xff"])
def test_what_is_no_text_is_refused(body: bytes) -> None:
    with pytest.raises(StatementError, match="unreadable"):
        pieces(body)


def test_a_csv_line_without_end_is_refused_before_it_is_in_memory() -> None:
    taken = 0

    def endless() -> Iterator[str]:
        nonlocal taken
        yield f"{HEADER}\n"
        while True:
            taken += 1
            yield "9" * 65536

    with pytest.raises(StatementError, match="too_long row 2"):
        bank_csv.read(endless())
    assert taken <= 3


def test_a_quoted_text_over_endless_lines_is_refused_before_it_is_in_memory() -> None:
    def endless() -> Iterator[str]:
        yield f'{HEADER}\n"'
        while True:
            yield 'a","b\n' * 1000

    with pytest.raises(StatementError, match="row 2"):
        bank_csv.read(endless())


def test_more_rows_than_memory_is_meant_for_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bank_csv, "MOST_ENTRIES", 1000)
    row = "4501010104000045101,B1,2026-03-20,credit,1.00,CNY,,,,,,\n"

    assert len(bank_csv.read(f"{HEADER}\n" + row * 1000)[0].lines) == 1000
    with pytest.raises(StatementError, match="too_many_entries"):
        bank_csv.read(chain([f"{HEADER}\n"], repeat(row * 100)))


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_rows_are_read_however_their_lines_end_and_wherever_a_piece_does(end: str) -> None:
    text = "\r\n".join((HEADER, *(CSV_ROW for _ in range(3)))) + end

    (whole,) = bank_csv.read(text)
    (split,) = bank_csv.read(list(text))

    assert whole.lines == split.lines
    assert len(whole.lines) == 3


def test_a_file_that_was_cut_off_inside_its_last_row_is_refused() -> None:
    text = f"{HEADER}\n{CSV_ROW}\n{CSV_ROW}"

    for missing in range(len(",return"), len(CSV_ROW) - 1):
        with pytest.raises(StatementError, match="unreadable row 3"):
            bank_csv.read(text[:-missing])


@pytest.mark.parametrize("amount_", ["0", "0.00", "-1.00", "", "1e3", "1.001", "NaN"])
def test_an_amount_that_is_none_is_refused(amount_: str) -> None:
    text = f"{HEADER}\n{CSV_ROW.replace('1.00', amount_)}\n"

    with pytest.raises(StatementError, match="bad_amount row 2"):
        bank_csv.read(text)
