"""What people ask of a system that has years behind it, and how long each answer takes."""

import time
from collections.abc import Iterator, Mapping

from deploy.sandbox.network import Network
from services.monitor.commands.client import Refused, Unreachable

_REGION, _CORRIDOR = "450100", "410100>450100"


def asked(transfer: str, month: str) -> Iterator[tuple[str, str, Mapping[str, object]]]:
    """Service, path and parameters: of one transfer, of a region, of all."""
    yield "transfer", f"/v1/transfers/{transfer}", {}
    yield "transfer", f"/v1/transfers/{transfer}/explain", {}
    yield "monitor", f"/v1/timeline/{transfer}", {}
    yield "monitor", "/v1/events", {"transfer": transfer}
    yield "notification", "/v1/letters", {"transfer": transfer}
    yield "settlement", f"/v1/items/of/{transfer}", {}
    yield "transfer", "/v1/transfers", {"limit": 100}
    yield "transfer", "/v1/transfers", {"limit": 100, "corridor": _CORRIDOR}
    yield "transfer", "/v1/transfers", {"limit": 100, "stuck": True}
    yield "transfer", "/v1/counts", {}
    yield "transfer", "/v1/statistics", {"month": month}
    yield "enrollment", "/v1/releases", {"region": _REGION}
    yield "monitor", "/v1/latency", {}
    yield "settlement", "/v1/receipts", {"limit": 100}
    yield "settlement", "/v1/receipts", {"limit": 100, "state": "unmatched"}
    yield "settlement", "/v1/items", {"limit": 100}
    yield "settlement", "/v1/statements", {"limit": 100}
    yield "settlement", "/v1/remittances", {"region": _REGION}
    yield "settlement", "/v1/exposure", {}
    yield "settlement", "/v1/netting", {}
    yield "settlement", "/v1/reports", {"month": month}
    yield "settlement", "/v1/days", {}
    yield "settlement", "/v1/trial-balance", {}


def times(network: Network, transfer: str) -> dict[str, int | str]:
    """Milliseconds of each answer; a refusal's code where there is none."""
    month = f"{network.now():%Y-%m}"
    found: dict[str, int | str] = {}
    for service, path, params in asked(transfer, month):
        began = time.monotonic()
        told = "&".join(f"{name}={value}" for name, value in params.items() if value != transfer)
        name = f"{service} {path.replace(transfer, '…')} {told}".strip()
        try:
            network.ask(service, path, **params)
            found[name] = round((time.monotonic() - began) * 1000)
        except Refused as refused:
            found[name] = refused.code
        except Unreachable as error:
            found[name] = f"{type(error).__name__} after {time.monotonic() - began:.0f} s"
    return found
