"""No float touches money: read from the types and the arithmetic of every file that has it.

Where money is all there is, nothing may be a fraction. Everywhere else, where things take seconds
too, no statement may have an amount and a fraction; and of forecasts, which are made of fractions,
nothing reaches the books.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

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
SERVICES = {str(path.parent.relative_to(CHECKOUT)) for path in CHECKOUT.glob("services/*/app.py")}
# Forecasts: nothing of them is ever booked (docs/decisions/0030).
STATISTICS = CHECKOUT / "services/settlement/risk"

# What is no money, file by file, as it stands there.
ALLOWED: dict[str, set[str]] = {
    # Paths are joined by the same sign.
    "services/settlement/outside.py": {
        "a division in path = home / FILE",
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


ROOTS = ("services", "shared", "deploy")
_MONEY = re.compile(
    r"(?:^|_)(?:fen|yuan)(?:$|_)|^(?:amount|balance|released|advanced|payable)$", re.IGNORECASE
)

# Statements that have both and are right, file by file.
BOTH: dict[str, set[str]] = {
    # A draw, of which whole fen are made.
    "deploy/sandbox/people.py": {
        "MEAN_YUAN, LEAST_YUAN, MOST_YUAN = (4084.0, 100.0, 20000.0)",
        "drawn = random.lognormvariate(math.log(MEAN_YUAN) - _SPREAD ** 2 / 2, _SPREAD)",
    },
}


def touching(text: str) -> list[str]:
    """Every statement, parameter or field that has an amount and a fraction."""
    found = []
    for node in ast.walk(ast.parse(text)):
        parts = _parts(node)
        if parts and any(map(_is_money, _walk(parts))) and any(map(_is_fraction, _walk(parts))):
            found.append(ast.unparse(node).partition("\n")[0])
    return found


def _parts(node: ast.AST) -> list[ast.AST]:
    """What belongs together in a node: a statement without those inside it, a parameter."""
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            return [ast.Name(node.name), node.returns] if node.returns else []
        case ast.Assign() | ast.AnnAssign() | ast.AugAssign() | ast.Return() | ast.Expr():
            return [node]
        case ast.If(test=test) | ast.While(test=test) | ast.Assert(test=test):
            return [test]
        case ast.arg() | ast.keyword() | ast.comprehension():
            return [node]
        case _:
            return []


def _walk(parts: list[ast.AST]) -> Iterator[ast.AST]:
    for part in parts:
        yield from ast.walk(part)


def _is_money(node: ast.AST) -> bool:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name):
            return bool(_MONEY.search(name))
        case ast.keyword(arg=str(name)):
            return bool(_MONEY.search(name))
        case _:
            return False


def _is_fraction(node: ast.AST) -> bool:
    match node:
        case ast.Constant(value=float()) | ast.Name(id="float" | "Decimal"):
            return True
        case ast.BinOp(op=ast.Div(), right=ast.JoinedStr() | ast.Constant(value=str())):
            return False
        case ast.BinOp(op=ast.Div()) | ast.AugAssign(op=ast.Div()):
            return True
        case ast.Attribute(attr="fsum" | "truediv"):
            return True
        case _:
            return False


def files() -> list[Path]:
    found = (path for root in ROOTS for path in CHECKOUT.glob(f"{root}/**/*.py"))
    return sorted(path for path in found if path.parent != STATISTICS)


def test_no_statement_anywhere_has_an_amount_and_a_fraction() -> None:
    found = {}
    for path in files():
        name = str(path.relative_to(CHECKOUT))
        bad = [one for one in touching(source(path)) if one not in BOTH.get(name, ())]
        if bad:
            found[name] = bad

    assert not found, listed(found)


@pytest.mark.parametrize(
    "place", [*sorted(SERVICES), "shared", "deploy/sandbox", "deploy/embedded"]
)
def test_a_float_planted_in_any_file_of_a_place_is_found(place: str) -> None:
    found = [path for path in files() if path.is_relative_to(CHECKOUT / place)]

    assert found, place
    for path in found:
        planted = f"{source(path)}\n\ndef planted(paid_fen: int) -> int:\n    return paid_fen / 2\n"
        assert "return paid_fen / 2" in touching(planted), path


def test_nothing_of_a_forecast_reaches_the_books() -> None:
    named = "services.settlement.risk"
    users = {str(path.relative_to(CHECKOUT)) for path in files() if named in source(path)}
    inside = "".join(source(path) for path in sorted(STATISTICS.glob("*.py")))

    assert users == {"services/settlement/api.py"}
    assert [name for name in _BOOKED if name in inside] == []


_BOOKED = (
    "runtime.send",
    "shared.messages",
    "services.settlement.books",
    "ledger",
    "INSERT",
    "UPDATE",
)
"""How something would get from there into the books."""


@pytest.mark.parametrize(
    "line",
    [
        "def pay(amount_fen: float) -> None: ...",
        "class Paid:\n    fen: dict[str, float]",
        "def paid_fen(rows: int) -> float: ...",
        "half = release.payable_fen / 2",
        "settle(amount_fen=total * 0.5)",
        "if paid_fen > owed * 0.99: pass",
        "fen = int(float(text))",
        "fen_by_region[code] /= 2",
        "balance = Decimal(text)",
    ],
)
def test_an_amount_beside_a_fraction_is_seen(line: str) -> None:
    assert touching(line)


@pytest.mark.parametrize(
    "line",
    [
        "half_fen = fen // 2",
        "wait(seconds=0.5)",
        "path = home / name",
        "def wait(seconds: float, fen: int) -> int: ...",
    ],
)
def test_an_amount_alone_and_a_fraction_alone_are_fine(line: str) -> None:
    assert not touching(line)


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
