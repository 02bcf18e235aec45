"""One person's world for the stories of going back: three services, one bus, checked throughout."""

from collections.abc import Callable
from itertools import count
from typing import Any
from uuid import UUID, uuid5

from services.settlement.exposure import Limits
from services.settlement.states import Claim, Release
from services.transfer import repair
from services.transfer.states import MONEY_ENDS, RECORD_ENDS, Transfer
from shared.messages import NAMESPACE, Message, record_uuid, transfer_uuid
from shared.messages import enrollment as e
from shared.messages import transfer as t
from tests.unit.enrollment_world import MARCH, NANNING, PERSON, ZHENGZHOU
from tests.unit.network import Network
from tests.unit.settlement_world import some_id
from tests.unit.test_interleavings import (
    ENROLL,
    OPEN,
    STOP,
    TRANSFER,
    register,
)

TWO = {"proposed_by": "chen", "approved_by": "li", "reason": "court-order"}
ABOUT: dict[str, Any] = {"to": NANNING, "person": PERSON, "transfer": TRANSFER}
CLAIM: dict[str, Any] = {**ABOUT, "origin": ZHENGZHOU, **TWO}
ONWARD = transfer_uuid("test", "on")
ALL = 408412
MOVED = [OPEN, STOP, ENROLL]
REVERSE = t.Reverse.model_validate({**ABOUT, **TWO})


def spend(fen: int, region: str = NANNING) -> e.Register:
    name = f"spend {region} {fen}"
    return register("spend", name, region, amount_fen=fen, occurred_at=MARCH)


def corrected(fen: int) -> e.AmendRecord:
    """Two people of the origin say what the balance was."""
    fields = {"record": some_id(f"amend {fen}"), "refers_to": record_uuid("test", "open")}
    return e.AmendRecord.model_validate(
        {"to": ZHENGZHOU, "person": PERSON, "balance_fen": fen, **fields, **TWO}
    )


class Story:
    """One person's world, told message by message."""

    def __init__(self, choose: Callable[[int], int] = lambda _: 0, most: int = 10**9) -> None:
        self.network = Network(Limits(open_fen=most, single_fen=most))
        self.choose = choose
        self.numbers = count()

    def tell(self, *messages: Message, at_once: bool = False) -> "Story":
        """Each, and all that follows from it, or all of them at once from different senders."""
        for message in messages:
            n = next(self.numbers)
            self.network.put(f"sender {n}", f"{n}", uuid5(NAMESPACE, f"told {n}"), message)
            if not at_once:
                self.network.run(self.choose)
        self.network.run(self.choose)
        self.agrees()
        return self

    def transfer(self, id_: UUID = TRANSFER) -> Transfer:
        found = self.network.transfers[PERSON, id_]
        assert found
        return found

    def ends(self, id_: UUID = TRANSFER) -> tuple[str, str, bool]:
        found = self.transfer(id_)
        return found.record, found.money, found.closed_at is not None

    def balance(self, region: str = NANNING) -> int:
        return self.network.settlement.balance(region, PERSON)

    def claim(self, id_: UUID = TRANSFER) -> Claim:
        return self.network.settlement.claim(id_, PERSON)

    def said(self, kind: type[Message]) -> list[Message]:
        return [m for m in self.network.told if isinstance(m, kind)]

    def agrees(self) -> None:
        """The saga knows what the books know; what is open waits for somebody named."""
        books = self.network.settlement.states
        for found in filter(None, self.network.transfers.values()):
            funds = found.funds
            claim = books.get(("claim", PERSON, found.id))
            if isinstance(claim, Claim):
                known = (funds.credited, funds.matched, funds.open, funds.excess, funds.undue)
                kept = (claim.credited_fen, claim.matched_fen, claim.open_fen, claim.excess_fen)
                assert known == (*kept, claim.undue_fen), self.network.heard
                losses = (funds.recoverable, funds.lost, funds.sent_back)
                assert losses == (claim.recoverable_fen, claim.lost_fen, claim.sent_back_fen)
            release = books.get(("release", PERSON, found.id))
            if isinstance(release, Release) and not release.paid_out:
                assert funds.released == release.owed_fen, self.network.heard
                assert funds.restored == release.restored_fen
                if isinstance(claim, Claim):
                    assert claim.restored_fen == release.restored_fen
            ended = found.record in RECORD_ENDS and found.money in MONEY_ENDS
            assert ended == (found.closed_at is not None)
            assert ended or all(wait.of and wait.do for wait in repair.waits(found))
            assert ended or repair.waits(found), (found.record, found.money)
