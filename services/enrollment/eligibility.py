"""Who may enroll in a region, with what papers, and whether they get a personal account."""

from shared.messages.enrollment import Register
from shared.policy import Policy
from shared.rules import Fact

RESIDENT_SCHEME = "390"
_NO_SUCH = "regional rules: scheme and person type"


def refusal(policy: Policy, m: Register) -> tuple[str | None, Fact]:
    """The code of the refusal, None if the person may enroll, and the rule that says so."""
    assert m.scheme
    assert m.person_type
    if m.person_type == "retiree":
        # A retiree's cover stays where it is: art. 2 leaves retirees out of the transfer.
        return "retiree", Fact("retirees do not move", "", "医保办发〔2021〕43号 art. 2")
    rule = policy.enrollment(m.scheme, m.person_type)
    if rule is None:
        return "not_offered", Fact(_NO_SUCH, f"{m.scheme} {m.person_type}", policy.version)
    shown = Fact("residence permit", ", ".join(rule.permits) or "none needed", rule.source)
    if rule.accepts(m.residence_permit, local=m.hukou_region == policy.region):
        return None, shown
    return "residence_permit_needed", shown


def has_account(policy: Policy, m: Register) -> bool:
    """Whether the person has a personal account: as the record says, else by the region's rule."""
    if m.account is not None:
        return m.account
    assert m.scheme
    assert m.person_type
    return policy.has_account(m.scheme, m.person_type)
