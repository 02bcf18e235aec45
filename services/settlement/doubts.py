"""Which receipts a name decides about: only their lines, and the names they may bear, are unsealed.

Blind keys say what may belong together; whether it does is read.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, cast
from uuid import UUID

from services.settlement.needs import Needs
from services.settlement.states import Claim, Holder, Line, Part
from shared.decision import States
from shared.messages.settlement import OpenAccount, RecordReceipt

Place = tuple[str, str]
"""A person and a region."""

NameKeys = dict[Place, tuple[str, ...]]

MOST_NAMES = 16
"""So many of a part's name keys, the most specific first, are asked for another person's name."""


class Doubt(NamedTuple):
    """A part whose name decides: its region, its name keys, and whose transfers it refers to."""

    region: str
    name_keys: tuple[str, ...]
    referred: frozenset[Place] = frozenset()


Doubtful = dict[tuple[UUID, int], Doubt]
"""Parts, by receipt and number."""


def doubtful(
    needs: Needs,
    waiting: Sequence[Part],
    keys: NameKeys,
    states: States,
) -> Doubtful:
    """The parts whose name decides: those without a reference that have something in common with
    somebody, and those whose name may not be that of the person they refer to.
    """
    known = {key for some in keys.values() for key in some}
    found: Doubtful = {}
    for part in [*_parts_of(needs.receipts), *waiting]:
        if not part.name_keys:
            continue
        referred = _referred(part.refs, states, needs)
        if part.refs:
            own = {key for place in referred for key in keys.get(place, ())}
            if not own or agree(own, part.name_keys):
                continue
        elif known.isdisjoint(part.name_keys):
            continue
        found[part.receipt, part.part] = Doubt(part.region, part.name_keys, referred)
    return found


def agree(known: Iterable[str], written: Iterable[str]) -> bool:
    """Whether name keys tell by themselves that a name is meant. One in common may be that of 陈浩
    in 陈浩平: then the line is read.
    """
    return len(set(known) & set(written)) > 1


def _referred(refs: Iterable[UUID], states: States, needs: Needs) -> frozenset[Place]:
    found: set[Place] = set()
    for ref in refs:
        for place in cast("tuple[tuple[str, UUID], ...]", states.get(("claimed", ref)) or ()):
            claim = states.get(("claim", *place))
            if isinstance(claim, Claim):
                found.add((claim.person, claim.region))
        found |= {(m.person, m.to) for m in needs.announcing.get(ref, ())}
    return frozenset(found)


def _parts_of(receipts: Iterable[RecordReceipt]) -> Iterable[Part]:
    for m in receipts:
        for number, detail in enumerate(m.details):
            yield Part(
                receipt=m.receipt,
                part=number,
                region=m.to,
                amount_fen=detail.amount_fen,
                refs=detail.references,
                name_keys=detail.name_keys,
            )


def places_of(needs: Needs, states: States) -> list[Place]:
    """The holders of all claims that were read or are announced."""
    found = {(c.person, c.region) for c in states.values() if isinstance(c, Claim)}
    found |= {(m.person, m.to) for versions in needs.announcing.values() for m in versions}
    return sorted(found)


def names_asked(doubts: Doubtful) -> list[Place]:
    """The (region, name key) that are asked whether somebody bears that name."""
    pairs = {(d.region, key) for d in doubts.values() for key in d.name_keys[:MOST_NAMES]}
    return sorted(pairs)


def compared(doubts: Doubtful, keys: NameKeys) -> set[Place]:
    """Whose names the lines may be compared with: who has something in common with one, and those
    whose transfers it refers to.
    """
    written = {key for doubt in doubts.values() for key in doubt.name_keys}
    found = {place for place, some in keys.items() if not written.isdisjoint(some)}
    return found.union(*(doubt.referred for doubt in doubts.values()))


def names_of(found: Iterable[tuple[Place, object]]) -> tuple[NameKeys, dict[Place, str]]:
    """Name keys and sealed names of holders, the last that is known of each."""
    keys: NameKeys = {}
    sealed: dict[Place, str] = {}
    for place, known in found:
        if isinstance(known, Holder | OpenAccount):
            keys[place] = known.name_keys or keys.get(place, ())
            if known.sealed:
                sealed[place] = known.sealed
    return keys, sealed


def line_of(payment: Mapping[str, object]) -> Line:
    """What a payment of an unsealed bank line says of its payee."""
    return Line(str(payment.get("payee_name") or ""), str(payment.get("remark") or ""))
