"""Cells and generations: which topics belong to a region, now. PURE.

A cell is a deployment of its own for some provinces. Its topics have a generation: a database
that was set back, or a Kafka that was lost, begins a new one, and nobody reads the former.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

_TOPIC = re.compile(
    r"(?P<cell>[a-z0-9-]+)(?:\.g(?P<generation>[0-9]+))?\.(?P<stream>[a-z]+\.(?:commands|events))"
)
NOWHERE = "000000"
"""A message to no region stays in the cell that sends it."""


@dataclass(frozen=True, slots=True)
class Cells:
    """The cell of this process, the cell of each province, and the generation of each cell."""

    own: str
    cell_of: Callable[[str], str]
    generations: Mapping[str, int]

    @property
    def prefix(self) -> str:
        """What the topics of this cell begin with."""
        return prefix(self.own, self.generations)

    def prefix_of(self, region: str) -> str:
        """What the topics begin with that a message to this region goes to."""
        cell = self.own if region == NOWHERE else self.cell_of(region[:2] + "0000")
        return prefix(cell, self.generations)


def prefix(cell: str, generations: Mapping[str, int]) -> str:
    """What the topics of a cell begin with: `cn`, and `cn.g2` in its second generation."""
    generation = generations.get(cell, 1)
    return cell if generation == 1 else f"{cell}.g{generation}"


def stream_of(topic: str) -> tuple[str, str] | None:
    """Cell and stream (`transfer.events`) of a topic of any generation; None outside of cells."""
    found = _TOPIC.fullmatch(topic)
    return (found["cell"], found["stream"]) if found else None


def generation_of(topic: str, cell: str) -> int:
    """The generation of a topic of this cell; 0 for any other."""
    found = _TOPIC.fullmatch(topic)
    return int(found["generation"] or 1) if found and found["cell"] == cell else 0
