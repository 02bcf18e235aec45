"""The origin's side: who asks for a person's record, who gets it, and what it says."""

from dataclasses import replace

from services.enrollment.entitlement import record_digest
from services.enrollment.persons import Relation, Release, Start, Turn
from shared.calendar import shanghai_day
from shared.messages import enrollment as e
from shared.messages import next_uuid
from shared.rules import Fact

# A destination that still disputes the tenth version will not agree with the eleventh.
MOST_VERSIONS = 10


def release(turn: Turn, m: e.ReleaseRecord) -> None:
    """Checks the request and, where nothing is in its way, hands the record out at once."""
    known = turn.person.releases.get(m.transfer)
    if known is not None:
        # A cancellation that was quicker than its request did not know whom to answer.
        _repeat(turn, replace(known, destination=m.destination))
        return
    asked = Release(
        transfer=m.transfer,
        region=m.to,
        destination=m.destination,
        scheme=m.scheme,
        new_scheme=m.new_scheme,
        trigger=m.trigger,
        account=m.account,
        first_month=m.first_month,
        plan_year=m.plan_year,
        state="refused",
    )
    relation = turn.person.relations.get((m.to, m.scheme))
    code, rule = _refusal(turn, relation, m)
    turn.explain(m.transfer, "release", rule, code=code, origin=m.to, scheme=m.scheme)
    if code is not None or relation is None:
        asked = replace(asked, code=code)
        turn.put_release(asked)
        _say_refused(turn, asked)
        return
    asked = _with_record(asked, relation)
    turn.put_release(asked)
    turn.put_relation(replace(relation, released=m.transfer))
    turn.say(
        e.ReleaseAccepted(to=asked.destination, person=m.person, transfer=m.transfer, origin=m.to)
    )
    _say_released(turn, asked)


def _with_record(asked: Release, relation: Relation) -> Release:
    record, last = relation.months, relation.last_month
    return replace(
        asked,
        state="released",
        version=1,
        months=record,
        last_month=record[-1][1] if last is None and record else last,
        had_account=relation.account,
    )


def _refusal(  # noqa: PLR0911 - one sentence per reason, in the order they count
    turn: Turn, relation: Relation | None, m: e.ReleaseRecord
) -> tuple[str | None, Fact]:
    rule = "医保办发〔2021〕43号"
    if turn.person.deceased_on is not None:
        return "deceased", Fact("the dead do not move", "", rule)
    if relation is None:
        return "no_record_here", Fact("the origin keeps a record of the scheme", "no", rule)
    if relation.person_type == "retiree":
        return "retiree", Fact("retirees do not move", "", f"{rule} art. 2")
    if relation.released is not None:
        # The same answer whether the other transfer is under way or has come to its end, so
        # that it does not matter how late this request is.
        return "duplicate", Fact("one open release per person and scheme", "", "design")
    year = shanghai_day(turn.delivery.at).year
    if m.scheme == m.new_scheme == "390" and (m.plan_year is None or m.plan_year <= year):
        return "next_plan_year", Fact("residents move for the next plan year", str(year + 1), rule)
    if relation.state == "normal":
        return "origin-not-stopped", Fact("cover at the origin has stopped", "no", rule)
    if relation.arrears:
        return "in_arrears", Fact("no month is due and unpaid", "no", "assumed")
    return None, Fact("cover at the origin has stopped", "yes", rule)


def _repeat(turn: Turn, known: Release) -> None:
    if known.state in ("refused", "withheld"):
        _say_refused(turn, known)
    elif known.state == "cancelled":
        _say_cancelled(turn, known)
    else:
        _say_released(turn, known)


def cancel(turn: Turn, m: e.CancelRelease) -> None:
    """The request is taken back; if the origin was quicker, the record is sent once more."""
    known = turn.person.releases.get(m.transfer)
    if known is None:
        turn.put_release(_cancelled_before_asked(m))
        return
    if known.state in ("released", "terminated"):
        _say_released(turn, known)
        return
    if known.state != "cancelled":
        known = replace(known, state="cancelled")
        turn.put_release(known)
    _say_cancelled(turn, known)


def _cancelled_before_asked(m: e.CancelRelease) -> Release:
    return Release(
        transfer=m.transfer,
        region=m.to,
        destination="",
        scheme="",
        new_scheme="",
        trigger="",
        account=False,
        first_month=None,
        plan_year=None,
        state="cancelled",
    )


def reopen(turn: Turn, relation: Relation) -> None:
    """Cover has stopped: every request that was refused for it opens a new transfer."""
    person = turn.person
    for waiting in sorted(person.releases.values(), key=lambda r: r.transfer):
        meant = (waiting.region, waiting.scheme) == relation.key
        if not meant or waiting.reopened or waiting.state != "refused":
            continue
        if waiting.code != "origin-not-stopped":
            continue
        again = next_uuid(waiting.transfer, "again")
        turn.put_release(replace(waiting, reopened=True))
        start = person.starts.get(waiting.transfer)
        record = start.record if start else waiting.transfer
        turn.put_start(Start(again, record, waiting.destination, waiting.region))
        turn.say(
            e.CoverStopped(
                to=waiting.destination,
                person=person.person,
                transfer=again,
                refused=waiting.transfer,
                origin=waiting.region,
                scheme=waiting.scheme,  # type: ignore[arg-type]
                new_scheme=waiting.new_scheme,  # type: ignore[arg-type]
                first_month=waiting.first_month,
                plan_year=waiting.plan_year,
                trigger=waiting.trigger,  # type: ignore[arg-type]
                account=waiting.account,
            )
        )


def terminate(turn: Turn, m: e.TerminateRecord) -> None:
    """The record has joined at the destination: the relation here ends."""
    known = turn.person.releases.get(m.transfer)
    if known is None or known.state != "released":
        return
    turn.put_release(replace(known, state="terminated"))
    relation = turn.person.relations.get((known.region, known.scheme))
    # Somebody who has come back meanwhile has enrolled anew: that spell goes on.
    if relation is not None and relation.released == m.transfer:
        turn.put_relation(replace(relation, state="terminated"))


def correct(turn: Turn, m: e.CorrectRecord) -> None:
    """The destination disputes the record: it is made again from what is known here."""
    known = turn.person.releases.get(m.transfer)
    relation = turn.person.relations.get((known.region, known.scheme)) if known else None
    if known is None or relation is None or known.state not in ("released", "terminated"):
        _withhold(turn, m, known, "no_record_here")
        return
    if known.version >= MOST_VERSIONS:
        _withhold(turn, m, known, "not_correctable")
        return
    corrected = replace(known, version=known.version + 1, months=relation.months)
    turn.put_release(corrected)
    rule = Fact("a disputed record is made again", f"version {corrected.version}", "design")
    turn.explain(m.transfer, "correct", rule, code=m.code)
    say_corrected(turn, corrected)


def _withhold(turn: Turn, m: e.CorrectRecord, known: Release | None, code: str) -> None:
    if known is not None:
        turn.put_release(replace(known, state="withheld", code=code))
    to = known.destination if known else m.to
    turn.say(e.RecordWithheld(to=to, person=m.person, transfer=m.transfer, origin=m.to, code=code))


def say_corrected(turn: Turn, r: Release) -> None:
    """Announce the current version of a record that was released before."""
    turn.say(
        e.RecordCorrected(
            to=r.destination,
            person=turn.person.person,
            transfer=r.transfer,
            origin=r.region,
            version=r.version,
            scheme=r.scheme,  # type: ignore[arg-type]
            months=r.months,
            last_month=r.last_month,
            digest=record_digest(r.version, r.months),
        )
    )


def _say_released(turn: Turn, r: Release) -> None:
    turn.say(
        e.RecordReleased(
            to=r.destination,
            person=turn.person.person,
            transfer=r.transfer,
            origin=r.region,
            version=r.version,
            scheme=r.scheme,  # type: ignore[arg-type]
            months=r.months,
            last_month=r.last_month,
            account=r.had_account,
            digest=record_digest(r.version, r.months),
        )
    )


def _say_refused(turn: Turn, r: Release) -> None:
    turn.say(
        e.ReleaseRefused(
            to=r.destination,
            person=turn.person.person,
            transfer=r.transfer,
            origin=r.region,
            code=r.code or "no_record_here",
        )
    )


def _say_cancelled(turn: Turn, r: Release) -> None:
    turn.say(
        e.ReleaseCancelled(
            to=r.destination, person=turn.person.person, transfer=r.transfer, origin=r.region
        )
    )
