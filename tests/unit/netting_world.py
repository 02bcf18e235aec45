"""A province of three regions without a database: days pass, sheets come out, money moves."""

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from services.settlement.netting.states import Line, Owed, Total, Window
from services.settlement.netting.terms import Terms
from services.settlement.netting.windows import MOST_LINES, positions_of
from shared import regions
from shared.calendar import SHANGHAI
from shared.messages import Message
from shared.messages.settlement import (
    Contribute,
    CreditAdvance,
    FundsCorrected,
    FundsReleased,
    Spend,
)
from shared.messages.settlement_compensation import (
    AdjustAdvance,
    AdvanceReversed,
    RestoreFunds,
    ReverseAdvance,
)
from shared.messages.settlement_netting import (
    ConfirmLine,
    DisputeLine,
    InstructPosition,
    LinesCommand,
    NextLines,
    WindowCommand,
)
from shared.months import month_text
from tests.unit.netting_bank import credit, debit
from tests.unit.settlement_world import World, open_account, release_funds, some_id

FOLDER = Path(regions.__file__).parent.parent / "deploy" / "regions"
NANNING, GUILIN, LIUZHOU, GUANGXI = "450100", "450300", "450200", "450000"
CITIES = (NANNING, GUILIN, LIUZHOU)
APRIL = 2026 * 12 + 3
OPENING_FEN = 100_000


def known_regions() -> regions.Regions:
    shipped = regions.load(FOLDER)
    text = (FOLDER / f"{NANNING}.toml").read_text("utf-8")
    for old, new in (
        (NANNING, LIUZHOU),
        ("南宁", "柳州"),
        ("Nanning", "Liuzhou"),
        ("4501010104", "4502010104"),
    ):
        text = text.replace(old, new)
    liuzhou = regions.parse(text.encode(), "450200.toml")
    return regions.Regions((*shipped.all, liuzhou), provinces=shipped.provinces)


REGIONS = known_regions()


def day(month: int, number: int, hour: int = 9) -> datetime:
    return datetime(2026, month, number, hour, tzinfo=SHANGHAI)


PUBLISHED, FINAL = day(5, 5, 0), day(5, 12, 0)


def person(number: int) -> str:
    return f"{number:032x}"


@dataclass
class Province(World):
    """`late` holds what the transfer service has not told the destinations yet."""

    terms: Terms = field(default_factory=lambda: Terms(REGIONS))
    day: datetime = field(default_factory=lambda: day(4, 2))
    late: deque[CreditAdvance | AdjustAdvance] = field(default_factory=deque)
    bank: int = 0

    @property
    def at(self) -> datetime:
        return self.day + timedelta(seconds=self.number)

    def _look(self, message: Message) -> None:
        super()._look(message)
        if isinstance(message, WindowCommand):
            window = (message.to, message.month)
            totals = [t for t in self.all(Total) if (t.province, t.month) == window]
            self.states["net-totals", *window] = tuple((t.origin, t.destination) for t in totals)
        if isinstance(message, NextLines):
            after = message.after
            found = sorted(
                (line for line in self.all(Line) if line.entered == message.month),
                key=_place,
            )
            self.states["net-next", message.to, message.month, *after] = tuple(
                line for line in found if _place(line) > after
            )[:MOST_LINES]

    def send(self, *messages: Message) -> list[Message]:
        said = super().send(*messages)
        self.check_sheets()
        return said

    def check_sheets(self) -> None:
        """What is kept of the windows is what their lines add up to."""
        lines, totals = self.all(Line), self.all(Total)
        for t in totals:
            own = [x for x in lines if (x.entered, x.origin, x.destination) == _corridor(t)]
            assert (t.lines, t.fen) == (len(own), sum(x.agreed_fen for x in own)), t
        for window in {(t.province, t.month) for t in totals}:
            positions = positions_of(*window, (t for t in totals if t.month == window[1]))
            assert sum(p.receivable_fen - p.payable_fen for p in positions) == 0
        for line in lines:
            if line.entered is not None:
                assert line.entered >= line.month
                assert line.agreed_fen

    def move(self, number: int, origin: str, to: str, *, tell: bool = True) -> UUID:
        """A person with an account of their own moves; `tell`: the destination hears of it."""
        transfer = some_id(f"transfer {number}")
        who: dict[str, Any] = {"person": person(number)}
        self.send(
            open_account(origin, OPENING_FEN + number, record=some_id(f"o{number}"), **who),
            open_account(to, record=some_id(f"d{number}"), **who),
        )
        said = self.send(release_funds(transfer, origin, to, opened_at=self.day, **who))
        self.hear(said)
        if tell:
            self.tell()
        return transfer

    def hear(self, said: list[Message]) -> None:
        """What the transfer service makes of what an origin says."""
        for m in said:
            if isinstance(m, FundsCorrected) and m.delta_fen < 0:
                self.late.append(
                    AdjustAdvance(
                        to=m.to,
                        person=m.person,
                        transfer=m.transfer,
                        origin=m.origin,
                        version=m.version,
                        amount_fen=-m.delta_fen,
                    )
                )
            elif isinstance(m, FundsReleased | FundsCorrected):
                fen = m.owed_fen if isinstance(m, FundsReleased) else m.delta_fen
                self.late.append(
                    CreditAdvance(
                        to=m.to,
                        person=m.person,
                        transfer=m.transfer,
                        origin=m.origin,
                        version=m.version,
                        amount_fen=fen,
                        released_on=m.released_on,
                        advance=True,
                        opened_at=self.day,
                    )
                )

    def contribute(self, number: int, amount_fen: int, origin: str = GUILIN) -> None:
        """A late contribution: the origin releases more, and the destination hears of it."""
        record = some_id(f"late {number} {self.number}")
        late = Contribute(to=origin, person=person(number), record=record, amount_fen=amount_fen)
        self.hear(self.send(late))
        self.tell()

    def spend_late(self, number: int, amount_fen: int, origin: str = GUILIN) -> None:
        """What was spent before the release comes late: the origin has released too much."""
        late = Spend(
            to=origin,
            person=person(number),
            record=some_id(f"spent {number} {self.number}"),
            amount_fen=amount_fen,
            spent_on=day(4, 1).date(),
        )
        self.hear(self.send(late))
        self.tell()

    def reverse(self, number: int, origin: str, to: str, times: int = 1) -> None:
        """The transfer is reversed: what is unspent goes back."""
        transfer = some_id(f"transfer {number}")
        about = {"person": person(number), "transfer": transfer, "number": times}
        asked = ReverseAdvance.model_validate(about | {"to": to, "origin": origin})
        for m in self.send(asked):
            if isinstance(m, AdvanceReversed) and m.amount_fen:
                self.send(
                    RestoreFunds.model_validate(
                        about | {"to": origin, "destination": to, "amount_fen": m.amount_fen}
                    )
                )

    def tell(self) -> None:
        while self.late:
            self.send(self.late.popleft())

    def go_to(self, at: datetime) -> list[Message]:
        """Days pass, and what is due on the way happens."""
        said: list[Message] = []
        while True:
            due = sorted(
                (t for t in self.timers.values() if t.due_at and t.due_at <= at),
                key=lambda t: (t.due_at, t.key),
            )
            if not due:
                break
            first = due[0]
            del self.timers[first.id]
            assert first.due_at is not None
            assert first.message is not None
            self.day = max(self.day, first.due_at)
            said += self.send(first.message)
        self.day = max(self.day, at)
        return said

    def line(self, transfer: UUID, version: int = 1) -> Line:
        [found] = [x for x in self.all(Line) if (x.transfer, x.version) == (transfer, version)]
        assert isinstance(found, Line)
        return found

    def answer(self, line: Line, region: str, *, agrees: bool) -> list[Message]:
        about = {
            "to": line.province,
            **{n: getattr(line, n) for n in ("origin", "destination", "person", "transfer")},
            "version": line.version,
            "region": region,
            "by": "lin",
        }
        kind: type[LinesCommand] = ConfirmLine if agrees else DisputeLine
        return self.send(kind.model_validate(about | {"reason": "amount"}))

    def window(self, month: int) -> Window:
        found = self.states.get(("net-window", GUANGXI, month))
        return found if isinstance(found, Window) else Window(GUANGXI, month)

    def owed(self, month: int) -> list[Owed]:
        found = [one for one in self.all(Owed) if one.month == month and one.amount_fen]
        return sorted(found, key=lambda one: (one.payee != GUANGXI, one.region))

    def pay(self, owed: Owed, amount_fen: int | None = None) -> list[Message]:
        """The payment of a position goes through both banks."""
        fen = self.send_off(owed, amount_fen)
        return self.send(credit(owed.payee, f"c{self.bank}", fen, owed.reference, owed.payer))

    def send_off(self, owed: Owed, amount_fen: int | None = None) -> int:
        """It is instructed and has left the payer's bank."""
        fen = self.instruct(owed, amount_fen)
        self.send(debit(owed.payer, f"d{self.bank}", fen, owed.reference))
        return fen

    def instruct(self, owed: Owed, amount_fen: int | None = None) -> int:
        """It is in a payment file."""
        self.bank += 1
        fen = owed.amount_fen - owed.instructed_fen if amount_fen is None else amount_fen
        about = {"to": owed.province, "month": owed.month, "reference": owed.reference}
        named = about | {"payer": owed.payer, "run": f"run {self.bank}", "amount_fen": fen}
        self.send(InstructPosition.model_validate(named))
        return fen

    def pay_all(self) -> None:
        for month in sorted({one.month for one in self.all(Owed)}):
            for owed in self.owed(month):
                if not owed.paid:
                    self.pay(owed)

    def clearing(self, month: int) -> dict[str, int]:
        """The clearing account of a window in all books, debits less credits."""
        account = f"clearing:{month_text(month)}"
        return {code: self.account(code, account) for code in (*CITIES, GUANGXI)}


def _place(line: Line) -> tuple[str, UUID, int]:
    return line.person, line.transfer, line.version


def _corridor(total: Total) -> tuple[int, str, str]:
    return total.month, total.origin, total.destination
