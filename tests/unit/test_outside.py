"""What is written beside the database is read again, whatever a crash has cut short of it."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from services.settlement.outside import FILE, UnreadableLine, taken, written

FIRST: dict[str, Any] = {"account": "450100:income", "page": 1}
SECOND: dict[str, Any] = {"account": "450100:income", "page": 2}


def write(home: Path, *statements: dict[str, Any]) -> str:
    asyncio.run(taken(home, statements))
    return (home / FILE).read_text("utf-8")


def pages(home: Path) -> list[int]:
    return [row["page"] for row in written(home)]


def test_what_was_written_is_read(tmp_path: Path) -> None:
    assert written(tmp_path) == []
    write(tmp_path, FIRST, SECOND)
    assert pages(tmp_path) == [1, 2]


def test_what_was_cut_short_anywhere_hides_neither_what_came_before_nor_after(
    tmp_path: Path,
) -> None:
    first = write(tmp_path, FIRST)
    for cut in range(1, len(first) - 1):
        (tmp_path / FILE).write_text(first + first[:cut], "utf-8")
        assert pages(tmp_path) == [1]
        write(tmp_path, SECOND)
        assert pages(tmp_path) == [1, 2]


def test_a_fragment_that_ends_like_a_record_is_passed_over(tmp_path: Path) -> None:
    first = write(tmp_path, FIRST)
    fragment = '{"what": "remittance", "lines": [{"transfer": "1", "amount_fen": 5}'
    (tmp_path / FILE).write_text(first + fragment, "utf-8")

    assert pages(tmp_path) == [1]


@pytest.mark.parametrize("line", ['{"what": "remittance", "run"}', "5", "", "\ufffd"])
def test_a_whole_line_that_is_no_record_is_named(tmp_path: Path, line: str) -> None:
    whole = write(tmp_path, FIRST) + line + "\n"
    (tmp_path / FILE).write_text(whole, "utf-8")
    write(tmp_path, SECOND)

    with pytest.raises(UnreadableLine, match="line 2"):
        written(tmp_path)
