"""Whether the books say of the money what the bank did with it, to the fen.

The bank writes down each payment that it took and each entry that it made, with the payment that
it is really of, whatever it told; the books are asked over HTTP. Nothing may differ: not what a
transfer received, nor what is in transit, in suspense, on its way back, or at the bank.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

from deploy.sandbox.network import Network
from shared.messages import NAMESPACE
from shared.money import parse_yuan, yuan
from shared.regions import AccountKind, Regions

Row = Mapping[str, Any]
_PAGE = 2000
Nets = Mapping[str, tuple[str, int]]
"""Net positions by the reference of their payment: who gets it, and what the books have of it."""


@dataclass(slots=True)
class Truth:
    """What the bank did, by transfer (in hex; empty for what is of none) and by account."""

    taken: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    announced: Counter[str] = field(default_factory=Counter)
    debited: Counter[str] = field(default_factory=Counter)
    back: Counter[str] = field(default_factory=Counter)
    arrived: Counter[str] = field(default_factory=Counter)
    credited: Counter[str] = field(default_factory=Counter)
    """By region: all that came to its income account."""
    parts: dict[tuple[str, int], tuple[str, int]] = field(default_factory=dict)
    """By receipt and part of a credit: the payment that it is really of, and its amount."""
    balances: dict[tuple[str, str], int] = field(default_factory=dict)
    """By region and kind, of the accounts that have had an entry."""


def read(folder: Path, regions: Regions) -> Truth:
    """The truth in a bank's folder."""
    truth = Truth()
    path = folder / "truth.jsonl"
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    touched: set[str] = set()
    for row in map(json.loads, lines):
        match row["what"]:
            case "entry":
                touched.add(row["account"])
                _entry(truth, row, _own(regions, row["account"]))
            case "taken":
                truth.taken[row["reference"]] += row["fen"]
            case "reject":
                truth.rejected[row["reference"]] += row["fen"]
            case "announce":
                truth.announced[row["reference"]] += row["fen"]
    if touched:
        accounts = json.loads((folder / "bank.json").read_text("utf-8"))["accounts"]
        for account in touched:
            truth.balances[_own(regions, account)] = accounts[account]["balance_fen"]
    return truth


def _own(regions: Regions, account: str) -> tuple[str, AccountKind]:
    known = regions.by_account(account)
    assert known is not None, "only agencies have accounts here"
    return known[0].code, known[1]


def receipt_of(region: str, kind: AccountKind, entry: str, *, reversal: bool = False) -> str:
    """The id that the books have for an entry of a bank."""
    key = f"{'rvsl' if reversal else 'ref'}:{entry}"
    return str(uuid5(NAMESPACE, f"receipt\x1f{region}:{kind}\x1f{key}"))


def _entry(truth: Truth, row: Row, own: tuple[str, AccountKind]) -> None:
    region, kind = own
    receipt = receipt_of(region, kind, row["entry"], reversal=row["reversal"])
    for number, (reference, fen) in enumerate(row["parts"]):
        if not row["credit"]:
            # What the payee's bank takes back is no payment: the part it was of says so.
            truth.debited[reference] += 0 if kind == "income" and row["reversal"] else fen
            continue
        truth.parts[receipt, number] = (reference, fen)
        if kind == "income":
            truth.arrived[reference] += fen
            truth.credited[region] += fen
        else:
            truth.back[reference] += fen


def check(network: Network, folder: Path, regions: Regions) -> list[str]:
    """Every difference between the bank's truth and the books, as a sentence."""
    truth = read(folder, regions)
    settled = netted(_pages(network, "/v1/netting/lines", "line"))
    sides = [_paid(side, settled) for side in _pages(network, "/v1/sides", "transfer")]
    parts = list(_pages(network, "/v1/receipt-parts", "place"))
    nets = positions(network.ask("settlement", "/v1/netting"))
    balances = network.ask("settlement", "/v1/trial-balance")["regions"]
    return [
        *of_parts(truth, parts),
        *of_transfers(truth, sides, parts, nets),
        *of_accounts(truth, balances, sides, nets, parts),
    ]


def arrived(network: Network, folder: Path, regions: Regions) -> Counter[str]:
    """What has come for each transfer, by a bank or by a net sheet, in fen."""
    settled = netted(_pages(network, "/v1/netting/lines", "line"))
    return read(folder, regions).arrived + settled


def netted(lines: Iterable[Row]) -> Counter[str]:
    """What net sheets have settled of each transfer: no bank moved it by itself."""
    found: Counter[str] = Counter()
    for line in lines:
        if line["state"] == "settled":
            fen = parse_yuan(line["amount"]) - parse_yuan(line["back"])
            found[UUID(line["transfer"]).hex] += fen
    return found


def _paid(side: Row, settled: Counter[str]) -> Row:
    fen = settled[UUID(side["transfer"]).hex]
    less = {name: yuan(parse_yuan(side[name]) - fen) for name in ("debited", "matched") if fen}
    return {**side, **less}


def positions(sheets: Iterable[Row]) -> Nets:
    """The one payment of each region for a month's net sheet."""
    return {
        row["reference"]: (
            row["region"] if parse_yuan(row["gets"]) else sheet["province"],
            parse_yuan(row["arrived"]),
        )
        for sheet in sheets
        for row in sheet["positions"]
        if row["reference"]
    }


def _pages(network: Network, path: str, key: str) -> Iterator[Row]:
    after: str | None = None
    while True:
        rows: list[Row] = network.ask("settlement", path, after=after, limit=_PAGE)
        yield from rows
        if len(rows) < _PAGE:
            return
        after = str(rows[-1][key])


def of_parts(truth: Truth, parts: Iterable[Row]) -> Iterator[str]:
    """Every payment that came is in the books, once, and with nobody whose it is not."""
    left = dict(truth.parts)
    for row in parts:
        place = (row["receipt"], row["part"])
        true, fen = left.pop(place, ("", -1))
        if fen != parse_yuan(row["amount"]):
            yield f"receipt {place}: {row['amount']} in the books, {fen} fen at the bank"
        if parse_yuan(row["applied"]) + parse_yuan(row["reserved"]) > 0:
            others = [one for one in row["transfers"] if UUID(one).hex != true]
            if others:
                yield f"receipt {place} is of {true or 'nobody'} and was given to {others}"
    for place, (true, fen) in left.items():
        yield f"receipt {place} of {true or 'nobody'}: {fen} fen are not in the books"


def of_transfers(
    truth: Truth, sides: Iterable[Row], parts: Iterable[Row], nets: Nets
) -> Iterator[str]:
    """What left, came back, is on its way and arrived is what the books have of each transfer."""
    applied: Counter[str] = Counter()
    for row in parts:
        true, _ = truth.parts.get((row["receipt"], row["part"]), ("", 0))
        applied[true] += parse_yuan(row["applied"])
    left = {ref for ref in (*truth.taken, *truth.debited, *truth.arrived) if ref} - set(nets)
    for reference, (_, books_fen) in nets.items():
        if applied[reference] != books_fen:
            yield f"{reference}, net position: {applied[reference]} of {books_fen} fen matched"
    for row in sides:
        reference = UUID(row["transfer"]).hex
        left.discard(reference)
        fen = {name: parse_yuan(row[name]) for name in _SIDE}
        returning = max(0, truth.announced[reference] - truth.back[reference])
        told = {
            "left the bank": (
                truth.debited[reference] - truth.back[reference],
                fen["debited"] + fen["overpaid"] - fen["returned"] + fen["returning"],
            ),
            "instructed and not paid": (
                # The bank may have paid more than it was told to.
                max(
                    0, truth.taken[reference] - truth.rejected[reference] - truth.debited[reference]
                ),
                fen["remitting"],
            ),
            "on its way back": (returning, fen["returning"]),
            "matched": (applied[reference], fen["matched"]),
        }
        for what, (true_fen, books_fen) in told.items():
            if true_fen != books_fen:
                yield f"{reference}, {what}: {true_fen} fen in truth, {books_fen} in the books"
        if fen["matched"] > truth.arrived[reference]:
            yield f"{reference} has more than arrived for it"
    for reference in sorted(left):
        yield f"{reference} is known to the bank alone"


_SIDE = ("remitting", "debited", "returned", "overpaid", "returning", "matched")


def of_accounts(
    truth: Truth,
    balances: Mapping[str, Iterable[Row]],
    sides: Iterable[Row],
    nets: Nets,
    parts: Iterable[Row] = (),
) -> Iterator[str]:
    """The bank accounts stand as the bank has them; what came and found nobody is in suspense."""
    books = {
        (region, row["account"]): parse_yuan(row["balance"])
        for region, rows in balances.items()
        for row in rows
    }
    for (region, kind), true_fen in sorted(truth.balances.items()):
        books_fen = books.get((region, f"bank:{kind}"), 0)
        if true_fen != books_fen:
            yield f"{region} {kind}: {yuan(true_fen)} at the bank, {yuan(books_fen)} in the books"
    found: Counter[str] = Counter()
    for row in sides:
        found[row["destination"]] += parse_yuan(row["matched"])
    for payee, fen in nets.values():
        found[payee] += fen
    for row in parts:
        # Sent back from here; where a payment of ours came back, it never was in suspense.
        if row["verdict"] != "returned":
            found[row["region"]] += parse_yuan(row["returned"])
    for region, true_fen in sorted(truth.credited.items()):
        rest_fen, books_fen = true_fen - found[region], books.get((region, "suspense"), 0)
        if rest_fen != books_fen:
            yield f"{region}: {yuan(rest_fen)} are nobody's, {yuan(books_fen)} in suspense"
