"""items, propose, approve, reject, match, reverse, change-account, …: what people decide.

One proposes and another approves: `--by` says who acts, and it is that person's token that does.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any
from uuid import UUID

import typer

from services.monitor.commands import screen
from services.monitor.commands.client import connected
from services.monitor.commands.deciding import decide, do, meant
from services.monitor.commands.query import IdType, person_of
from services.monitor.commands.screen import Json

_PANEL = "Deciding"

Row = dict[str, Any]
ItemId = Annotated[UUID, typer.Argument(metavar="ITEM", help="The item's id.")]
Read = Annotated[
    UUID | None,
    typer.Argument(
        metavar="[PROPOSAL]",
        help="The one that you read in jiexu item; without it the present one, which is shown.",
    ),
]
By = Annotated[str, typer.Option("--by", help="Who acts; it is their token that does.")]
Reason = Annotated[str, typer.Option(help="A code; the refusal of a wrong one lists them.")]
Why = Annotated[str, typer.Option(help="In words; it is kept for ever. Nothing personal.")]


def items(
    *,
    queue: Annotated[str | None, typer.Option(help="receipt, shortfall, excess, …")] = None,
    region: Annotated[str | None, typer.Option(help="Whose books.")] = None,
    state: Annotated[
        str, typer.Option(help="waiting (open or proposed), approved, rejected, done, all.")
    ] = "waiting",
    as_json: Json = False,
) -> None:
    """What waits for somebody to decide, the oldest first."""
    with connected() as client:
        rows = client.get("settlement", "/v1/items", queue=queue, region=region, state=state)
    screen.answer(rows, as_json, lambda: _items(rows))


def _items(rows: list[Row]) -> Any:  # noqa: ANN401 rich's table
    columns = ("item", "queue", "region", "amount>", "state", "since", "proposed")
    cells = (
        (
            row["item"],
            row["queue"],
            row["region"],
            row["amount"],
            row["state"],
            screen.moment(row["opened_at"]),
            _proposed(row),
        )
        for row in rows
    )
    return screen.table(f"{len(rows)} items", columns, cells)


def _proposed(row: Row) -> str:
    proposal = row["proposal"]
    return f"{proposal['act']} by {proposal['by']}" if proposal else ""


def item(id_: ItemId, *, as_json: Json = False) -> None:
    """One item with everything that was done with it."""
    with connected() as client:
        found = client.get("settlement", f"/v1/items/{id_}")
    screen.answer(found, as_json, lambda: _one(found))


def _one(found: Row) -> list[Any]:
    proposal = found["proposal"]
    shown = [screen.facts("item", {**found, "acts": ", ".join(found["acts"])})]
    shown += [screen.facts("facts", found["facts"])] if found["facts"] else []
    if proposal:
        shown.append(meant(proposal))
    for one in found["may_be_for"]:
        shown.append(f"may be for ({one['released_on']}): {' '.join(one['transfers'])}")
    columns = ("at", "what", "by", "code", "act", "why")
    return [*shown, screen.records("history", columns, found["history"])]


def propose(
    act: Annotated[str, typer.Argument(metavar="ACT", help="settlement.match-receipt, …")],
    fields: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME=VALUE]...", help="transfer=ID amount=12.00 …"),
    ] = None,
    *,
    item_: Annotated[
        UUID | None, typer.Option("--item", help="For this item; without it for a new one.")
    ] = None,
    by: By,
    reason: Reason,
    why: Why = "",
    as_json: Json = False,
) -> None:
    """Propose an act that another person has to approve."""
    body = {"act": act, "fields": _fields(fields or ()), "reason": reason, "why": why}
    do("" if item_ is None else f"/{item_}/propose", body, by, as_json=as_json)


def _fields(words: Sequence[str]) -> dict[str, str]:
    pairs = [word.partition("=") for word in words]
    if wrong := [name for name, equals, _ in pairs if not equals]:
        raise typer.BadParameter(f"write NAME=VALUE, not {wrong[0]}")
    return {name: value for name, _, value in pairs}


def match(
    receipt: Annotated[UUID, typer.Argument(metavar="RECEIPT", help="As jiexu receipts has it.")],
    transfers: Annotated[
        list[UUID], typer.Argument(metavar="TRANSFER...", help="Whose money it is; may be several.")
    ],
    *,
    part: Annotated[int, typer.Option(help="Which payment inside the receipt.")] = 0,
    amount: Annotated[str | None, typer.Option(help="Yuan; without it all that is left.")] = None,
    by: By,
    reason: Reason = "evidence",
    why: Why = "",
    as_json: Json = False,
) -> None:
    """Propose whose money a receipt is; it is matched once another person approves."""
    first, *others = map(str, transfers)
    fields: dict[str, object] = {"receipt": str(receipt), "transfer": first, "part": part}
    if others:
        fields["others"] = others
    if amount is not None:
        fields["amount"] = amount
    body = {"act": "settlement.match-receipt", "fields": fields, "reason": reason, "why": why}
    do("", body, by, as_json=as_json)


def undo_match(
    receipt: Annotated[UUID, typer.Argument(metavar="RECEIPT", help="As jiexu receipts has it.")],
    transfer: Annotated[UUID, typer.Argument(metavar="TRANSFER", help="Whose money it is not.")],
    *,
    part: Annotated[int, typer.Option(help="Which payment inside the receipt.")] = 0,
    by: By,
    reason: Reason = "error",
    why: Why = "",
    as_json: Json = False,
) -> None:
    """Propose that a receipt is not a transfer's; once approved it waits for its owner again."""
    fields = {"receipt": str(receipt), "transfer": str(transfer), "part": part}
    body = {"act": "settlement.undo-match", "fields": fields, "reason": reason, "why": why}
    do("", body, by, as_json=as_json)


def reverse(
    transfer: Annotated[UUID, typer.Argument(metavar="TRANSFER", help="Which transfer.")],
    *,
    by: By,
    reason: Reason,
    why: Why = "",
    as_json: Json = False,
) -> None:
    """Propose to go back on a released transfer; it is reversed once another person approves."""
    fields = {"transfer": str(transfer)}
    body = {"act": "transfer.reverse", "fields": fields, "reason": reason, "why": why}
    do("", body, by, as_json=as_json)


def change_account(
    region: Annotated[str, typer.Argument(metavar="REGION", help="Whose account, 450100.")],
    bank: Annotated[str, typer.Argument(metavar="KIND", help="income, expense or fiscal.")],
    account: Annotated[str, typer.Argument(metavar="ACCOUNT", help="Its new number.")],
    *,
    since: Annotated[str, typer.Option(help="From this day on, tomorrow at the earliest.")],
    by: By,
    reason: Reason = "bank-confirmed",
    why: Why = "",
    as_json: Json = False,
) -> None:
    """Propose another bank account of a fund; it is paid to there once another person approves."""
    fields = {"to": region, "bank": bank, "account": account, "since": since}
    body = {"act": "settlement.change-account", "fields": fields, "reason": reason, "why": why}
    do("", body, by, as_json=as_json)


def freeze(
    region: Annotated[str, typer.Argument(metavar="REGION", help="Where the account is, 450100.")],
    id_no: Annotated[str, typer.Argument(metavar="ID_NO", help="`-` reads standard input.")],
    *,
    until: Annotated[str | None, typer.Option(help="A day; without it until unfreeze.")] = None,
    may_spend: Annotated[
        bool, typer.Option("--may-spend", help="Only keep it here: a bill is to be settled.")
    ] = False,
    id_type: IdType = "01",
    by: By,
    reason: Reason = "court-order",
    why: Why = "",
    as_json: Json = False,
) -> None:
    """Propose to hold a person's account; nothing leaves it once another person approves."""
    fields = {"to": region, "what": "leaving" if may_spend else "all"}
    fields |= {"until": until} if until else {}
    _about_person("freeze", fields, (id_type, id_no), by, reason, why, as_json=as_json)


def unfreeze(
    region: Annotated[str, typer.Argument(metavar="REGION", help="Where the account is, 450100.")],
    id_no: Annotated[str, typer.Argument(metavar="ID_NO", help="`-` reads standard input.")],
    *,
    id_type: IdType = "01",
    by: By,
    reason: Reason = "court-order",
    why: Why = "",
    as_json: Json = False,
) -> None:
    """Propose to let a held account go; what waited for it goes on once another approves."""
    _about_person("unfreeze", {"to": region}, (id_type, id_no), by, reason, why, as_json=as_json)


def _about_person(
    act: str,
    fields: Mapping[str, str],
    id_: tuple[str, str],
    by: str,
    reason: str,
    why: str,
    *,
    as_json: bool,
) -> None:
    with connected() as client:
        person = person_of(client, *id_)["person_key"]
    what = {"act": f"settlement.{act}-account", "fields": {**fields, "person": person}}
    do("", {**what, "reason": reason, "why": why}, by, as_json=as_json)


def approve(
    id_: ItemId, read: Read = None, *, by: By, why: Why = "", as_json: Json = False
) -> None:
    """Approve what another person has proposed: it is done then."""
    decide(id_, read, "approve", by, why, as_json=as_json)


def reject(id_: ItemId, read: Read = None, *, by: By, why: Why, as_json: Json = False) -> None:
    """Refuse what another person has proposed, or take back what one has proposed oneself."""
    decide(id_, read, "reject", by, why, as_json=as_json)


def register(app: typer.Typer) -> None:
    """Add the family to the command line."""
    commands: tuple[Callable[..., None], ...] = (
        *(items, item, propose, match, undo_match, reverse, change_account, freeze, unfreeze),
        *(approve, reject),
    )
    for command in commands:
        app.command(rich_help_panel=_PANEL)(command)
