"""The rules of the house that imports cannot show: sizes, names, depth, and where I/O may be."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
CODE = ("shared", "services", "deploy", "tests")

FILE_LINES, SAGA_LINES = 300, 500
# A list of declarations is looked up by name, not held whole: one module per owner.
CATALOGUE, CATALOGUE_LINES = Path("shared/messages"), 400
FUNCTION_LINES, CHAPTER_LINES = 40, 70
SAGA = Path("services/transfer/saga.py")
FOLDERS = 3
BANNED = frozenset({"utils", "util", "helpers", "helper", "common", "base", "manager", "managers"})
# In two parts, or this file would break its own rule.
REGISTRIES = tuple(
    f"{name}.{end}"
    for name, end in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("repo1.maven", "org"),
        ("repo.maven.apache", "org"),
        ("registry.npmjs", "org"),
        ("docker", "io"),
        ("ghcr", "io"),
        ("quay", "io"),
        ("proxy.golang", "org"),
    )
)

IO_FILES = frozenset(
    [
        *("app.py", "store.py", "intake.py", "statements.py", "channels.py", "cli.py"),
        *("api.py", "queries.py", "remittances.py", "unsealing.py"),  # docs/decisions/0007
        *("outside.py", "held.py"),  # docs/decisions/0017
        *("replay.py", "sweeps.py"),  # docs/decisions/0031, 0035
        "snapshots.py",  # the trial balance's sums
    ]
)
IO_FOLDERS = (Path("services/monitor/commands"), Path("services/monitor/console"))
# Commands, run by a launcher or by make: they belong to no service's thinking.
IO_COMMANDS = frozenset(
    {
        Path("services/serve.py"),
        Path("services/transfer/matrix.py"),
        Path("services/settlement/risk/__main__.py"),
    }
)
IO_MODULES = frozenset(
    [
        "asyncio",
        "asyncpg",
        "confluent_kafka",
        "fastapi",
        "http",
        "httpx",
        "logging",
        "requests",
        "shutil",
        "smtplib",
        "socket",
        "sqlalchemy",
        "ssl",
        "starlette",
        "structlog",
        "subprocess",
        "tempfile",
        "urllib",
        "uvicorn",
    ]
)
IO_METHODS = frozenset({"read_text", "write_text", "read_bytes", "write_bytes", "getenv", "open"})


def listed(found: dict[str, list[str]]) -> str:
    """All of it, one line each: pytest would shorten it."""
    return "\n" + "\n".join(f"{path}: {', '.join(what)}" for path, what in found.items())


def python_files(*folders: str) -> list[Path]:
    found = (path for name in folders for path in (CHECKOUT / name).rglob("*.py"))
    return sorted(path.relative_to(CHECKOUT) for path in found)


def tracked_files() -> list[Path]:
    """What is or would be committed."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=True)
    paths = (Path(name) for name in listed.stdout.split("\0") if name)
    return sorted(path for path in paths if (CHECKOUT / path).is_file())


def source(path: Path) -> str:
    return (CHECKOUT / path).read_text("utf-8")


def too_long_functions(text: str, limit: int) -> list[str]:
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, functions):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > limit:
                found.append(f"{node.name}: {lines} lines")
    return found


def too_many_lines(path: Path, text: str) -> bool:
    limit = CATALOGUE_LINES if path.parent == CATALOGUE else FILE_LINES
    return len(text.splitlines()) > (SAGA_LINES if path == SAGA else limit)


def banned_parts(path: Path) -> set[str]:
    words = {word for part in path.with_suffix("").parts for word in part.split("_")}
    return words & BANNED


def registry_hosts(text: str) -> list[str]:
    return [host for host in REGISTRIES if re.search(rf"\b{re.escape(host)}\b", text)]


def may_do_io(path: Path) -> bool:
    inside = any(path.is_relative_to(folder) for folder in IO_FOLDERS)
    return inside or path in IO_COMMANDS or path.name in IO_FILES


def io_of(text: str) -> Iterator[str]:
    """What of a module reaches out of the process."""
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Import(names=names):
                modules = [name.name for name in names]
            case ast.ImportFrom(module=str(module)):
                modules = [module]
            case _:
                modules = []
        yield from (name for name in modules if name.partition(".")[0] in IO_MODULES)
        match node:
            case ast.Call(func=ast.Name(id="open" | "print" | "input" as name)):
                yield f"{name}()"
            case ast.Call(func=ast.Attribute(attr=name)) if name in IO_METHODS:
                yield f".{name}()"
            case ast.Attribute(value=ast.Name(id="os"), attr="environ"):
                yield "os.environ"


def test_every_file_can_be_held_whole() -> None:
    found = {
        str(path): [f"{len(source(path).splitlines())} lines"]
        for path in python_files(*CODE)
        if too_many_lines(path, source(path))
    }

    assert not found, listed(found)


def test_every_function_can_be_held_whole() -> None:
    found = {
        str(path): long
        for path in python_files(*CODE)
        if (long := too_long_functions(source(path), function_limit(path)))
    }

    assert not found, listed(found)


def function_limit(path: Path) -> int:
    return CHAPTER_LINES if path == SAGA else FUNCTION_LINES


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        path
        for path in python_files(*CODE)
        if source(path).strip() and ast.get_docstring(ast.parse(source(path))) is None
    ]

    assert silent == []


def test_nothing_has_a_name_that_says_nothing() -> None:
    found = {str(path): parts for path in python_files(*CODE) if (parts := banned_parts(path))}

    assert found == {}


def test_no_path_is_deeper_than_three_folders() -> None:
    assert [path for path in python_files(*CODE) if len(path.parts) - 1 > FOLDERS] == []


def test_no_file_names_a_package_registry() -> None:
    found = {
        str(path): hosts
        for path in tracked_files()
        if (hosts := registry_hosts((CHECKOUT / path).read_bytes().decode("utf-8", "replace")))
    }

    assert found == {}


def test_services_reach_out_only_where_they_may() -> None:
    found = {
        str(path): reached
        for path in python_files("services")
        if not may_do_io(path) and (reached := sorted(set(io_of(source(path)))))
    }

    assert not found, listed(found)


# --- each rule sees a planted violation -------------------------------------------------------


def test_a_file_of_301_lines_is_seen_and_the_saga_may_have_500() -> None:
    assert too_many_lines(Path("services/transfer/store.py"), "x = 1\n" * 301)
    assert not too_many_lines(Path("services/transfer/store.py"), "x = 1\n" * 300)
    assert not too_many_lines(SAGA, "x = 1\n" * 500)
    assert too_many_lines(SAGA, "x = 1\n" * 501)


def test_a_function_of_41_lines_is_seen_inside_a_class_too() -> None:
    method = "class A:\n    async def long(self):\n" + "        x = 1\n" * 40

    assert too_long_functions(method, FUNCTION_LINES) == ["long: 41 lines"]
    assert too_long_functions(method, CHAPTER_LINES) == []


@pytest.mark.parametrize("name", ["shared/utils.py", "services/common/x.py", "a/base_store.py"])
def test_an_empty_name_is_seen(name: str) -> None:
    assert banned_parts(Path(name))


def test_a_name_that_only_contains_an_empty_one_is_fine() -> None:
    assert not banned_parts(Path("shared/database.py"))


@pytest.mark.parametrize("host", REGISTRIES)
def test_a_registry_host_is_seen_with_and_without_a_prefix(host: str) -> None:
    assert registry_hosts(f"index-url = https://{host}/simple")
    assert registry_hosts(f"https://files.{host}/x")


@pytest.mark.parametrize(
    "line",
    [
        "import asyncpg",
        "from httpx import get",
        "import urllib.request",
        "file = open('x')",
        "text = path.read_text('utf-8')",
        "print('x')",
        "import os\nos.environ['X']",
    ],
)
def test_input_and_output_are_seen(line: str) -> None:
    assert list(io_of(line))


def test_only_the_named_files_of_a_service_may_reach_out() -> None:
    assert may_do_io(Path("services/transfer/store.py"))
    assert may_do_io(Path("services/monitor/commands/query.py"))
    assert not may_do_io(Path("services/transfer/saga.py"))
    assert not may_do_io(Path("services/monitor/timeline.py"))
