"""The table of the edge cases names tests that exist."""

import re
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
ROW = re.compile(r"^\| (\d+) \|", re.MULTILINE)
TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def test_the_table_of_edge_cases_names_tests_that_exist() -> None:
    table = (CHECKOUT / "docs" / "edge-cases.md").read_text("utf-8")
    named = TEST.findall(table)

    missing = [
        f"{file}::{name}"
        for file, name in named
        if not re.search(rf"def {name}\(", (CHECKOUT / file).read_text("utf-8"))
    ]

    assert list(map(int, ROW.findall(table))) == list(range(1, 33))
    assert len(named) > len(ROW.findall(table))
    assert missing == []
