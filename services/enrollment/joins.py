"""The destination's side: another region's months join the person's own."""

from services.enrollment import releases
from services.enrollment.actions import counted
from services.enrollment.entitlement import join, reckon, record_digest
from services.enrollment.persons import Joined, Relation, Turn
from shared import months
from shared.calendar import shanghai_day
from shared.decision import Unexpected, replace
from shared.messages import enrollment as e
from shared.regions import Regions


def join_record(turn: Turn, m: e.JoinRecord, regions: Regions) -> None:
    """Joins what arrived as it was sent; disputes what did not."""
    relation = turn.person.relations.get((m.to, m.new_scheme))
    if relation is None or regions.get(m.to) is None:
        raise Unexpected("no_relation", f"nobody is enrolled in {m.to} for {m.new_scheme}")
    if record_digest(m.version, m.months) != m.digest:
        turn.say(
            e.RecordDisputed(
                to=m.to,
                person=m.person,
                transfer=m.transfer,
                origin=m.origin,
                code="digest-mismatch",
                version=m.version,
            )
        )
        return
    twice = months.overlap(m.months, relation.own)
    joined = join(relation, Joined(m.transfer, m.origin, m.scheme, m.version, m.months))
    others = counted(turn, joined, regions)
    waiting = regions.at(m.to, shanghai_day(turn.delivery.at)).waiting
    reckoning = reckon(joined, others, waiting)
    joined = replace(joined, entitlement=reckoning.entitlement)
    turn.put_relation(joined)
    facts = {**reckoning.facts, "origin": m.origin, "months_twice": months.ranges_text(twice)}
    turn.explain(m.transfer, "join", reckoning.rule, **facts)
    _say_joined(turn, m, joined)
    releases.pass_on(turn, joined)


def _say_joined(turn: Turn, m: e.JoinRecord, relation: Relation) -> None:
    entitlement = relation.entitlement
    turn.say(
        e.RecordJoined(
            to=m.to,
            person=m.person,
            transfer=m.transfer,
            origin=m.origin,
            months=relation.months,
            months_total=months.count(relation.months),
            entitled_from=entitlement.entitled_from,
            waiting_months=entitlement.waiting_months,
            retroactive_from=entitlement.retroactive_from,
            version=m.version,
        )
    )
