"""Regions that pay interest, and a person with an account there."""

from services.settlement.states import Holder
from shared.messages.settlement import Contribute, RecordReceipt, Spend
from shared.regions import Regions, parse
from shared.settings import Settings
from tests.unit.settlement_world import (
    PERSON,
    T1,
    A,
    B,
    C,
    World,
    detail,
    open_account,
    receipt,
    some_id,
)

RATE = '\n[[interest]]\nfrom = {since}\nrate_bp = {bp}\nsource = "a test"\n'
FOLDER = Settings().regions


def earning(**rates: int) -> Regions:
    """The shipped regions, of which some pay interest: `A=35`."""
    codes = {"A": A, "B": B, "C": C}
    paying = {codes[name]: RATE.format(since="2026-01-01", bp=bp) for name, bp in rates.items()}
    return Regions(
        parse((FOLDER / f"{code}.toml").read_bytes() + paying.get(code, "").encode(), code)
        for code in codes.values()
    )


def world(balance_fen: int = 408412, **rates: int) -> World:
    """A person with an account at A, and one at B."""
    found = World(regions=earning(**rates or {"A": 35}))
    found.send(open_account(A, balance_fen), open_account(B))
    return found


def contribution(region: str, amount_fen: int, name: str) -> Contribute:
    return Contribute(to=region, person=PERSON, record=some_id(name), amount_fen=amount_fen)


def spent(region: str, amount_fen: int, name: str = "spent") -> Spend:
    return Spend(to=region, person=PERSON, record=some_id(name), amount_fen=amount_fen)


def holder(found: World, region: str) -> Holder:
    state = found.states["holder", PERSON, region]
    assert isinstance(state, Holder)
    return state


def postings(found: World, region: str, kind: str) -> list[str]:
    return [
        f"{p.debit} > {p.credit} {p.amount_fen}"
        for entry in found.entries.values()
        if (entry.region, entry.kind) == (region, kind)
        for p in entry.postings
    ]


def remitted(amount_fen: int) -> RecordReceipt:
    """A pays B."""
    return receipt("R", detail(amount_fen, T1, payer_region=A))
