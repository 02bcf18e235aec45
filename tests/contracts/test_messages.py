"""Old messages parse for ever, and the published interfaces are the present ones."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from deploy import interfaces
from shared.decision import Unexpected
from shared.messages.catalogue import CATALOGUE, read

SAMPLES = Path(__file__).parent / "samples"


@pytest.mark.parametrize("kind", sorted(CATALOGUE))
def test_every_message_has_a_sample(kind: str) -> None:
    assert (SAMPLES / f"{kind}.json").is_file(), "add one: samples are never changed or removed"


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.json")), ids=lambda path: path.stem)
def test_an_old_message_still_parses(path: Path) -> None:
    message = read(path.stem, path.read_bytes())

    written = json.loads(message.model_dump_json(exclude_defaults=True))
    sample = json.loads(path.read_text())
    assert {name: written.get(name) for name in sample} == sample


@pytest.mark.parametrize("kind", sorted(CATALOGUE))
def test_a_field_that_is_not_known_yet_does_no_harm(kind: str) -> None:
    body = {**json.loads((SAMPLES / f"{kind}.json").read_text()), "added_later": 1}

    assert read(kind, json.dumps(body).encode()).type == kind


@pytest.mark.parametrize("text", ["nul \x00", "half \ud800"])
def test_nul_and_half_a_surrogate_are_refused_by_the_model(text: str) -> None:
    sample = json.loads((SAMPLES / "transfer.withdraw.v1.json").read_text())

    with pytest.raises((Unexpected, ValidationError, UnicodeEncodeError)):
        read("transfer.withdraw.v1", json.dumps({**sample, "reason": text}).encode())


def test_a_key_is_the_person_or_what_it_concerns() -> None:
    for kind in CATALOGUE:
        message: Any = read(kind, (SAMPLES / f"{kind}.json").read_bytes())

        assert message.key, kind


def test_the_published_interfaces_are_the_present_ones() -> None:
    shown = {path.name: path.read_text() for path in interfaces.FOLDER.iterdir()}

    assert shown == interfaces.documents(), "run `make interfaces`, and mind old readers"
