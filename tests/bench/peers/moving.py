"""The first workflow of a transfer: from the registration to the advance and the joined record."""

import json
from datetime import UTC, datetime, timedelta

from tests.bench.peers.story import (
    BLIND_KEYS,
    SCHEME,
    SEALED_PERSON,
    Statement,
    Transfer,
    booked,
    delivered,
    events,
    explained,
    exposed,
    letter,
    saga,
)


def register(move: Transfer) -> list[Statement]:
    """D: the records that were sent, what was decided, the relation, the account, the transfer."""
    now = datetime.now(UTC)
    records = ["enroll"] if move.automatic else ["enroll", "apply"]
    kinds = [f"enrollment.{one}.v1" for one in ("register", "registered", "answered")]
    asked = ("transfer.apply.v1", "ask the origin to release the record")
    return [
        *events(move, 0, kinds * len(records), now),
        *(statement for kind in records for statement in _taken(move, now, kind)),
        *_insured(move, now),
        *_account_opened(move),
        *explained(move, now, move.destination, "enroll", "start" if move.automatic else "apply"),
        *saga(move, now, "opened", "pending", *[asked] * len(records)),
        (
            "INSERT INTO transfer.timers (key, id, lane, due_at, type, body)"
            " VALUES (%s, %s, 0, %s, 'transfer.remind.v1', %s)",
            (move.person, move.id, now + timedelta(days=22), move.id.bytes * 10),
        ),
    ]


def _taken(move: Transfer, now: datetime, kind: str) -> list[Statement]:
    name = f"{kind}-{move.number}"
    return [
        (
            "INSERT INTO enrollment.records (source, record_id, content, transfer, recorded_at)"
            " VALUES ('peer', %s, %s, %s, %s)",
            (name, move.id.bytes, move.id, now),
        ),
        (
            "INSERT INTO enrollment.verdicts (record, decision, transfer, at, source,"
            " record_id) VALUES (%s, 'accepted', %s, %s, 'peer', %s)",
            (move.named(kind), move.id, now, name),
        ),
    ]


def _insured(move: Transfer, now: datetime) -> list[Statement]:
    person, region = move.person, move.destination
    history = json.dumps({"paid": [[24322, 24322]], "entries": [[str(move.id), "enroll", []]]})
    starts = json.dumps([[str(move.id), str(move.id), region, move.origin, False]])
    return [
        (
            "UPDATE enrollment.persons SET sealed = %s, starts = %s WHERE person = %s",
            (SEALED_PERSON, starts, person),
        ),
        (
            "INSERT INTO enrollment.relations (person, region, scheme, state, person_type, account,"
            " loaded, first_month, history, entitled_from, waiting_months)"
            " VALUES (%s, %s, %s, 'normal', 'employee', true, false, 24322, %s, 24322, 0)",
            (person, region, SCHEME, history),
        ),
        (
            "INSERT INTO notification.contacts (person, region, identity, identity_at, newest,"
            " newest_at) VALUES (%s, %s, %s, %s, %s, %s)",
            (person, region, SEALED_PERSON, now, SEALED_PERSON, now),
        ),
    ]


def _account_opened(move: Transfer) -> list[Statement]:
    person, region = move.person, move.destination
    return [
        (
            "INSERT INTO settlement.holders (person, region, account, sealed, name_keys)"
            " VALUES (%s, %s, true, %s, %s)",
            (person, region, SEALED_PERSON, BLIND_KEYS),
        ),
        (
            "INSERT INTO settlement.movements (person, record, region, what, amount_fen)"
            " VALUES (%s, %s, %s, 'open', 0)",
            (person, move.named("enroll"), region),
        ),
    ]


def release_record(move: Transfer) -> list[Statement]:
    """O: the request is taken and the record released; the person is told."""
    now = datetime.now(UTC)
    return [
        *events(
            move, 6, ["enrollment.release-accepted.v1", "enrollment.record-released.v1"], now
        ),
        (
            "INSERT INTO enrollment.releases (person, transfer, region, destination, scheme,"
            " new_scheme, trigger, account, first_month, state, reopened, version, months,"
            " last_month, had_account) VALUES (%s, %s, %s, %s, %s, %s, 'person', true, 24322,"
            " 'released', false, 1, '[[24153, 24321]]', 24321, true)",
            (move.person, move.id, move.origin, move.destination, SCHEME, SCHEME),
        ),
        (
            "UPDATE enrollment.relations SET released = %s"
            " WHERE person = %s AND region = %s AND scheme = %s",
            (move.id, move.person, move.origin, SCHEME),
        ),
        *explained(move, now, move.origin, "release"),
        *saga(
            move, now, "released", "pending",
            ("enrollment.release-accepted.v1", "the origin took the request (受理)"),
            ("enrollment.record-released.v1", "join it and release the funds"),
        ),
        letter(move, now, "accepted"),
    ]  # fmt: skip


def release_funds(move: Transfer) -> list[Statement]:
    """O: the account is emptied, the money is owed to D."""
    now = datetime.now(UTC)
    return [
        *events(move, 8, ["settlement.funds-released.v1"], now),
        (
            "UPDATE settlement.holders SET personal_debit_fen = personal_debit_fen + %s"
            " WHERE person = %s AND region = %s",
            (move.amount_fen, move.person, move.origin),
        ),
        (
            "INSERT INTO settlement.releases (person, transfer, region, destination, opened_at,"
            " version, principal_fen, released_fen, payable_fen, released_on)"
            " VALUES (%s, %s, %s, %s, %s, 1, %s, %s, %s, %s)",
            (move.person, move.id, move.origin, move.destination, now, *[move.amount_fen] * 3,
             now.date()),
        ),
        *saga(
            move, now, "released", "released",
            ("settlement.funds-released.v1", "O owes the money: credit it in advance"),
        ),
        *booked(move, now, "release", move.origin, "personal", f"payable:{move.destination}"),
    ]  # fmt: skip


def credit_advance(move: Transfer) -> list[Statement]:
    """D: the person has the money; the corridor's exposure grows."""
    now = datetime.now(UTC)
    return [
        *events(move, 9, ["settlement.advance-credited.v1"], now),
        (
            "INSERT INTO settlement.claims (person, transfer, region, origin, opened_at,"
            " announced_on, released_on, versions, announced_fen, credited_fen, open_fen, advance)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, '{1}', %s, %s, %s, true)",
            (move.person, move.id, move.destination, move.origin, now, now.date(), now.date(),
             *[move.amount_fen] * 3),
        ),
        (
            "UPDATE settlement.holders SET personal_credit_fen = personal_credit_fen + %s"
            " WHERE person = %s AND region = %s",
            (move.amount_fen, move.person, move.destination),
        ),
        *saga(
            move, now, "released", "advanced",
            ("settlement.advance-credited.v1", "the person has the money; O's is awaited"),
        ),
        letter(move, now, "advance-credited"),
        exposed(move, move.amount_fen, 1),
        *booked(move, now, "advance", move.destination, f"advance:{move.origin}", "personal"),
    ]  # fmt: skip


def join_record(move: Transfer) -> list[Statement]:
    """D joins the months, O ends its relation."""
    now = datetime.now(UTC)
    joined = json.dumps({"joined": [[str(move.id), move.origin, SCHEME, 1, [[24153, 24321]]]]})
    return [
        *events(move, 10, ["enrollment.record-joined.v1"], now),
        (
            "UPDATE enrollment.relations SET history = history || %s::jsonb"
            " WHERE person = %s AND region = %s AND scheme = %s",
            (joined, move.person, move.destination, SCHEME),
        ),
        (
            "UPDATE enrollment.releases SET state = 'terminated'"
            " WHERE person = %s AND transfer = %s",
            (move.person, move.id),
        ),
        (
            "UPDATE enrollment.relations SET state = 'terminated'"
            " WHERE person = %s AND region = %s AND scheme = %s",
            (move.person, move.origin, SCHEME),
        ),
        *explained(move, now, move.destination, "join"),
        *saga(
            move, now, "joined", "advanced",
            ("enrollment.record-joined.v1", "the relation at the origin ends"),
        ),
        letter(move, now, "joined"),
    ]  # fmt: skip


def deliver_letters(move: Transfer) -> list[Statement]:
    """The three letters of the first half have reached the person."""
    return delivered(move)


STEPS = (register, release_record, release_funds, credit_advance, join_record, deliver_letters)
