"""What must hold in a world: cheap things after every batch, the books often, all at the end."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING
from uuid import UUID, uuid5

from services.enrollment.persons import Release as Asked
from services.settlement.states import Claim, Holder, Movement, Release
from services.transfer.states import MONEY_ENDS, RECORD_ENDS, Transfer
from shared.dead_letters import Letter
from shared.messages.enrollment import Answered
from shared.messages.settlement import ApplyReceipt
from tests.simulation.host import Handled, Host
from tests.unit.settlement_invariants import check, check_interest

if TYPE_CHECKING:
    from tests.simulation.world import World

_OF_A_VERSION = ("awaiting", "advance-credited")
_ONE_OF_A_KIND = frozenset({"accepted", "refused", "withdrawn", "ended-by-death", "not-needed"})


class Finding(AssertionError):
    """The simulation has found something that must not be."""


class Checks:
    """Looks at a world while it runs."""

    def __init__(self, world: "World") -> None:
        self.world = world
        self.applying: dict[UUID, ApplyReceipt] = {}
        self.orders: dict[tuple[str, str, str, str, str], int] = {}
        self.versions: dict[tuple[str, UUID], int] = {}

    # --- after every batch --------------------------------------------------------------------

    def committed(self, host: Host, handled: Handled) -> None:
        """Order per key, no poison, versions one by one."""
        for letter in handled.folded.letters:
            self._refused(host, letter)
        for item in handled.fresh:
            record = item.record
            where = record.said("ce_source"), record.said("lane"), record.topic, record.key
            seq, before = int(record.said("seq")), self.orders.get((host.name, *where), 0)
            if seq <= before:
                raise Finding(f"{host.name} hears {seq} of {where} after {before}")
            self.orders[(host.name, *where)] = seq
            if item.delivery and isinstance(item.delivery.message, ApplyReceipt):
                self.applying.pop(item.id, None)
        for value in handled.folded.changes.values():
            if isinstance(value, Claim | Release | Asked | Transfer):
                self._next_version(host, value)
        self._expect_receipts(handled)

    def _refused(self, host: Host, letter: Letter) -> None:
        kind = letter.record.type
        raise Finding(f"{host.name} refuses {kind}: {letter.code}, {letter.reason}")

    def _expect_receipts(self, handled: Handled) -> None:
        for item, index, message in handled.folded.out:
            if isinstance(message, ApplyReceipt):
                self.applying[uuid5(item.id, str(index))] = message

    def _next_version(self, host: Host, value: Claim | Release | Asked | Transfer) -> None:
        version = len(value.versions) if isinstance(value, Claim) else value.version
        id_ = value.id if isinstance(value, Transfer) else value.transfer
        key = f"{host.name} {type(value).__name__}", id_
        before = self.versions.get(key, 0)
        # A batch may hold several versions of one row; the saga passes over those it never saw.
        if version < before:
            raise Finding(f"{key[0]} of {id_} goes back from version {before} to {version}")
        self.versions[key] = version

    # --- the books ----------------------------------------------------------------------------

    def when_quiet(self) -> None:
        """The invariants of the books."""
        check(self.world.books, list(self.applying.values()))
        if self.world.policy == "pays interest":
            books = self.world.books
            check_interest(books.all(Holder), books.entries.values(), self.world.regions.at)

    # --- at the end ---------------------------------------------------------------------------

    def at_the_end(self) -> None:
        """All of it; raises everything that was found."""
        self.when_quiet()
        checks: tuple[Callable[[], Iterator[str]], ...] = (
            self._records_are_answered,
            self._transfers_are_closed_or_wait,
            self._the_saga_knows_what_the_books_know,
            self._the_saga_knows_what_the_origin_knows,
            self._months_go_along,
            self._receipts_are_applied,
            self._money_is_where_it_should_be,
            self._nobody_is_told_twice,
            self._everything_was_heard,
        )
        found = [f"{one.__name__[1:]}: {what}" for one in checks for what in one()]
        if found:
            raise Finding("\n".join(found))

    def _records_are_answered(self) -> Iterator[str]:
        known = self.world.enrollment.verdicts
        for person in self.world.people:
            for record in person.records:
                if record not in known:
                    yield f"record {record} of {person.key[-2:]} was never answered"
            started = self.world.enrollment.person(person.key).starts
            for id_ in started.keys() - {id_ for _, id_ in self.world.transfers.rows}:
                yield f"transfer {id_} of {person.key[-2:]} was started and never opened"
        rows = [r for lane in self.world.hosts[0].database.outbox.values() for r in lane]
        answers = Counter(r.body for r in rows if r.type == Answered.type)
        for body, times in answers.items():
            if times > 1:
                yield f"answered {times} times: {body.decode()}"

    def _transfers_are_closed_or_wait(self) -> Iterator[str]:
        for t in self.world.transfers.all():
            ended = t.record in RECORD_ENDS and t.money in MONEY_ENDS
            if ended != (t.closed_at is not None):
                yield f"{t.id}: {t.record}/{t.money}, closed_at {t.closed_at}"
            if ended and t.record == "joined" and t.reason is not None:
                yield f"{t.id}: {t.record}/{t.money}, and yet there is a reason: {t.reason}"
            if not ended and waits_for(t, self.world) is None:
                yield f"{t.id}: {t.record}/{t.money} ({t.reason}) waits for nothing"

    def _the_saga_knows_what_the_books_know(self) -> Iterator[str]:
        states = self.world.books.states
        for t in self.world.transfers.all():
            claim = states.get(("claim", t.person, t.id))
            release = states.get(("release", t.person, t.id))
            funds = t.funds
            if isinstance(release, Release):
                told = funds.released, funds.paid_out
                booked = release.released_fen - release.paid_out_fen, release.paid_out_fen
                if told != booked:
                    yield f"{t.id}: released and paid out {told}, in the books {booked}"
            if isinstance(claim, Claim):
                said = (funds.credited, funds.matched, funds.open, funds.excess)
                kept = claim.credited_fen, claim.matched_fen, claim.open_fen, claim.excess_fen
                if said != kept:
                    yield f"{t.id}: credited, matched, open, excess {said}, in the books {kept}"
                if claim.reserved_fen:
                    yield f"{t.id}: {claim.reserved_fen} fen stay reserved"
            elif funds.released:
                yield f"{t.id}: {funds.released} fen were announced and nobody claims them"

    def _the_saga_knows_what_the_origin_knows(self) -> Iterator[str]:
        """Whether the record went, in the eyes of both."""
        for t in self.world.transfers.all():
            asked = self.world.enrollment.releases[t.person].get(t.id)
            state = asked.state if asked else None
            fits: dict[str, set[str | None]] = {
                "joined": {"terminated"},
                "released": {"released"},
                "withdrawn": {"cancelled", "refused"},
                "refused": {"refused", "withheld", None},
                "not_needed": {None},
            }
            if t.record in fits and state not in fits[t.record]:
                yield f"{t.id}: {t.record}, at the origin {state}"

    def _months_go_along(self) -> Iterator[str]:
        """What the origin released in its last version is what the destination joined."""
        for t in self.world.transfers.all():
            asked = self.world.enrollment.releases[t.person].get(t.id)
            relation = self.world.enrollment.relations[t.person].get((t.destination, t.new_scheme))
            if t.record != "joined" or asked is None:
                continue
            joined = [j for j in relation.joined if j.transfer == t.id] if relation else []
            if [(j.version, j.months) for j in joined] != [(asked.version, asked.months)]:
                yield f"{t.id}: {asked.version} {asked.months} released, joined {joined}"

    def _receipts_are_applied(self) -> Iterator[str]:
        """What came with one clear reference is matched as far as it is owed."""
        bank = self.world.bank
        for claim in self.world.books.all(Claim):
            came_fen = bank.simple_fen[claim.transfer]
            if claim.transfer in bank.confused or not came_fen:
                continue
            # What was matched and then taken back from the person is owed back to O.
            back_fen = claim.back_payable_fen + claim.back_remitting_fen + claim.back_debited_fen
            owed_fen = min(came_fen - back_fen, claim.announced_fen)
            if (claim.matched_fen, claim.excess_fen) != (owed_fen, came_fen - back_fen - owed_fen):
                got = claim.matched_fen, claim.excess_fen, back_fen
                yield f"{claim.transfer}: {came_fen} fen came; matched, excess, owed back are {got}"

    def _money_is_where_it_should_be(self) -> Iterator[str]:
        """What came in for a person, less what was spent and paid out, is held or awaited."""
        verdicts, books = self.world.enrollment.verdicts, self.world.books
        for person in self.world.people:
            sign = {"open": 1, "contribute": 1, "refund": 1, "spend": -1}
            fen = 0
            for record, (action, amount_fen) in person.amounts.items():
                movement = books.states.get(("movement", person.key, record))
                decided = verdicts.get(record)
                if decided is None or decided.decision != "accepted":
                    continue
                if action != "correct" and not (isinstance(movement, Movement) and movement.code):
                    fen += sign[action] * amount_fen
            # A feed's corrections, and those that two people have made for it.
            known = [m for m in books.all(Movement) if m.person == person.key and not m.code]
            fen += sum(m.amount_fen for m in known if m.what == "correct")
            posted = [
                posting
                for entry in books.entries.values()
                if entry.person == person.key
                for posting in entry.postings
            ]
            for p in posted:
                fen += p.amount_fen * ((p.debit == "interest") - (p.credit == "interest"))
            out_fen = sum(p.amount_fen for p in posted if p.credit == "payout")
            held_fen = sum(h.balance_fen for h in books.all(Holder) if h.person == person.key)
            awaited_fen = sum(c.awaiting_fen for c in books.all(Claim) if c.person == person.key)
            own = [c for c in books.all(Claim) if c.person == person.key]
            owed_fen = sum(c.recoverable_fen + c.excused_fen for c in own)
            if fen + owed_fen != out_fen + held_fen + awaited_fen:
                what = f"held {held_fen}, awaited {awaited_fen}, paid out {out_fen}"
                what += f", owed {owed_fen}"
                yield f"{person.key[-2:]} should have {fen} fen: {what}"

    def _nobody_is_told_twice(self) -> Iterator[str]:
        seen: dict[tuple[object, ...], UUID] = {}
        by_version: Counter[tuple[UUID | None, str]] = Counter()
        for letter in self.world.letters.letters.values():
            if letter.kind in _OF_A_VERSION:  # two versions may have the same amount
                by_version[letter.transfer, letter.kind] += 1
                continue
            what: object = tuple(sorted(letter.params.items(), key=str))
            if letter.kind in _ONE_OF_A_KIND:
                what = None
            key = letter.person, letter.transfer, letter.kind, what
            if letter.transfer and seen.setdefault(key, letter.id) != letter.id:
                yield f"{letter.person[-2:]} is told twice: {letter.kind} {dict(letter.params)}"
        for claim in self.world.books.all(Claim):
            for kind in _OF_A_VERSION:
                times = by_version[claim.transfer, kind]
                if times > len(claim.versions):
                    yield f"{claim.transfer}: told {times} times: {kind}"

    def _everything_was_heard(self) -> Iterator[str]:
        for host in self.world.hosts:
            if host.unread() or host.unpublished():
                yield f"{host.name} has messages left"


def waits_for(t: Transfer, world: "World") -> str | None:
    """What an open transfer waits for, by name; None if for nothing that will ever come."""
    if t.record in ("opened", "releasing", "disputed", "released"):
        return None
    claim = world.books.states.get(("claim", t.person, t.id))
    match t.money:
        case "advanced" | "short" | "awaiting_funds" if isinstance(claim, Claim):
            return "the origin's money"
        case "over":
            return "somebody to return the excess"
        case "withheld":
            return "the origin's hold to end"
        case "recovering":
            return "the person to pay back"
    return None
