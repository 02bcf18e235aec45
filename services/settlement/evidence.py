"""The evidence for or against a match: what claims a part of a receipt may be for, and names."""

from collections.abc import Sequence

from services.settlement import reconciliation
from services.settlement.books import Books
from services.settlement.doubts import MOST_NAMES, agree
from services.settlement.reconciliation import Candidate, Evidence, Finding
from services.settlement.states import Claim, Part, look_of
from shared.calendar import shanghai_day


def evidence_of(books: Books, part: Part) -> Evidence:
    """What is known about a part besides itself."""
    if part.refs:
        found = [claim for ref in part.refs if (claim := books.claimed(ref)) is not None]
        return Evidence(referred=found, names_another=_names_another(books, part, found))
    if not part.payer_region or not part.name_keys:
        return Evidence()
    look = look_of(part.region, part.payer_region, part.amount_fen)
    keys = set(part.name_keys)
    line = books.line(part.receipt, part.part)
    text = line.text if line else None
    line_of = books.receipt(part.receipt)
    found = [c for c in books.expected(look) if not keys.isdisjoint(books.name_keys(c))]
    # What was here before its release was paid for something else, whatever name it bears. An old
    # statement that is read later tells nothing: a receipt is left unmatched for no age of its own.
    came_on = shanghai_day(line_of.recorded_at) if line_of else None
    later = [c for c in found if came_on and came_on < c.released_on]
    alike = [
        Candidate(claim, reconciliation.agreement(text, books.name(claim.person, claim.region)))
        for claim in found
        if claim not in later
    ]
    rivals = [
        other
        for other in books.waiting(look)
        if (other.receipt, other.part) != (part.receipt, part.part)
        and not keys.isdisjoint(other.name_keys)
    ]
    return Evidence(alike=alike, later=later, rivals=len(rivals))


def _names_another(books: Books, part: Part, referred: Sequence[Claim]) -> bool:
    """Whether the part bears the name of somebody else than those whose transfers it refers to:
    of somebody known here, or, where the payee is given in a field of its own, of anybody.
    """
    if not part.name_keys or any(agree(books.name_keys(c), part.name_keys) for c in referred):
        return False
    line = books.line(part.receipt, part.part)
    expected = [books.name(claim.person, claim.region) for claim in referred]
    if line is not None:
        if reconciliation.is_other_person(line.payee, expected):
            return True
        if any(name and reconciliation.agreement(line.text, name) for name in expected):
            return False
    own = {key for claim in referred for key in books.name_keys(claim)}
    others = [key for key in part.name_keys[:MOST_NAMES] if key not in own]
    return any(books.named(part.region, key) for key in others)


def kept(part: Part, evidence: Evidence, finding: Finding) -> dict[str, object]:
    """What stays with the part: what was compared, and why a candidate was rejected."""
    alike = [candidate.claim for candidate in evidence.alike]
    considered = [*evidence.referred, *alike, *evidence.later]
    rejected = dict.fromkeys((c.transfer for c in evidence.later), "released-later")
    rejected |= finding.rejected
    told: dict[str, object] = {
        "candidates": [
            {
                "transfer": str(claim.transfer),
                "available_fen": claim.available_fen,
                "rejected": rejected.get(claim.transfer),
            }
            for claim in considered
        ]
    }
    if part.refs:
        told["references"] = [str(ref) for ref in part.refs]
    agreed = {str(c.claim.transfer): c.agrees for c in evidence.alike}
    if agreed:
        told["names"] = agreed
    if evidence.rivals:
        told["rivals"] = evidence.rivals
    return told
