"""Cells on one machine: a home with the Kafka, and homes that join it with databases of their own.

The map of provinces is in the home with the Kafka; processes read it when they start.
"""

import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from deploy.embedded.home import Home, StackFailed, sync, write_json

FIRST = "cn"
_NAME = re.compile("[a-z][a-z0-9-]{0,19}")
_PROVINCE = re.compile("[0-9]{2}0000")


def cell_of(home: Home) -> str:
    """The cell of a home."""
    return str(_joined(home).get("cell", FIRST))


def network_of(home: Home) -> Home:
    """The home whose Kafka this one uses: itself, unless it has joined another."""
    joined = _joined(home).get("kafka_of")
    return Home.at(Path(joined)) if joined else home


def _joined(home: Home) -> dict[str, str]:
    if not home.cell_file.exists():
        return {}
    found: dict[str, str] = json.loads(home.cell_file.read_text("utf-8"))
    return found


def provinces(home: Home) -> dict[str, str]:
    """The cell of each province that the first cell does not serve."""
    path = network_of(home).provinces_file
    found: dict[str, str] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return found


def all_cells(home: Home) -> list[str]:
    """All cells of the network, the own one first."""
    own = cell_of(home)
    others = {FIRST, *provinces(home).values()} - {own}
    return [own, *sorted(others)]


def joined(network: Home) -> list[Home]:
    """The homes that use this one's Kafka; what was thrown away is none."""
    path = network.joined_file
    written: list[str] = json.loads(path.read_text("utf-8")) if path.exists() else []
    # One home under two names would be taken for two.
    own = network.folder.resolve()
    homes = map(Home.at, sorted({Path(folder).resolve() for folder in written} - {own}))
    return [one for one in homes if network_of(one).folder.resolve() == own]


def assign(home: Home, moves: Mapping[str, str]) -> dict[str, str]:
    """Writes down, for good, which cell serves which provinces. Raises StackFailed."""
    for province, cell in moves.items():
        if not _PROVINCE.fullmatch(province):
            raise StackFailed(f"{province} is no province: its code is like 450000")
        _checked(cell)
    kept = {p: c for p, c in {**provinces(home), **moves}.items() if c != FIRST}
    path = network_of(home).provinces_file
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, dict(sorted(kept.items())))
        # Rows are deleted on the strength of it, so it must outlive a power loss.
        sync(path.parent)
    except OSError as error:
        raise StackFailed(f"cannot write {path}: {error.strerror}; run it again") from error
    return kept


def join(home: Home, network: Home, cell: str) -> None:
    """Makes this home a cell of the network of another: its Kafka, keys and tokens.

    Raises StackFailed.
    """
    wanted = {"cell": _checked(cell), "kafka_of": str(network.folder)}
    known = _joined(home)
    if known == wanted:
        _note(home, network)
        return
    if known or home.stack_file.exists():
        raise StackFailed(f"{home.folder} holds the cell {cell_of(home)}: name an empty home")
    if cell == FIRST or network_of(network) != network or not network.secrets_file.exists():
        raise StackFailed(f"{network.folder} has no Kafka to join, or {cell} is the first cell")
    home.folder.mkdir(parents=True, exist_ok=True)
    home.folder.chmod(0o700)
    # One person has one key in the whole network, and names are matched across it.
    for name in (network.secrets_file, network.tokens_file):
        shutil.copy2(name, home.folder / name.name)
    write_json(home.cell_file, wanted)
    _note(home, network)


def _note(home: Home, network: Home) -> None:
    folders = {str(one.folder.resolve()) for one in (*joined(network), home)}
    write_json(network.joined_file, sorted(folders))


def _checked(cell: str) -> str:
    if not _NAME.fullmatch(cell):
        raise StackFailed(f"{cell!r} is no name of a cell: small letters, digits and dashes")
    return cell


def kafka_of(home: Home, ports: Mapping[str, int]) -> str:
    """Where the Kafka of this home's network answers; empty where that was never started."""
    network = network_of(home)
    if network == home:
        return f"127.0.0.1:{ports.get('kafka', 0)}"
    return str((network.read_stack() or {}).get("kafka", ""))
