"""The banks of a world: what regions owe is paid, and arrives as money does in the world."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING
from uuid import UUID, uuid5

from services.settlement.bank_commands import OwnAccount, receipt_id
from services.settlement.states import Release
from shared import names
from shared.messages import NAMESPACE, next_uuid
from shared.messages.settlement import (
    BankKind,
    Detail,
    InstructRemittance,
    OpenBank,
    RecordDebit,
    RecordReceipt,
)
from tests.simulation.fates import FATES

if TYPE_CHECKING:
    from tests.simulation.world import World

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Due:
    """A line of a payment file."""

    release: Release
    run: str
    amount_fen: int


@dataclass(slots=True)
class Bank:
    """`simple_fen`: what came for each transfer in lines that say so and nothing else.
    `confused`: transfers for which something came that a person must look at.
    """

    world: "World"
    simple_fen: Counter[UUID] = field(default_factory=Counter)
    confused: set[UUID] = field(default_factory=set)
    unpaid: set[UUID] = field(default_factory=set)
    fates: Counter[str] = field(default_factory=Counter)
    claimed: dict[tuple[str, UUID, str], int] = field(default_factory=dict)
    paydays: set[str] = field(default_factory=set)
    booked: dict[UUID, date] = field(default_factory=dict)
    lines: int = 0

    def owes(self, release: Release) -> None:
        """A region owes more: its next payment file comes soon, or it pays at once by hand."""
        if release.transfer in self.unpaid:
            return
        rng = self.world.rng
        first = not self.claimed and release.version == 1 and not release.sent_fen
        if first and rng.random() < 0.15:
            self.unpaid.add(release.transfer)
            self.fates["outside the files"] += 1
            due = Due(release, "", release.payable_fen)
            self._credit(timedelta(), [due], due.amount_fen)
            self._debit(DAY, [due], due.amount_fen)
        elif release.region not in self.paydays:
            self.paydays.add(release.region)
            after = rng.choice((timedelta(minutes=1), DAY, 6 * DAY, 25 * DAY))
            self.world.later(after, partial(self._payday, release.region))

    def _payday(self, region: str) -> None:
        self.paydays.discard(region)
        self.lines += 1
        run = f"{region}-{self.world.at:%Y%m%d}-{self.lines}"
        dues = [
            Due(release, run, fen)
            for release in sorted(self.world.books.all(Release), key=lambda r: r.transfer)
            if release.region == region and release.transfer not in self.unpaid
            if (fen := release.payable_fen - self._claimed(release)) > 0
        ]
        for due in dues:
            self._instruct(due)
        dues.sort(key=lambda due: due.release.destination)
        for _, group in groupby(dues, key=lambda due: due.release.destination):
            together = list(group)
            if len(together) > 1 and self.world.rng.random() < 0.5:
                self._lump(together)
            else:
                for due in together:
                    self._pay(due)
        if dues and self.world.rng.random() < 0.1:
            self._housekeeping(region)

    def _claimed(self, release: Release) -> int:
        """What files have claimed and the books have not heard of yet."""
        states = self.world.books.states
        return sum(
            fen
            for (person, transfer, run), fen in self.claimed.items()
            if (person, transfer) == (release.person, release.transfer)
            and ("instruction", person, transfer, run) not in states
        )

    def _instruct(self, due: Due) -> None:
        release = due.release
        self.claimed[release.person, release.transfer, due.run] = due.amount_fen
        order = InstructRemittance(
            to=release.region,
            person=release.person,
            transfer=release.transfer,
            destination=release.destination,
            run=due.run,
            amount_fen=due.amount_fen,
        )
        id_ = uuid5(NAMESPACE, f"instruct\x1f{due.run}\x1f{release.transfer}")
        self.world.feed("settlement", id_, order)

    def _lump(self, dues: Sequence[Due]) -> None:
        self.fates["lump"] += 1
        total_fen = sum(due.amount_fen for due in dues)
        self._debit(DAY, dues, total_fen)
        self._credit(self._transit(), dues, total_fen)

    def _transit(self) -> timedelta:
        return self.world.rng.choice((timedelta(minutes=5), DAY, 20 * DAY, 70 * DAY))

    def _pay(self, due: Due) -> None:  # noqa: C901 - one case a fate
        rng = self.world.rng
        fate = rng.choices(list(FATES), list(FATES.values()))[0]
        self.fates[fate] += 1
        fen, wait = due.amount_fen, self._transit()
        if fate == "never":
            return
        if fate == "received first":
            self._credit(timedelta(), [due], fen)
            self._debit(3 * DAY, [due], fen)
            return
        self._debit(timedelta(minutes=1), [due], fen)
        match fate:
            case "short" | "in parts" if fen > 1:
                part = rng.randrange(1, fen)
                self._credit(wait, [due], part)
                if fate == "in parts":
                    self._credit(wait + rng.choice((0, 1, 9)) * DAY, [due], fen - part)
            case "over":
                self._credit(wait, [due], fen + rng.randrange(1, 5000))
            case "twice":
                self._debit(2 * DAY, [due], fen)
                self._credit(wait, [due], fen)
                self._credit(wait + DAY, [due], fen)
            case "returned":
                self._come_back(wait, due)
            case "by name" | "nobody":
                self.confused.add(due.release.transfer)
                self._credit(wait, [due], fen, named=fate == "by name")
            case "wrong reference":
                self._credit(wait, [due], fen, payer="130100")
            case "taken back":
                self._take_back(wait, due)
            case "read twice":
                number = self._credit(wait, [due], fen)
                self._credit(wait + DAY, [due], fen, number=number)
            case _:
                self._credit(wait, [due], fen)

    def _credit(
        self,
        after: timedelta,
        dues: Sequence[Due],
        amount_fen: int,
        *,
        named: bool | None = None,
        payer: str | None = None,
        number: int | None = None,
    ) -> int:
        """A line in the destination's statement; gives its number. `named`: without reference."""
        refs = () if named is not None else tuple(due.release.transfer for due in dues)
        release = dues[0].release
        text = self.world.people[int(release.person, 16) - 1].name if named else ""
        wrong = payer is not None and payer != release.region
        if len(refs) != 1 or wrong:
            self.confused |= {due.release.transfer for due in dues}
        elif number is None:
            self.simple_fen[refs[0]] += amount_fen
        detail = Detail(
            amount_fen=amount_fen,
            references=refs,
            name_keys=names.candidates(text) if text else (),
            payer_region=payer or release.region,
        )
        if number is None:
            self.lines += 1
            number = self.lines
        self._line(after, release.destination, "income", number, detail, text)
        return number

    def _take_back(self, wait: timedelta, due: Due) -> None:
        """The bank takes the credit back, and its debit as well (`RvslInd`)."""
        release = due.release
        self.confused.add(release.transfer)
        self._credit(wait, [due], due.amount_fen)
        after = wait + self.world.rng.choice((1, 9, 40)) * DAY
        detail = Detail(amount_fen=due.amount_fen, references=(release.transfer,))
        self._leave(after, release.destination, detail, bank="income", reversal=True)
        self.lines += 1
        self._line(after, release.region, "expense", self.lines, detail, "", reversal=True)

    def _come_back(self, after: timedelta, due: Due) -> None:
        """The payment came back to the origin's own account."""
        self.lines += 1
        release = due.release
        detail = Detail(
            amount_fen=due.amount_fen, references=(release.transfer,), return_code="AC01"
        )
        self._line(after, release.region, "expense", self.lines, detail, "")

    def _line(
        self,
        after: timedelta,
        region: str,
        bank: BankKind,
        number: int,
        detail: Detail,
        text: str,
        *,
        reversal: bool = False,
    ) -> None:
        own = OwnAccount(region, bank)
        receipt = receipt_id(own, str(number))
        line = RecordReceipt(
            to=region,
            account=own.key,
            bank=bank,
            receipt=receipt,
            amount_fen=detail.amount_fen,
            booked_on=self.booked.setdefault(receipt, (self.world.at + after).date()),
            details=(detail,),
            sealed=text or None,
            reversal=reversal,
        )
        put = partial(self.world.feed, "settlement", next_uuid(receipt, "record"), line)
        self.world.later(after, put)

    def _debit(self, after: timedelta, dues: Sequence[Due], amount_fen: int) -> None:
        refs = tuple(due.release.transfer for due in dues)
        detail = Detail(amount_fen=amount_fen, references=refs)
        self._leave(after, dues[0].release.region, detail)

    def _leave(
        self,
        after: timedelta,
        region: str,
        detail: Detail,
        counter: BankKind | None = None,
        *,
        bank: BankKind = "expense",
        fee: bool = False,
        reversal: bool = False,
    ) -> None:
        self.lines += 1
        own = OwnAccount(region, bank)
        receipt = receipt_id(own, str(self.lines))
        line = RecordDebit(
            to=region,
            account=own.key,
            bank=bank,
            receipt=receipt,
            amount_fen=detail.amount_fen,
            booked_on=self.world.begun.date(),
            details=(detail,),
            counter=counter,
            fee=fee,
            reversal=reversal,
        )
        put = partial(self.world.feed, "settlement", next_uuid(receipt, "record"), line)
        self.world.later(after, put)

    def _housekeeping(self, region: str) -> None:
        """An opening balance, a fee, a sweep, and a debit that nobody knows."""
        account = f"{region}:expense"
        opening = OpenBank(
            to=region,
            account=account,
            bank="expense",
            balance_fen=10**6,
            booked_on=self.world.begun.date(),
        )
        self.world.feed("settlement", uuid5(NAMESPACE, account), opening)
        for fen, counter, fee in ((15, None, True), (500, "fiscal", False), (7, None, False)):
            self._leave(DAY, region, Detail(amount_fen=fen), counter, fee=fee)  # type: ignore[arg-type]
