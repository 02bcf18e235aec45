"""Whose money a receipt is: rules in tiers, each with its evidence.

Confident matches are made, everything else asks a person; there is never a score. A wrong
automatic match is the one thing that may never happen, so evidence that points two ways is
`ambiguous`, and a reference to a transfer that is not announced yet waits for it.

1. reference and the amount still open: exact, or the last of several
2. reference, another amount: short, partial, over; already funded: duplicate
3. several references on one payment: only if together they are open for exactly its amount
4. payer region, exact amount and name: only if unique among open and funded claims and among
   the receipts that wait, and never money that came before the release
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from services.settlement.states import Claim, Part, Verdict
from shared import names

AUTOMATIC = frozenset({"exact", "latin", "damaged"})
"""How a name must agree. Homophones, another order and typing errors ask: they are as likely to
be another person's name."""

MANUAL, UNDONE = "manual", "undone"
"""The rules of a part that people have matched, and of one whose match they have undone."""

_NOT_LATIN = re.compile("[\u2e80-\U0003ffff?*]+")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A claim that a part may be for; `agrees` is how the name does (`unread`: not unsealed)."""

    claim: Claim
    agrees: str | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """The verdict on a part: what of it is reserved for which claim, by which rule, and why not
    for others (`rejected`, by transfer).
    """

    verdict: Verdict
    rule: str
    reserved: tuple[tuple[Claim, int], ...] = ()
    rejected: Mapping[UUID, str] = field(default_factory=dict)

    @property
    def asks(self) -> bool:
        """Whether a person must look at it."""
        return self.verdict in {"unknown", "ambiguous", "duplicate", "returned"}


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known about a part besides itself.

    `referred`: claims of its references. `alike`: claims of its payer region and amount whose
    name has something in common with it; those `later` were released after it had come. `rivals`:
    other parts that wait for the same.
    `names_another`: it bears the exact name of somebody with a claim here, and not that of the
    person referred to.
    """

    referred: Sequence[Claim] = ()
    alike: Sequence[Candidate] = ()
    later: Sequence[Claim] = ()
    rivals: int = 0
    names_another: bool = False


def judge(part: Part, evidence: Evidence) -> Finding:
    """The verdict on the unmatched rest of a part."""
    if not part.refs:
        return _by_name(part, evidence)
    claims = [claim for claim in evidence.referred if claim.region == part.region]
    rejected = {
        claim.transfer: "other-destination"
        for claim in evidence.referred
        if claim.region != part.region
    }
    if rejected:
        return Finding("ambiguous", "reference", rejected=rejected)
    if not claims:
        return Finding("unknown", "reference")
    wrong = _conflict(part, claims, evidence)
    if wrong is not None:
        rejected = dict.fromkeys((claim.transfer for claim in claims), wrong)
        return Finding("ambiguous", "reference", rejected=rejected)
    if len(part.refs) > 1:
        return _by_list(part, claims)
    return _by_reference(part, claims[0])


def _conflict(part: Part, claims: Sequence[Claim], evidence: Evidence) -> str | None:
    if any(part.payer_region not in {None, claim.origin} for claim in claims):
        return "other-payer"
    if len({claim.origin for claim in claims}) > 1:
        return "several-payers"
    return "other-name" if evidence.names_another else None


def _by_reference(part: Part, claim: Claim) -> Finding:
    rest_fen = part.rest_fen
    verdict = verdict_of(rest_fen, claim)
    rule = "reference-other-amount"
    if verdict == "duplicate":
        rule = "reference-funded"
    elif rest_fen == claim.available_fen:
        rule = "reference-amount"
    return Finding(verdict, rule, ((claim, rest_fen),))


def verdict_of(amount_fen: int, claim: Claim) -> Verdict:
    """What so much is to a claim that it is known to be for."""
    available_fen = claim.available_fen
    first = available_fen == claim.announced_fen
    if available_fen == 0:
        return "duplicate"
    if amount_fen > available_fen:
        return "over"
    if not first:
        return "partial"
    return "exact" if amount_fen == available_fen else "short"


def _by_list(part: Part, claims: Sequence[Claim]) -> Finding:
    complete = len({claim.transfer for claim in claims}) == len(set(part.refs))
    available = [(claim, claim.available_fen) for claim in claims]
    covered = sum(fen for _, fen in available) == part.rest_fen and all(
        fen > 0 for _, fen in available
    )
    if complete and covered:
        return Finding("exact", "references-cover", tuple(available))
    if not complete:
        return Finding("unknown", "references-cover")
    rejected = dict.fromkeys((claim.transfer for claim in claims), "amounts-do-not-add-up")
    return Finding("ambiguous", "references-cover", rejected=rejected)


def _by_name(part: Part, evidence: Evidence) -> Finding:
    rule = "payer-name-amount"
    alike = [candidate for candidate in evidence.alike if candidate.agrees is not None]
    if not part.payer_region or not alike:
        return Finding("unknown", "none")
    if len(alike) > 1:
        rejected = {candidate.claim.transfer: "twin" for candidate in alike}
        return Finding("ambiguous", rule, rejected=rejected)
    only = alike[0]
    claim = only.claim
    if claim.available_fen != claim.announced_fen:
        return Finding("duplicate", rule, rejected={claim.transfer: "already-paid"})
    if evidence.rivals:
        return Finding("ambiguous", rule, rejected={claim.transfer: "twin-receipt"})
    if only.agrees not in AUTOMATIC:
        return Finding("ambiguous", rule, rejected={claim.transfer: f"name-{only.agrees}"})
    return Finding("exact", rule, ((claim, part.rest_fen),))


def agreement(text: str | None, name: str | None) -> str | None:
    """How the name in a bank line agrees with a person's: `exact`, `latin` (written in Latin
    letters), `damaged`, `homophone`, `order`, `typo`; None if it does not; `unread` if either
    could not be unsealed.
    """
    if text is None or name is None:
        return "unread"
    found = names.same_person(text, name)
    if found != "pinyin":
        return found
    # 张薇 reads as 张伟 does, but is somebody else; ZHANG WEI is all that the bank could write.
    latin = names.same_person(_NOT_LATIN.sub(" | ", text), name)
    return "latin" if latin == "pinyin" else "homophone"


def is_other_person(payee: str, expected: Sequence[str | None]) -> bool:
    """Whether a payee field holds a name, and it is nobody's of those expected."""
    if not names.candidates(payee) or None in expected or not expected:
        return False
    return all(name is None or names.same_person(payee, name) is None for name in expected)
