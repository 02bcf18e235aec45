"""What a person proposes or decides is sent, and waited for until the books have answered."""

import time
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from services.monitor.commands import screen
from services.monitor.commands.clerks import acting
from services.monitor.commands.client import NOT_FOUND, Client, Refused, connected

_HANDLED_SECONDS = 30.0
_LOOK_SECONDS = 0.1

Row = dict[str, Any]


def meant(proposal: Row) -> Any:  # noqa: ANN401 rich's table
    """What is proposed, by whom and why."""
    fields = {
        name: " ".join(map(str, value)) if isinstance(value, list) else value
        for name, value in proposal["fields"].items()
    }
    return screen.facts("proposal", {**fields, **proposal})


def decide(id_: UUID, read: UUID | None, verdict: str, by: str, why: str, *, as_json: bool) -> None:
    """Decides the proposal that was read, or the present one and says which. Raises Refused."""
    if read is not None:
        do(f"/{id_}/{verdict}", {"why": why, "proposal": str(read)}, by, as_json=as_json)
        return
    with connected() as client:
        present = client.get("settlement", f"/v1/items/{id_}")["proposal"]
    if present is None:
        raise Refused("nothing_proposed", "尚无提议 / nothing is proposed yet")
    body = {"why": why, "proposal": present["proposal"]}
    do(f"/{id_}/{verdict}", body, by, meant(present), as_json=as_json)


def do(path: str, body: Mapping[str, object], by: str, *shown: object, as_json: bool) -> None:
    """Send it, and wait until the books have answered: they may still refuse. Raises Refused."""
    with acting(by) as client:
        sent = client.post("settlement", f"/v1/items{path}", {**body, "by": by})
        found = _handled(client, sent["item"], sent["message"])
    step = next(row for row in found["history"] if row["message"] == sent["message"])
    if step["what"] == "refused":
        raise Refused(step["code"], f"settlement: {step['text'] or step['code']}")
    said = f"{step['what']}: {found['item']} is {found['state']}"
    if step["what"] == "proposed":
        said += f"; another decides: jiexu approve {found['item']} {sent['message']} --by …"
    screen.answer(found, as_json, lambda: [*shown, said])


def _handled(client: Client, item_: str, message: str) -> Row:
    """The item once the message has been handled. Raises Refused when that takes too long."""
    deadline = time.monotonic() + _HANDLED_SECONDS
    while time.monotonic() < deadline:
        try:
            found: Row = client.get("settlement", f"/v1/items/{item_}")
        except Refused as refused:
            # A new item is there once its proposal is handled.
            if refused.status != NOT_FOUND:
                raise
        else:
            if any(row["message"] == message for row in found["history"]):
                return found
        time.sleep(_LOOK_SECONDS)
    text = f"it is on its way and not handled yet: jiexu wait, then jiexu item {item_}"
    raise Refused("not_handled_yet", text)
