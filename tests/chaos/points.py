"""Crash points: every await of the modules that deliver, derived from their source.

The rewriting happens while a module is imported by a process of the chaos runs, and nowhere else:
the product's code has no trace of it, and a new await is a new point by itself. `await x` becomes
`await point(n, x)`; `async with x` becomes `async with around(n, x)`, for it awaits twice.
"""

import ast
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType

ROOT = Path(__file__).resolve().parents[2]

MODULES = (
    "shared.deliver",
    "shared.folding",
    "shared.reader",
    "shared.relay",
    "shared.bus",
    "shared.publisher",
    "shared.lanes",
    "shared.inbox",
    "shared.outbox",
    "shared.timers",
    "shared.dead_letters",
    "shared.redriving",
    "shared.edge",
    "shared.upkeep",
    "services.enrollment.app",
    "services.enrollment.intake",
    "services.settlement.statements",
    "services.settlement.remittances",
    "services.notification.app",
)
"""What delivers, takes over, fires, takes in and reads statements."""

QUESTIONS = (
    "services.enrollment.app._questions",
    "services.notification.app._router",
    "services.settlement.remittances.summaries",
    "services.settlement.remittances.find_run",
    "shared.timers.next_due",
    "shared.reader.Reader.lag",
    "shared.reader.Reader.stuck",
    "shared.redriving.routes.listed",
    "shared.redriving.routes.shown",
    "shared.upkeep._count_letters",
)
"""Functions in them that answer questions alone: a crash there changes nothing, so no points."""

BEYOND = {
    "asyncio.sleep": "waits until the world is well again, or an hour is over",
    "reader.Reader.revoke": "loses its lanes to another worker, who is not there",
    "not_given": "a connection was cut in the middle of COMMIT",
    "reader.Reader.take:position.seek": "another took its lanes over",
    "folding.apply_apart": "the database refused a batch",
    "edge.take_edge:_one_by_one": "an edge raised: a fault of ours",
    "edge._one_by_one": "an edge raised: a fault of ours",
    "relay.Relay.drained": "ends in order",
    "bus.Subscription.finish": "ends in order",
    "bus.Subscription.leave": "ends in order",
    "AsyncClient/leave": "ends in order",
    "upkeep.watch_loop": "has run for ten seconds",
    "_count_leg": "money between two accounts of one agency",
    "statements._take:store.answer_again": "two send the same file at the same moment",
    "statements._take_into:intake.take": "a bank's report on a payment",
    "remittances.lists_of": "a bank told of a lump by its end-to-end id alone",
    "dead_letters.kept": "a message older than the inbox's memory",
    "Post.deliver_due:runtime.send": "a letter that was given up",
}
"""What a run of this load does not come to, by a part of the point's name, with what it takes. The
faults among it are those of `tests/world`, on real engines.
"""


def beyond(name: str) -> str | None:
    """What a point takes that the load has not; None where it is to be reached."""
    return next((why for part, why in BEYOND.items() if part in name), None)


EXEMPT = {
    "shared.chassis": "starts and stops a process; its handlers are awaited by the reader's points",
    "shared.db": "opens the pool, before anything is handled",
    "shared.ends": "asks Kafka where partitions begin and end, and changes nothing",
    "shared.http": "asks and answers; what it changes goes through `send` of upkeep",
    "shared.overload": "looks at what waits, and changes nothing",
    "shared.sealing": "reads and makes keys, inside the transactions of intake and statements",
}
"""Modules of `shared` that await and have no points, each with the reason."""


@dataclass(frozen=True, slots=True)
class Point:
    """One await: where it is, and what is awaited there. The number is its place in `POINTS`."""

    number: int
    module: str
    function: str
    awaited: str

    @property
    def name(self) -> str:
        short = self.module.removeprefix("shared.").removeprefix("services.")
        return f"{short}.{self.function}:{self.awaited}"


def source_of(module: str) -> Path:
    return ROOT / f"{module.replace('.', '/')}.py"


class _Rewriter(ast.NodeTransformer):
    """Wraps every await of a module, and notes it."""

    def __init__(self, module: str, first: int, *, all_of_it: bool = False) -> None:
        self.found: list[Point] = []
        self._module = module
        self._first = first
        self._all_of_it = all_of_it
        self._functions: list[str] = []
        self._seen: dict[tuple[str, str], int] = {}

    @property
    def _asks(self) -> bool:
        return f"{self._module}.{'.'.join(self._functions)}".startswith(QUESTIONS)

    def _note(self, awaited: str) -> ast.Constant:
        function = ".".join(self._functions)
        again = self._seen[function, awaited] = self._seen.get((function, awaited), 0) + 1
        text = awaited if again == 1 else f"{awaited}#{again}"
        point = Point(self._first + len(self.found), self._module, function, text)
        self.found.append(point)
        return ast.Constant(point.number)

    def _within(self, node: ast.AST, name: str) -> ast.AST:
        self._functions.append(name)
        if self._all_of_it or not self._asks:
            self.generic_visit(node)
        self._functions.pop()
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        return self._within(node, node.name)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self._within(node, node.name)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self._within(node, node.name)

    def visit_Await(self, node: ast.Await) -> ast.AST:
        number = self._note(_text(node.value))
        self.generic_visit(node)
        node.value = _call("_crash_point", number, node.value)
        return node

    def visit_AsyncWith(self, node: ast.AsyncWith) -> ast.AST:
        for item in node.items:
            enter = self._note(f"{_text(item.context_expr)}/enter")
            leave = self._note(f"{_text(item.context_expr)}/leave")
            item.context_expr = _call("_crash_around", enter, leave, self.visit(item.context_expr))
        node.body = [self.visit(statement) for statement in node.body]
        return node

    def visit_comprehension(self, node: ast.comprehension) -> ast.AST:
        if node.is_async:
            number = self._note(f"{_text(node.iter)}/next")
            node.iter = _call("_crash_each", number, node.iter)
        self.generic_visit(node)
        return node

    def visit_AsyncFor(self, node: ast.AsyncFor) -> ast.AST:
        number = self._note(f"{_text(node.iter)}/next")
        self.generic_visit(node)
        node.iter = _call("_crash_each", number, node.iter)
        return node


def _text(node: ast.expr) -> str:
    """What is called, without its arguments: `lanes.hold`."""
    while isinstance(node, ast.Call):
        node = node.func
    return ast.unparse(node).replace("self.", "").split("(")[0][:40]


def _call(name: str, *arguments: ast.expr) -> ast.Call:
    return ast.Call(ast.Name(name, ast.Load()), list(arguments), [])


def rewrite(module: str, source: str, first: int) -> tuple[ast.Module, list[Point]]:
    """The module's tree with its awaits wrapped, and its points, numbered from `first`."""
    rewriter = _Rewriter(module, first)
    tree = rewriter.visit(ast.parse(source))
    return ast.fix_missing_locations(tree), rewriter.found


@cache
def _rewritten() -> dict[str, tuple[ast.Module, list[Point]]]:
    found: dict[str, tuple[ast.Module, list[Point]]] = {}
    first = 0
    for module in MODULES:
        found[module] = rewrite(module, source_of(module).read_text("utf-8"), first)
        first += len(found[module][1])
    return found


def points() -> Sequence[Point]:
    """All crash points, in the order of their numbers."""
    return [point for _, found in _rewritten().values() for point in found]


def asked_alone(module: str) -> int:
    """How many awaits of a module stand in functions that answer questions alone."""
    rewriter = _Rewriter(module, 0, all_of_it=True)
    rewriter.visit(ast.parse(source_of(module).read_text("utf-8")))
    return sum(f"{module}.{point.function}".startswith(QUESTIONS) for point in rewriter.found)


def awaits(source: str) -> Iterator[str]:
    """Every await of a source, plain or hidden in `async with`, `async for` and comprehensions."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Await():
                yield "await"
            case ast.AsyncWith(items=items):
                yield from ["enter", "leave"] * len(items)
            case ast.AsyncFor() | ast.comprehension(is_async=1):
                yield "next"


class _Loader(SourceFileLoader):
    def get_code(self, fullname: str) -> CodeType:
        """Past the cache of bytecode, which must never hold a rewritten module."""
        path = str(source_of(fullname))
        return compile(_rewritten()[fullname][0], path, "exec", dont_inherit=True)

    def exec_module(self, module: ModuleType) -> None:
        from tests.chaos import crash

        vars(module).update(
            _crash_point=crash.point, _crash_around=crash.around, _crash_each=crash.each
        )
        super().exec_module(module)


class _Finder(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in MODULES:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        assert spec is not None
        spec.loader = _Loader(fullname, str(source_of(fullname)))
        return spec


def install() -> None:
    """From now on the modules are imported with their points."""
    assert not set(MODULES) & set(sys.modules), "imported before their points were put in"
    sys.meta_path.insert(0, _Finder())
