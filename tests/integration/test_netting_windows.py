"""A window is closed while lines enter: nothing is missed, nothing waits, no fen differs."""

from tests.bench.netting import close_under_load


async def test_closing_under_load_leaves_no_line_outside_and_no_fen_of_difference(
    database: str,
) -> None:
    found = await close_under_load(database, lines=20_000, batch=20, warm=1.0)

    assert found["lines_entered_meanwhile"] > 100
    assert 20_000 < found["lines_in_the_sheet"] < 20_000 + found["lines_entered_meanwhile"]
    for name in (
        "lines_outside_a_window",
        "lines_missed_by_the_sheet",
        "totals_that_differ",
        "sum_of_positions_fen",
        "sheet_changed_after_publication",
    ):
        assert found[name] == 0, (name, found)
    assert found["publish_s"] < 2
    assert found["finalize_s"] < 2
