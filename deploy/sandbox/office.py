"""What people decide in the demo: a clerk proposes, a director approves, a region disputes a line.

They work through the queues as people would, each evening. Whose a receipt is they know from the
bank itself, which is what a clerk who telephones would hear.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from deploy.embedded.stack import Stack
from deploy.sandbox.amendments import Amendment
from deploy.sandbox.bank import Bank
from deploy.sandbox.network import Network
from deploy.sandbox.truth import Truth
from services.monitor.commands.client import Client, Refused

Row = Mapping[str, Any]
PROPOSES, APPROVES = "clerk", "director"


@dataclass(frozen=True, slots=True)
class Act:
    """What the clerk proposes: for an item, or (None) for a new one."""

    item: str | None
    name: str
    fields: Mapping[str, object]
    reason: str


@dataclass(slots=True)
class Office:
    """Two people with tokens of their own, and what they have done so far."""

    network: Network
    clerk: Client
    director: Client
    done: Counter[str] = field(default_factory=Counter)

    def items(self, **asked: object) -> list[Row]:
        """What waits for somebody."""
        found: list[Row] = self.clerk.get("settlement", "/v1/items", limit=5000, **asked)
        return found

    def decide(self, acts: Sequence[Act]) -> None:
        """Proposed by one and approved by the other, all together; both are waited for."""
        proposed = [found for act in acts if (found := self._propose(act))]
        if not proposed:
            return
        self.network.quiet()
        for item in proposed:
            self.director.post("settlement", f"/v1/items/{item}/approve", {"by": APPROVES})
        self.network.quiet()

    def _propose(self, act: Act) -> str | None:
        path = "/v1/items" if act.item is None else f"/v1/items/{act.item}/propose"
        body = {"act": act.name, "fields": act.fields, "reason": act.reason, "by": PROPOSES}
        try:
            answer = self.clerk.post("settlement", path, body)
        except Refused:  # what it was about has been settled meanwhile
            self.done[f"{act.name} refused"] += 1
            return None
        self.done[act.name] += 1
        return str(answer["item"])

    def dispute(self, line: Row, region: str, reason: str) -> None:
        """A region does not agree with a line of a net sheet."""
        body = {"line": line["line"], "region": region, "by": PROPOSES, "reason": reason}
        self.clerk.post("settlement", "/v1/netting/dispute", body)
        self.done["net lines disputed"] += 1
        self.network.quiet()

    def sheets(self) -> list[Row]:
        """The net sheets so far."""
        found: list[Row] = self.clerk.get("settlement", "/v1/netting")
        return found

    def lines(self, month: str) -> list[Row]:
        """The lines of a month's net sheet."""
        found: list[Row] = self.clerk.get("settlement", "/v1/netting/lines", month=month)
        return found


@contextmanager
def opened(running: Stack, network: Network) -> Iterator[Office]:
    """The office, with the tokens of the stack's own clerk and director."""
    tokens = json.loads((running.home / "tokens.json").read_text("utf-8"))
    by_name = {str(who["holder"]): token for token, who in tokens.items()}
    clerk, director = (Client(running.urls, by_name[name]) for name in (PROPOSES, APPROVES))
    try:
        yield Office(network, clerk, director)
    finally:
        clerk.close()
        director.close()


# Days that people wait before they act, as in an office: money may still come by itself.
_RECEIPT_DAYS, _SUSPENDED_DAYS, _LOSS_DAYS, _LOSSES = 3, 45, 60, 2


def evening(office: Office, truth: Truth, day: date) -> list[Act]:
    """What the clerk proposes tonight, about all that has waited long enough."""
    acts: list[Act] = []
    for item in office.items(state="open"):
        age = days_between(item["opened_at"], day)
        if item["queue"] == "receipt" and age >= _RECEIPT_DAYS:
            acts += _matched(item, truth)
    return acts


def _matched(item: Row, truth: Truth) -> Iterator[Act]:
    receipt, _, part = str(item["subject"]).partition("/")
    reference, _ = truth.parts.get((receipt, int(part or 0)), ("", 0))
    if reference:
        fields = {"transfer": str(UUID(reference))}
        yield Act(item["item"], "settlement.match-receipt", fields, "origin-confirmed")


def days_between(text: str, day: date) -> int:
    """How many days ago a moment was."""
    return (day - date.fromisoformat(text[:10])).days


def losses(office: Office, bank: Bank, day: date) -> Iterator[Act]:
    """The oldest advances whose money will never come, as the bank says when it is asked."""
    left = _LOSSES - office.done["settlement.write-off"]
    rows = [row for row in office.network.transfers() if row["money"] == "advanced"] if left else []
    for row in sorted(rows, key=lambda row: (row["advanced_at"], row["transfer_id"])):
        old = days_between(row["advanced_at"], day) >= _LOSS_DAYS
        if left and old and not bank.will_pay(UUID(row["transfer_id"]).hex):
            left -= 1
            fields = {"transfer": row["transfer_id"]}
            yield Act(None, "settlement.write-off", fields, "never-paid")


def trusted_again(office: Office, day: date) -> Iterator[Act]:
    """A corridor that has stood suspended for weeks: its origin has promised to pay the rest."""
    for row in office.network.ask("settlement", "/v1/exposure"):
        stopped = row["suspended"]
        if stopped and days_between(stopped["since"], day) >= _SUSPENDED_DAYS:
            fields = {"to": row["destination"], "origin": row["origin"]}
            yield Act(None, "settlement.resume-corridor", fields, "origin-confirmed")


def amended(known: Sequence[Amendment], day: date) -> Iterator[Act]:
    """What an origin's clerks have found out by today."""
    for one in known:
        if one.on == day:
            yield Act(None, "enrollment.amend-record", one.fields, "evidence")
