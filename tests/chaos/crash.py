"""What happens at a crash point: it is counted, and the process that is to end there ends.

Two moments of an await: `amid` is when it first lets others run, so that the request is on its way
and its answer is not known; `after` is when it has its answer and nothing has been made of it.
"""

import asyncio
import mmap
import os
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Generator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, Literal, NoReturn, TypeVar

Side = Literal["amid", "after"]
Result = TypeVar("Result")

EXIT = 77
"""The exit code of a process that crashed as it was told to."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Where to end: the n-th time that a point is reached."""

    point: int
    side: Side
    hit: int


class _Points:
    """The counters of this process, in a file that the harness reads while we run, or after."""

    def __init__(self) -> None:
        self.hits: memoryview | None = None
        self.plan: Plan | None = None

    def begin(self, file: Path, count: int, plan: Plan | None) -> None:
        """Count into `file` from zero, and end as planned."""
        file.write_bytes(bytes(16 * count))
        with file.open("r+b") as opened:
            self.hits = memoryview(mmap.mmap(opened.fileno(), 0)).cast("q")
        self.plan = plan

    def reached(self, number: int, side: Side) -> bool:
        """Count; whether it is here that the process is to end."""
        if self.hits is None:
            return False
        place = 2 * number + (side == "after")
        self.hits[place] += 1
        plan = self.plan
        return plan is not None and (plan.point, plan.side, plan.hit) == (
            number,
            side,
            self.hits[place],
        )


POINTS = _Points()


def hits(file: Path) -> dict[tuple[int, Side], int]:
    """How often each point was reached, by point and side."""
    counters = memoryview(file.read_bytes()).cast("q")
    return {
        (place // 2, "after" if place % 2 else "amid"): count
        for place, count in enumerate(counters)
        if count
    }


def _end() -> NoReturn:
    os._exit(EXIT)


class _Amid(Generic[Result]):
    """An awaitable that passes on what it awaits, and notes the first time that it lets go."""

    def __init__(self, number: int, awaited: Awaitable[Result]) -> None:
        self._number = number
        self._awaited = awaited

    def __await__(self) -> Generator[Any, Any, Result]:
        inner = self._awaited.__await__()
        try:
            first = next(inner)
        except StopIteration as done:
            result: Result = done.value
            return result
        if POINTS.reached(self._number, "amid"):
            # The loop writes what is to be sent at the end of its turn: we end in the next one.
            asyncio.get_running_loop().call_soon(_end)
        return (yield from _rest(first, inner))


def _rest(first: Any, inner: Generator[Any, Any, Result]) -> Generator[Any, Any, Result]:  # noqa: ANN401 - the loop's own
    """As `yield from inner`, which has yielded `first` already."""
    yielded = first
    while True:
        step: Callable[[], Any]
        try:
            sent = yield yielded
        except GeneratorExit:
            inner.close()
            raise
        except BaseException as error:  # noqa: BLE001 - handed on, as `yield from` does
            step = partial(inner.throw, error)
        else:
            step = partial(inner.send, sent)
        try:
            yielded = step()
        except StopIteration as done:
            result: Result = done.value
            return result


async def point(number: int, awaited: Awaitable[Result]) -> Result:
    """Awaits as the code would without us."""
    result = await _Amid(number, awaited)
    if POINTS.reached(number, "after"):
        _end()
    return result


class around(AbstractAsyncContextManager[Result]):  # noqa: N801 - used like a function
    """An asynchronous context whose entering and leaving are points."""

    def __init__(
        self, enter: int, leave: int, context: AbstractAsyncContextManager[Result]
    ) -> None:
        self._enter = enter
        self._leave = leave
        self._context = context

    async def __aenter__(self) -> Result:
        return await point(self._enter, self._context.__aenter__())

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        return await point(self._leave, self._context.__aexit__(kind, error, trace))


async def each(number: int, items: AsyncIterable[Result]) -> AsyncIterator[Result]:
    """Iterates; each step is a point."""
    iterator = aiter(items)
    while True:
        try:
            item = await point(number, anext(iterator))
        except StopAsyncIteration:
            return
        yield item
