"""A transfer is reversed: the destination takes the months out, the origin has the record again."""

from services.enrollment.actions import entitled
from services.enrollment.persons import Relation, Turn
from shared.decision import replace
from shared.messages import enrollment as e
from shared.regions import Regions
from shared.rules import Fact


def restore(turn: Turn, m: e.RestoreRecord, regions: Regions) -> None:
    """Does this region's part, once; asked again it answers the same."""
    if m.to == m.destination:
        _take_out(turn, m, regions)
    else:
        _take_back(turn, m)


def _take_out(turn: Turn, m: e.RestoreRecord, regions: Regions) -> None:
    """The months leave the person's record here, unless the next region has asked for them."""
    relation = turn.person.relations.get((m.to, m.new_scheme))
    kept = relation and tuple(j for j in relation.joined if j.transfer != m.transfer)
    rule = Fact("what has moved on does not go back", "", "design")
    if relation is not None and _is_asked_for(turn, relation):
        turn.explain(m.transfer, "restore", rule, code="moved-on")
        turn.say(
            e.RestoreRefused(
                to=m.to, person=m.person, transfer=m.transfer, origin=m.origin, code="moved-on"
            )
        )
        return
    if relation is not None and kept is not None and kept != relation.joined:
        turn.put_relation(entitled(turn, replace(relation, joined=kept), regions))
        turn.explain(m.transfer, "restore", rule, origin=m.origin)
    _say(turn, m)


def _is_asked_for(turn: Turn, relation: Relation) -> bool:
    return relation.released is not None or any(
        r.state == "accepted" and r.key == relation.key for r in turn.person.releases.values()
    )


def _take_back(turn: Turn, m: e.RestoreRecord) -> None:
    """The relation is the origin's again, suspended as it was before it left."""
    known = turn.person.releases.get(m.transfer)
    if known is not None and known.state in ("released", "terminated"):
        turn.put_release(replace(known, state="restored"))
        relation = turn.person.relations.get(known.key)
        # Somebody who has come back meanwhile has enrolled anew: that spell goes on.
        if relation is not None and relation.released == m.transfer:
            turn.put_relation(replace(relation, state="suspended", released=None))
        rule = Fact("a reversed transfer leaves the record where it was", "", "design")
        turn.explain(m.transfer, "restore", rule, destination=known.destination)
    _say(turn, m)


def _say(turn: Turn, m: e.RestoreRecord) -> None:
    turn.say(
        e.RecordRestored(
            to=m.destination, person=m.person, transfer=m.transfer, origin=m.origin, region=m.to
        )
    )
