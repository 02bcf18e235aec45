"""People of the agencies, and what banks say of payments: acts on what the books hold by then."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

from services.settlement.people.states import Item
from services.settlement.states import Claim, Holder, Instruction, Part, Release
from shared.messages import NAMESPACE, Message, PersonCommand
from shared.messages.enrollment import AmendRecord, DropAmendment
from shared.messages.settlement_bank import AnnounceReturn, ReportRemittance
from shared.messages.settlement_compensation import (
    Recover,
    ReturnReceipt,
    UndoMatch,
    Waive,
    WriteOff,
)
from shared.messages.settlement_freezing import FreezeAccount, UnfreezeAccount
from shared.messages.settlement_interest import CorrectInterest
from shared.messages.settlement_people import MatchReceipt
from shared.messages.transfer import Reverse

if TYPE_CHECKING:
    from tests.simulation.world import World

DAY = timedelta(days=1)
TWO = {"proposed_by": "chen", "approved_by": "li"}
Act = tuple[str, Message, UUID]
"""The service that obeys, what it is told, and the transfer that is not simple any more."""


@dataclass(slots=True)
class Clerks:
    """In some worlds nobody does anything; in others one or several acts, days apart."""

    world: "World"
    acts: int = 0

    def come(self) -> None:
        """Says when, by seed."""
        rng = self.world.rng
        for _ in range(rng.choice((0, 0, 1, 2, 4))):
            after = rng.choice((timedelta(hours=3), 2 * DAY, 9 * DAY, 30 * DAY, 90 * DAY))
            self.world.later(after + rng.randrange(12) * timedelta(hours=1), self._act)
        if any(person.story == "too much" for person in self.world.people):
            self.world.later(20 * DAY, self._act)

    def _act(self) -> None:
        """One of the kinds of acts that something can be done by, and one of those."""
        rare: tuple[Callable[[], Iterator[Act]], ...] = self._corrections, self._debts
        kinds = (
            self._transfers,
            self._claims,
            self._excesses,
            self._matched,
            self._unmatched,
            self._payments,
            self._held,
            self._interest,
        )
        seldom = [acts for kind in rare if (acts := list(kind()))]
        possible = seldom or [acts for kind in kinds if (acts := list(kind()))]
        if not possible:
            return
        service, message, transfer = self.world.rng.choice(self.world.rng.choice(possible))
        self.acts += 1
        of = {t.person: t for t in self.world.transfers.all()}.get(message.key)
        # A payment that people have had in hand is matched by no rule, to whom it names neither.
        receipt = getattr(message, "receipt", None)
        named = [r for p in self.world.books.all(Part) if p.receipt == receipt for r in p.refs]
        self.world.bank.confused |= {transfer, *([of.id] if of else []), *named}
        id_ = uuid5(NAMESPACE, f"clerk {self.acts}")
        if isinstance(message, AmendRecord) and self.world.rng.random() < 0.5:
            self._hold(message.person, transfer)
        self.world.feed(service, id_, message)

    def _hold(self, person: str, transfer: UUID) -> None:
        """What is corrected was advanced to an account that is held by then."""
        for claim in self.world.books.all(Claim):
            if claim.transfer == transfer:
                until = self.world.at.date() + 20 * DAY
                about = {"to": claim.region, "person": person, **TWO, "reason": "court-order"}
                act = FreezeAccount.model_validate({**about, "until": until})
                self.world.feed("settlement", uuid5(NAMESPACE, f"clerk {self.acts} holds"), act)

    def _transfers(self) -> Iterator[Act]:
        """A transfer is reversed, wherever it stands."""
        for t in self.world.transfers.all():
            about = {"to": t.destination, "person": t.person, "transfer": t.id}
            yield "transfer", Reverse.model_validate({**about, **TWO, "reason": "fraud"}), t.id

    def _claims(self) -> Iterator[Act]:
        """What has not come is given up, in whole or in part."""
        for claim in self.world.books.all(Claim):
            if fen := claim.unpaid_fen:
                amount = self.world.rng.choice((None, 1, fen))
                fields = {"amount_fen": amount, "reason": "small"}
                yield _of(claim, WriteOff, what="claim", **fields)
                yield _of(claim, Waive, **fields)

    def _debts(self) -> Iterator[Act]:
        for claim in self.world.books.all(Claim):
            if claim.recoverable_fen:
                yield _of(claim, Recover, reason="agreed")
                yield _of(claim, WriteOff, what="person", reason="insolvent")

    def _held(self) -> Iterator[Act]:
        """An account is held, for some time or until it is let go."""
        for holder in self.world.books.all(Holder):
            about = {"to": holder.region, "person": holder.person, **TWO, "reason": "court-order"}
            theirs = [t.id for t in self.world.transfers.all() if t.person == holder.person]
            if holder.account and theirs:
                days = self.world.rng.choice((1, 20, 70, None))
                until = days and self.world.at.date() + days * DAY
                what = self.world.rng.choice(("all", "all", "leaving"))
                act = FreezeAccount.model_validate({**about, "what": what, "until": until})
                yield "settlement", act, theirs[0]
            if holder.frozen:
                yield "settlement", UnfreezeAccount.model_validate(about), theirs[0]

    def _interest(self) -> Iterator[Act]:
        """An origin had reckoned other interest."""
        for release in self.world.books.all(Release):
            wrong_fen = release.earned_fen
            about = {"to": release.region, "person": release.person, "transfer": release.transfer}
            # Never by the same amount twice, which would look like a letter that came twice.
            by_fen = self.world.rng.choice((-wrong_fen, -1 - self.acts, 40 + self.acts))
            right_fen = max(0, wrong_fen + by_fen)
            fields = {**about, **TWO, "reason": "error", "interest_fen": right_fen}
            if wrong_fen:
                act = CorrectInterest.model_validate(fields)
                yield "settlement", act, release.transfer

    def _excesses(self) -> Iterator[Act]:
        for claim in self.world.books.all(Claim):
            for part in self.world.books.all(Part) if claim.excess_fen else ():
                if claim.transfer in part.transfers and part.rest_fen:
                    yield _of(claim, ReturnReceipt, reason="evidence", **_named(part))

    def _matched(self) -> Iterator[Act]:
        """A match is undone."""
        for part in self.world.books.all(Part):
            for claim in self.world.books.all(Claim) if part.applied_fen else ():
                if claim.transfer in part.transfers:
                    fields = {**_named(part), "account": f"{part.region}:income"}
                    yield _of(claim, UndoMatch, reason="error", **fields)

    def _unmatched(self) -> Iterator[Act]:
        """What waits is matched by hand; it may be another's."""
        for part in self.world.books.all(Part):
            for claim in self.world.books.all(Claim) if part.rest_fen > 0 else ():
                if claim.region == part.region:
                    which = {**_named(part), "account": f"{part.region}:income"}
                    about = {"to": claim.region, "transfer": claim.transfer, **which}
                    act = MatchReceipt.model_validate({**about, **TWO, "reason": "evidence"})
                    yield "settlement", act, claim.transfer

    def _corrections(self) -> Iterator[Act]:
        """What a feed wants to correct of a released record is done, or left."""
        for item in self.world.books.all(Item):
            if item.queue == "correction" and item.state == "open" and item.facts:
                about = {**item.facts, "to": item.region, **TWO, "reason": "evidence"}
                transfer = UUID(str(item.facts["transfer"]))
                for kind in (AmendRecord, AmendRecord, DropAmendment):
                    yield "enrollment", kind.model_validate(about), transfer

    def _payments(self) -> Iterator[Act]:
        """A bank rejects what it was told to pay, or says that a payment comes back."""
        releases = {(r.person, r.transfer): r for r in self.world.books.all(Release)}
        for line in self.world.books.all(Instruction):
            release = releases.get((line.person, line.transfer))
            if release is None or line.status != "instructed":
                continue
            about = {"to": release.region, "person": line.person, "transfer": line.transfer}
            no = {"run": line.run, "status": "rejected", "code": "AC04"}
            yield "settlement", ReportRemittance.model_validate({**about, **no}), line.transfer
            if release.debited_fen:
                announced = uuid5(line.transfer, f"announced {self.acts}")
                back = {"announcement": announced, "amount_fen": line.amount_fen, "code": "AC06"}
                yield "settlement", AnnounceReturn.model_validate({**about, **back}), line.transfer


def _named(part: Part) -> dict[str, Any]:
    return {"receipt": part.receipt, "part": part.part}


def _of(claim: Claim, kind: type[PersonCommand], **fields: object) -> Act:
    about = {"to": claim.region, "person": claim.person, "origin": claim.origin, **TWO}
    whole = {**about, "transfer": claim.transfer, **fields}
    return "settlement", kind.model_validate(whole), claim.transfer
