"""What a bank reports of payments, found among ours and turned into commands to the books."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID, uuid5

import asyncpg

from services.settlement.bank.reports import Report
from services.settlement.bank_commands import Numbered, OwnAccount
from services.settlement.lines import StatementError, Taken, references
from services.settlement.netting.states import window_of
from shared.messages import NAMESPACE, Message, next_uuid
from shared.messages.settlement_bank import (
    AnnounceReturn,
    NoteBankMessage,
    NoteKind,
    ReportRemittance,
)
from shared.regions import Regions
from shared.service import Runtime

_KINDS: dict[str, NoteKind] = {
    "pain.002": "status",
    "pacs.004": "return",
    "camt.056": "recall",
    "camt.029": "resolution",
}


@dataclass(frozen=True, slots=True)
class Paid:
    """A line of one of our payment files."""

    person: str
    transfer: UUID
    run: str
    amount_fen: int


@dataclass(slots=True)
class Ours:
    """What the books and the payment files have of what is reported."""

    payments: dict[tuple[str, str], list[Paid]] = field(default_factory=dict)
    """By run and end-to-end id."""
    latest: dict[str, str] = field(default_factory=dict)
    """The run that instructed an end-to-end id last."""
    origins: dict[str, str] = field(default_factory=dict)
    """The region of a run."""
    claims: dict[UUID, str] = field(default_factory=dict)
    """Where a transfer that we wait for, or received, belongs."""


def own_account(regions: Regions, account: str, may_see: Callable[[str], bool]) -> OwnAccount:
    """Whose account it is. Raises StatementError."""
    own = OwnAccount.of(regions, account)
    if own is None:
        raise StatementError("unknown_account")
    if not may_see(own.region) or not regions.here(own.region):
        raise StatementError("not_your_region")
    return own


async def take(
    runtime: Runtime,
    db: asyncpg.Connection,
    reports: Sequence[Report],
    file: int,
    may_see: Callable[[str], bool],
) -> tuple[list[Taken], list[Numbered]]:
    """Takes all reports of a file. Raises StatementError where one is about nothing of ours."""
    ours = await _ours(db, reports)
    heard: defaultdict[str, list[tuple[OwnAccount, Report, list[Paid]]]] = defaultdict(list)
    for number, report in enumerate(reports, start=1):
        own = _account(runtime.regions, report, ours, may_see, number)
        for one, paid in _each(report, ours, reports):
            heard[own.key].append((own, one, paid))
    taken: list[Taken] = []
    sent: list[Numbered] = []
    for key, rows in sorted(heard.items()):
        fresh = await _remember(db, rows, file)
        messages = [m for own, one, paid in fresh for m in _commands(own, one, paid)]
        count, news = len(rows), len(fresh)
        taken.append(Taken(rows[0][1].id, key, count, news, count - news, 0))
        taken[-1].messages.extend(id_ for id_, _ in messages)
        if any(isinstance(message, NoteBankMessage) for _, message in messages):
            taken[-1].codes.append("for_a_person")
        sent.extend(messages)
    return taken, sent


async def _ours(db: asyncpg.Connection, reports: Iterable[Report]) -> Ours:
    ours = Ours()
    named = {ref for report in reports for ref in references(report.reference)}
    runs = {report.run for report in reports} | {_run_of(report.reference) for report in reports}
    for row in await db.fetch(
        "SELECT r.run, r.region, r.lump, l.person, l.transfer, l.destination, l.amount_fen"
        " FROM remittance_runs r JOIN remittance_lines l ON l.run = r.run"
        " WHERE r.run = ANY($1) OR l.run IN"
        " (SELECT run FROM remittance_lines WHERE transfer = ANY($2))"
        " ORDER BY r.run_on, r.seq, l.transfer",
        *(sorted(runs), sorted(named)),
    ):
        run = row["run"]
        reference = f"{run}-{row['destination']}" if row["lump"] else row["transfer"].hex
        paid = Paid(row["person"], row["transfer"], run, row["amount_fen"])
        ours.payments.setdefault((run, reference), []).append(paid)
        ours.latest[reference] = run
        ours.origins[run] = row["region"]
    for row in await db.fetch(
        "SELECT transfer, region FROM claims WHERE transfer = ANY($1)", sorted(named)
    ):
        ours.claims[row["transfer"]] = row["region"]
    return ours


def _run_of(reference: str) -> str:
    """The run in the end-to-end id of a lump."""
    return reference.rpartition("-")[0]


def _run(report: Report, ours: Ours) -> str | None:
    # In a return the file is the bank's own: then the payment tells which of ours it was.
    return report.run if report.run in ours.origins else ours.latest.get(_plain(report.reference))


def _plain(reference: str) -> str:
    found = references(reference)
    return found[0].hex if len(found) == 1 else reference


def _account(
    regions: Regions, report: Report, ours: Ours, may_see: Callable[[str], bool], number: int
) -> OwnAccount:
    """The account of ours that the report is about. Raises StatementError."""
    run = _run(report, ours)
    claimed = next((ours.claims[r] for r in references(report.reference) if r in ours.claims), None)
    if report.account:
        own = own_account(regions, report.account, may_see)
    elif report.status == "recalled" and claimed is not None:
        own = OwnAccount(claimed, "income")
    elif run is not None:
        own = OwnAccount(ours.origins[run], "expense")
    else:
        raise StatementError("unknown_payment", f"payment {number}")
    if not may_see(own.region) or not regions.here(own.region):
        raise StatementError("not_your_region")
    return own


def _each(report: Report, ours: Ours, reports: Sequence[Report]) -> list[tuple[Report, list[Paid]]]:
    """A report of all payments of a file as one of each, but for those told of by themselves."""
    if report.reference:
        run = _run(report, ours) or report.run
        return [(replace(report, run=run), ours.payments.get((run, _plain(report.reference)), []))]
    told = {_plain(other.reference) for other in reports if other.run == report.run}
    return [
        (replace(report, reference=reference), paid)
        for (run, reference), paid in ours.payments.items()
        if run == report.run and reference not in told
    ]


def _id(own: OwnAccount, report: Report) -> UUID:
    """The same however often, and in whatever file, the bank says it."""
    # A status is the same whatever message repeats it; a return or a question has its own id.
    name = report.status if report.kind == "pain.002" else report.id
    facts = (own.key, report.kind, report.run, report.reference, name, report.code)
    return uuid5(NAMESPACE, "bank-report\x1f" + "\x1f".join(facts))


async def _remember(
    db: asyncpg.Connection, rows: Sequence[tuple[OwnAccount, Report, list[Paid]]], file: int
) -> list[tuple[OwnAccount, Report, list[Paid]]]:
    """Keeps what was not reported before, and gives it back."""
    by_id = {_id(own, report): (own, report, paid) for own, report, paid in rows}
    known = await db.fetch("SELECT id FROM bank_reports WHERE id = ANY($1)", sorted(by_id))
    for row in known:
        del by_id[row["id"]]
    await db.executemany(
        "INSERT INTO bank_reports (id, file, account, kind, bank_id, run, reference, status, code,"
        " amount_fen, transfers, told_on) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11,"
        " $12)",
        [
            (
                *(id_, file, own.key, report.kind, report.id, *_named(report, paid)),
                *(report.status, report.code, report.amount_fen),
                *([one.transfer for one in paid] or list(references(report.reference)), report.on),
            )
            for id_, (own, report, paid) in by_id.items()
        ],
    )
    return list(by_id.values())


def _named(report: Report, paid: Sequence[Paid]) -> tuple[str, str]:
    """Run and reference, where they are ours: of others it is not known what they may say."""
    if not paid:
        return "", "".join(found.hex for found in references(report.reference)[:1])
    return report.run, report.reference


def _commands(own: OwnAccount, report: Report, paid: Sequence[Paid]) -> list[Numbered]:
    id_ = _id(own, report)
    if any(window_of(one.person) for one in paid):
        return [_note(own, report, paid)]  # a net position: what is to become of it, people decide
    if report.kind == "pain.002" and paid:
        return [
            (next_uuid(id_, one.transfer.hex), _status(own.region, report, one)) for one in paid
        ]
    if report.kind == "pacs.004" and paid and _whole(report, paid):
        # What comes back of a single payment may be less than was sent.
        return [
            (next_uuid(id_, one.transfer.hex), _return(own.region, report, one, id_, len(paid)))
            for one in paid
        ]
    return [_note(own, report, paid)]


def _note(own: OwnAccount, report: Report, paid: Sequence[Paid]) -> Numbered:
    id_ = _id(own, report)
    run, reference = _named(report, paid)
    note = NoteBankMessage(
        to=own.region,
        account=own.key,
        bank=own.bank,
        note=id_,
        kind=_KINDS[report.kind],
        code=report.code,
        amount_fen=report.amount_fen,
        transfers=tuple(one.transfer for one in paid) or references(report.reference),
        run=run,
        reference=reference,
    )
    return next_uuid(id_, "note"), note


def _whole(report: Report, paid: Sequence[Paid]) -> bool:
    """Whether a return can be laid on the payments: of a lump only if all of it comes back."""
    return len(paid) == 1 or report.amount_fen == sum(one.amount_fen for one in paid)


def _status(region: str, report: Report, one: Paid) -> Message:
    assert report.status in ("accepted", "pending", "rejected")
    return ReportRemittance(
        to=region,
        person=one.person,
        transfer=one.transfer,
        run=one.run,
        status=report.status,
        code=report.code,
    )


def _return(region: str, report: Report, one: Paid, id_: UUID, count: int) -> Message:
    assert report.amount_fen is not None
    return AnnounceReturn(
        to=region,
        person=one.person,
        transfer=one.transfer,
        announcement=next_uuid(id_, f"return {one.transfer.hex}"),
        amount_fen=report.amount_fen if count == 1 else one.amount_fen,
        code=report.code,
    )
