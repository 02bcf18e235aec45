"""The origin's side: who asks for a person's record, who gets it, and what it says."""

from services.enrollment import answers
from services.enrollment.persons import Relation, Release, Start, Turn
from shared.calendar import shanghai_day
from shared.decision import Unexpected, replace
from shared.messages import enrollment as e
from shared.messages import next_uuid, transfer
from shared.regions import Regions
from shared.rules import Fact

# A destination that still disputes the tenth version will not agree with the eleventh.
MOST_VERSIONS = 10


def release(turn: Turn, m: e.ReleaseRecord, regions: Regions) -> None:
    """Checks the request and, where nothing is in its way, takes it (受理).

    Where the origin answers by machine the record is handed out at once.
    """
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
    code, rule = _refusal(turn, relation, asked)
    turn.explain(m.transfer, "release", rule, code=code, origin=m.to, scheme=m.scheme)
    if code is not None or relation is None:
        _refuse(turn, asked, code)
        return
    answers.accepted(turn, asked)
    if not _kept_for_a_clerk(turn, asked, regions):
        _hand_out(turn, asked, relation)


def _kept_for_a_clerk(turn: Turn, asked: Release, regions: Regions) -> bool:
    """Whether the origin answers by hand; then the request is open until it is completed."""
    at = turn.delivery.at
    rule = regions.at(asked.region, shanghai_day(at)).release
    if rule.answer == "automatic":
        return False
    due = regions.calendar(asked.region).deadline(at, rule.handled_within)
    turn.put_release(replace(asked, state="accepted", due_at=due))
    fact = Fact("release: handling_working_days", str(rule.handled_within), rule.source)
    turn.explain(asked.transfer, "wait", fact, due_at=due.isoformat())
    later = e.CompleteRelease(to=asked.region, person=turn.person.person, transfer=asked.transfer)
    turn.remind(asked.transfer, due, later)
    return True


def complete(turn: Turn, m: e.CompleteRelease) -> None:
    """The clerk is done, or the handling time is over: what may have changed is checked again."""
    known = turn.person.releases.get(m.transfer)
    if known is None:
        raise Unexpected("never_asked", "nobody has asked for the record that is to be released")
    if known.state != "accepted":
        # The other of clerk and timer was quicker, or the destination has taken it back.
        return
    turn.remind(m.transfer, None, None)
    relation = turn.person.relations.get(known.key)
    code, rule = _refusal(turn, relation, known)
    turn.explain(m.transfer, "complete", rule, code=code, origin=known.region)
    if code is not None or relation is None:
        _refuse(turn, known, code)
    else:
        _hand_out(turn, known, relation)


def _refuse(turn: Turn, asked: Release, code: str | None) -> None:
    refused = replace(asked, state="refused", code=code, due_at=None)
    turn.put_release(refused)
    answers.refused(turn, refused)


def _hand_out(turn: Turn, asked: Release, relation: Relation) -> None:
    released = _with_record(asked, relation)
    turn.put_release(released)
    turn.put_relation(replace(relation, released=asked.transfer))
    answers.released(turn, released)


def _with_record(asked: Release, relation: Relation) -> Release:
    record, last = relation.months, relation.last_month
    return replace(
        asked,
        state="released",
        version=1,
        months=record,
        last_month=record[-1][1] if last is None and record else last,
        had_account=relation.account,
        due_at=None,
    )


def _refusal(  # noqa: PLR0911 - one sentence per reason, in the order they count
    turn: Turn, relation: Relation | None, asked: Release
) -> tuple[str | None, Fact]:
    rule = "医保办发〔2021〕43号"
    if turn.person.deceased_on is not None:
        return "deceased", Fact("the dead do not move", "", rule)
    if relation is None:
        return "no_record_here", Fact("the origin keeps a record of the scheme", "no", rule)
    if relation.person_type == "retiree":
        return "retiree", Fact("retirees do not move", "", f"{rule} art. 2")
    if relation.released is not None or _another_is_open(turn, asked):
        # The same answer whether the other transfer is under way or has come to its end, so
        # that it does not matter how late this request is.
        return "duplicate", Fact("one open release per person and scheme", "", "design")
    year = shanghai_day(turn.delivery.at).year
    if asked.state != "accepted" and _is_too_early(asked, year):
        return "next_plan_year", Fact("residents move for the next plan year", str(year + 1), rule)
    if relation.state == "normal":
        return "origin-not-stopped", Fact("cover at the origin has stopped", "no", rule)
    if relation.arrears:
        return "in_arrears", Fact("no month is due and unpaid", "no", "assumed")
    return None, Fact("cover at the origin has stopped", "yes", rule)


def _another_is_open(turn: Turn, asked: Release) -> bool:
    return any(
        r.state == "accepted" and r.key == asked.key and r.transfer != asked.transfer
        for r in turn.person.releases.values()
    )


def _is_too_early(asked: Release, year: int) -> bool:
    """Counts when the request comes: it does not become wrong while it waits over New Year."""
    residents = asked.scheme == asked.new_scheme == "390"
    return residents and (asked.plan_year is None or asked.plan_year <= year)


def _repeat(turn: Turn, known: Release) -> None:
    if known.state in ("refused", "withheld"):
        answers.refused(turn, known)
    elif known.state == "cancelled":
        answers.cancelled(turn, known)
    elif known.state == "accepted":
        answers.accepted(turn, known)
    else:
        answers.released(turn, known)


def cancel(turn: Turn, m: e.CancelRelease) -> None:
    """The request is taken back; if the origin was quicker, the record is sent once more."""
    known = turn.person.releases.get(m.transfer)
    if known is None:
        turn.put_release(_cancelled_before_asked(m))
        return
    if known.state in ("released", "terminated"):
        answers.released(turn, known)
        return
    if known.state == "accepted":
        turn.remind(m.transfer, None, None)
    if known.state != "cancelled":
        known = replace(known, state="cancelled", due_at=None)
        turn.put_release(known)
        if known.reopened:
            again = next_uuid(m.transfer, "again")
            turn.say(transfer.Withdraw(to=known.destination, person=m.person, transfer=again))
    answers.cancelled(turn, known)


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
        start = person.starts.get(waiting.transfer)
        if start is not None and start.withdrawn:
            continue
        again = next_uuid(waiting.transfer, "again")
        turn.put_release(replace(waiting, reopened=True))
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
    if m.version is not None and known.version > m.version:
        answers.corrected(turn, known)  # asked again for what was corrected already
        return
    if known.version >= MOST_VERSIONS:
        _withhold(turn, m, known, "not_correctable")
        return
    corrected = replace(known, version=known.version + 1, months=relation.months)
    turn.put_release(corrected)
    rule = Fact("a disputed record is made again", f"version {corrected.version}", "design")
    turn.explain(m.transfer, "correct", rule, code=m.code)
    answers.corrected(turn, corrected)


def pass_on(turn: Turn, relation: Relation) -> None:
    """A record that has left is another one now: the region that got it gets its next version."""
    release = turn.person.releases.get(relation.released) if relation.released else None
    if release is None or release.state not in ("released", "terminated"):
        return
    if release.months != relation.months:
        later = replace(release, version=release.version + 1, months=relation.months)
        turn.put_release(later)
        answers.corrected(turn, later)


def _withhold(turn: Turn, m: e.CorrectRecord, known: Release | None, code: str) -> None:
    if known is not None:
        turn.put_release(replace(known, state="withheld", code=code))
        relation = turn.person.relations.get(known.key)
        if relation is not None and relation.released == m.transfer:
            # The record stays here after all, and may be asked for anew.
            state = "suspended" if relation.state == "terminated" else relation.state
            turn.put_relation(replace(relation, state=state, released=None))
    to = known.destination if known else m.to
    turn.say(e.RecordWithheld(to=to, person=m.person, transfer=m.transfer, origin=m.to, code=code))
