"""Each import contract of pyproject.toml holds, and a planted violation turns it red."""

import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
PACKAGES = ("shared", "services", "deploy")
LINTER = Path(sys.executable).with_name("lint-imports")
SERVICES = ("enrollment", "transfer", "settlement", "notification", "monitor")


@dataclass(frozen=True, slots=True)
class Plant:
    """A line added to one module, and the contract that must then be broken."""

    contract: str
    module: str
    line: str


PLANTS = (
    Plant("services-independent", "services.transfer.planted", "import services.settlement.aim"),
    Plant("services-independent", "services.monitor.cli", "import services.transfer.aim"),
    Plant("shared-knows-no-service", "shared.money", "import services.transfer.aim"),
    Plant("shared-knows-no-service", "shared.outbox", "import deploy.aim"),
    Plant("shared-layers", "shared.money", "import shared.settings"),
    Plant("shared-layers", "shared.settings", "import shared.sealing"),
    Plant("shared-layers", "shared.messages", "import shared.db"),
    Plant("shared-layers", "shared.db", "import shared.outbox"),
    Plant("shared-layers", "shared.outbox", "import shared.deliver"),
    Plant("shared-layers", "shared.deliver", "import shared.chassis"),
    Plant("pure-modules", "shared.money", "import socket"),
    Plant("pure-modules", "shared.messages.settlement", "import shared.db"),
    Plant("pure-modules", "services.transfer.saga", "import asyncpg"),
    Plant("pure-modules", "services.transfer.saga", "import services.transfer.hidden"),
    Plant("pure-modules", "services.settlement.ledger", "import time"),
    Plant("store-behind-app", "services.transfer.planted", "import services.transfer.store"),
    Plant("kafka-behind-bus", "services.transfer.app", "import confluent_kafka"),
    Plant("kafka-behind-bus", "shared.chassis", "import confluent_kafka"),
)


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packages, with every folder a regular package and every planted name there."""
    folder = tmp_path_factory.mktemp("contracts") / "tree"
    python_only = shutil.ignore_patterns("__pycache__", "*.toml", "*.sql", "*.csv", "*.json")
    for package in PACKAGES:
        shutil.copytree(CHECKOUT / package, folder / package, ignore=python_only)
    shutil.copy(CHECKOUT / "pyproject.toml", folder)
    for service in SERVICES:
        add(folder, f"services.{service}.aim", "")
    for module in ("shared.settings", "shared.chassis", "shared.deliver", "deploy.aim"):
        add(folder, module, "")
    add(folder, "services.transfer.store", "")
    add(folder, "services.transfer.hidden", "import httpx")
    for inner in [path for path in folder.rglob("*") if path.is_dir()]:
        (inner / "__init__.py").touch()
    return folder


def add(tree: Path, module: str, line: str) -> None:
    """Append a line to a module, making it where it does not exist."""
    path = tree.joinpath(*module.split("."))
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(f"\n{line}\n")


def lint(tree: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [str(LINTER), "--no-cache", *arguments],
        cwd=tree,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def declared() -> dict[str, str]:
    configuration = tomllib.loads((CHECKOUT / "pyproject.toml").read_text("utf-8"))
    contracts = configuration["tool"]["importlinter"]["contracts"]
    return {contract["id"]: contract["name"] for contract in contracts}


def test_every_contract_holds() -> None:
    result = lint(CHECKOUT)

    assert result.returncode == 0, result.stdout


def test_every_contract_has_a_planted_violation() -> None:
    assert {plant.contract for plant in PLANTS} == set(declared())


def test_the_copy_without_a_plant_is_green(pristine: Path) -> None:
    result = lint(pristine)

    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: f"{plant.module}: {plant.line}")
def test_a_planted_violation_turns_its_contract_red(
    plant: Plant, pristine: Path, tmp_path: Path
) -> None:
    tree = tmp_path / "tree"
    shutil.copytree(pristine, tree)
    add(tree, plant.module, plant.line)

    result = lint(tree, "--contract", plant.contract)

    assert result.returncode == 1, result.stdout
    assert f"{declared()[plant.contract]} BROKEN" in result.stdout
    assert plant.module in result.stdout
