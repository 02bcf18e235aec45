"""Every code that can reach a case, a letter or a sender has its sentence, wherever it is shown."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.enrollment import codes as enrollment
from services.notification.reasons import REASONS
from services.settlement import codes as settlement
from services.transfer import codes as transfer

SERVICES = Path(__file__).parents[2] / "services"
RULES = ("actions", "applications", "corrections", "eligibility", "records", "releases")
SAYERS = {"_refuse", "_withhold", "_decline"}
# What `NothingToRelease` says: where a case has no letter about it, but shows it.
NOTHING_TO_MOVE = {"no_account", "zero_balance", "kept_at_origin"}


def words(node: ast.AST | None) -> Iterator[str]:
    """The texts that an expression can come to: itself, a branch, the first of a pair."""
    match node:
        case ast.Constant(value=str(word)):
            yield word
        case ast.IfExp(body=body, orelse=other):
            yield from words(body)
            yield from words(other)
        case ast.Tuple(elts=[first, *_]):
            yield from words(first)


def said_in(function: ast.FunctionDef) -> Iterator[str]:
    """The codes that a function gives back, passes on or keeps as the outcome."""
    gives = ast.unparse(function.returns) if function.returns else ""
    may_refuse = "Outcome" in gives or "str | None" in gives or "Relation | str" in gives
    for node in ast.walk(function):
        match node:
            case ast.Return(value=value) if may_refuse:
                yield from words(value)
            case ast.Assign(targets=[ast.Name(id="code" | "outcome")], value=value):
                yield from words(value)
            case ast.AnnAssign(target=ast.Name(id="code" | "outcome"), value=value):
                yield from words(value)
            case ast.Call(func=ast.Name(id=name), args=args) if name in SAYERS:
                yield from (word for arg in args for word in words(arg))


def codes_of(service: str, *modules: str) -> set[str]:
    """The codes that the rules of some modules can end in."""
    trees = [ast.parse((SERVICES / service / f"{m}.py").read_text("utf-8")) for m in modules]
    functions = [n for tree in trees for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)]
    return {word for function in functions for word in said_in(function)}


REFUSED = codes_of("enrollment", *RULES)
DECLINED = codes_of("settlement", "claims", "exposure")
MOVEMENTS = codes_of("settlement", "accounts")


def test_the_codes_are_found_in_the_rules() -> None:
    assert {"already_enrolled", "origin-not-stopped", "residence_permit_needed"} <= REFUSED
    assert {"unknown_region", "deceased", "no_account", "not_correctable"} <= REFUSED
    assert {
        *("deceased", "switched_off", "no_account", "single_limit", "limit_reached"),
        *("corridor_suspended", "age_limit"),
    } == DECLINED
    assert {
        "account_frozen",
        "no_account",
        "unknown_record",
        "insufficient_balance",
        "refund_too_large",
    } == MOVEMENTS


@pytest.mark.parametrize("code", sorted(REFUSED | MOVEMENTS))
def test_enrollment_can_say_why_it_or_the_books_refuse(code: str) -> None:
    assert all(enrollment.CODES[code])


@pytest.mark.parametrize("code", sorted(DECLINED | MOVEMENTS | NOTHING_TO_MOVE))
def test_the_books_can_say_why_they_refuse(code: str) -> None:
    assert all(settlement.CODES[code])


@pytest.mark.parametrize("code", sorted(REFUSED | DECLINED | NOTHING_TO_MOVE))
def test_a_case_shows_the_sentence_of_its_code(code: str) -> None:
    assert code in transfer.CODES
    assert all(transfer.sentence(code))


@pytest.mark.parametrize("code", sorted(REFUSED | DECLINED | {"digest-mismatch"}))
def test_a_letter_tells_the_cause_and_what_to_do(code: str) -> None:
    assert code in REASONS
    assert all(REASONS[code])
