"""Two systems that must be caught: each does what ours never does, with the rest as it is."""

from collections.abc import Callable

CONTROLS: dict[str, Callable[[], None]] = {}
