"""What an origin says to the destination that asked for a record."""

from services.enrollment.entitlement import record_digest
from services.enrollment.persons import Release, Turn
from shared.messages import enrollment as e


def accepted(turn: Turn, r: Release) -> None:
    """The request is taken (受理)."""
    turn.say(
        e.ReleaseAccepted(
            to=r.destination, person=turn.person.person, transfer=r.transfer, origin=r.region
        )
    )


def refused(turn: Turn, r: Release) -> None:
    """The record is not released, and why."""
    turn.say(
        e.ReleaseRefused(
            to=r.destination,
            person=turn.person.person,
            transfer=r.transfer,
            origin=r.region,
            code=r.code or "no_record_here",
        )
    )


def released(turn: Turn, r: Release) -> None:
    """The record itself (参保信息表)."""
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


def cancelled(turn: Turn, r: Release) -> None:
    """The request is forgotten."""
    turn.say(
        e.ReleaseCancelled(
            to=r.destination, person=turn.person.person, transfer=r.transfer, origin=r.region
        )
    )


def corrected(turn: Turn, r: Release) -> None:
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
