"""No float touches money: read from the types and the arithmetic of every file that has it."""

import ast

import pytest

from tests.architecture.test_house import CHECKOUT, listed, source

PLACES = (
    "shared/money.py",
    "shared/region_file.py",
    "shared/rules.py",
    "shared/messages/*.py",
    "services/settlement/*.py",
    "services/settlement/*/*.py",
    "services/enrollment/*.py",
    "services/transfer/*.py",
    "services/notification/letters.py",
    "deploy/sandbox/bank.py",
    "deploy/sandbox/camt*.py",
    "deploy/sandbox/instructions.py",
)
# Forecasts: nothing of them is ever booked (docs/decisions/0030).
STATISTICS = CHECKOUT / "services/settlement/risk"

# What is no money, file by file, as it stands there.
ALLOWED: dict[str, set[str]] = {
    # Paths are joined by the same sign.
    "services/settlement/outside.py": {
        "a division in await asyncio.to_thread(_append, home / FILE, [remittance])",
        "a division in await asyncio.to_thread(_append, home / FILE, rows)",
    },
    # How often something happens.
    "deploy/sandbox/bank.py": {
        "the number 0.2 in "
        "_STRAY_SHARE = 0.2  # per working day: money that belongs to nobody we know",
    },
}


def fractions(text: str) -> list[str]:
    """Every float and every division that makes one, with its line."""
    found: list[tuple[int, str]] = []
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Constant(value=float()):
                found.append((node.lineno, f"the number {node.value!r}"))
            case ast.Name(id="float" | "Decimal" as name):
                found.append((node.lineno, name))
            case ast.BinOp(op=ast.Div(), right=ast.JoinedStr() | ast.Constant(value=str())):
                pass  # a path
            case ast.BinOp(op=ast.Div()) | ast.AugAssign(op=ast.Div()):
                found.append((node.lineno, "a division"))
            case ast.Attribute(attr="fsum" | "truediv" as name):
                found.append((node.lineno, name))
    lines = text.splitlines()
    return [f"{what} in {lines[line - 1].strip()}" for line, what in sorted(found)]


def everywhere() -> dict[str, list[str]]:
    found = {path for place in PLACES for path in CHECKOUT.glob(place)}
    paths = sorted(path for path in found if path.parent != STATISTICS)
    return {str(path.relative_to(CHECKOUT)): fractions(source(path)) for path in paths}


def test_no_float_touches_money() -> None:
    everything = everywhere()
    found = {
        path: bad
        for path, fractions_ in everything.items()
        if (bad := [one for one in fractions_ if one not in ALLOWED.get(path, ())])
    }

    assert len(everything) > len(PLACES)
    assert not found, listed(found)


def test_every_exception_is_still_needed() -> None:
    everything = everywhere()

    assert {path: lines - set(everything[path]) for path, lines in ALLOWED.items()} == {
        path: set() for path in ALLOWED
    }


@pytest.mark.parametrize(
    "line",
    [
        "share = 0.5",
        "def pay(amount: float) -> None: ...",
        "fen: dict[str, float | None] = {}",
        "half = fen / 2",
        "fen /= 2",
        "fen = int(float(text))",
        "fen = math.fsum(amounts)",
        "fen = Decimal(text)",
    ],
)
def test_a_float_is_seen(line: str) -> None:
    assert fractions(line)


@pytest.mark.parametrize(
    "line", ["half = fen // 2", "rest = fen % 2", "fen = int(text)", "x = home / 'x.csv'"]
)
def test_whole_numbers_are_fine(line: str) -> None:
    assert not fractions(line)
