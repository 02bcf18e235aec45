"""The books open at one message: what is known, what has changed, what is to be said.

`Books` lets a decision be written as a sequence of business acts.
"""

from typing import cast
from uuid import UUID

from services.settlement.corridors import Corridors
from services.settlement.states import (
    Claim,
    Instruction,
    Line,
    Movement,
    Part,
    Receipt,
    Release,
    look_of,
)

Found = tuple[str, UUID]
"""A person and a transfer."""


class Books(Corridors):
    """The rows of the books, by what they are."""

    def movement(self, person: str, record: UUID) -> Movement | None:
        """What a record did, if it was handled."""
        return self.get(("movement", person, record), Movement)

    def keep_movement(self, movement: Movement) -> None:
        """Keeps what a record did."""
        self._changes["movement", movement.person, movement.record] = movement

    def release(self, person: str, transfer: UUID) -> Release | None:
        """O's side of a transfer."""
        return self.get(("release", person, transfer), Release)

    def releases(self, person: str, region: str) -> list[Release]:
        """What was asked of a region about a person, in the order of the transfers."""
        found = (self.release(person, transfer) for transfer in self._all("releases", person))
        own = [release for release in found if release and release.region == region]
        return sorted(own, key=lambda release: (release.opened_at, release.transfer))

    def keep_release(self, release: Release) -> None:
        """Keeps what has become of a release."""
        self._changes["release", release.person, release.transfer] = release
        self._join(("releases", release.person), release.transfer)
        self._join(("released", release.transfer), (release.person, release.transfer))

    def released(self, transfer: UUID) -> Release | None:
        """O's side of a transfer, whoever the person is."""
        for person, _ in cast("tuple[Found, ...]", self._all("released", transfer)):
            return self.release(person, transfer)
        return None

    def instruction(self, person: str, transfer: UUID, run: str) -> Instruction | None:
        """A line of a payment file, if it is booked."""
        return self.get(("instruction", person, transfer, run), Instruction)

    def keep_instruction(self, line: Instruction) -> None:
        """Keeps a line of a payment file."""
        self._changes["instruction", line.person, line.transfer, line.run] = line

    def claim(self, person: str, transfer: UUID) -> Claim | None:
        """D's side of a transfer."""
        return self.get(("claim", person, transfer), Claim)

    def claims(self, person: str, region: str) -> list[Claim]:
        """The claims of a region about a person, in the order of the transfers."""
        found = [self.claim(person, transfer) for transfer in self._all("claims", person)]
        own = [claim for claim in found if claim and claim.region == region]
        return sorted(own, key=lambda claim: (claim.opened_at, claim.transfer))

    def keep_claim(self, claim: Claim) -> None:
        """Keeps what has become of a claim, and the corridor's exposure with it."""
        before = self.claim(claim.person, claim.transfer)
        found = (claim.person, claim.transfer)
        if before is None:
            self._join(("claims", claim.person), claim.transfer)
            self._join(("claimed", claim.transfer), found)
        if before is None or before.announced_fen != claim.announced_fen:
            key = ("expected", look_of(claim.region, claim.origin, claim.announced_fen))
            if self._has(key):
                self._join(key, found)
        was_fen = before.open_fen if before else 0
        if was_fen != claim.open_fen:
            self.age(claim, claim.open_fen - was_fen, (claim.open_fen > 0) - (was_fen > 0))
        self._changes["claim", *found] = claim

    def claimed(self, transfer: UUID) -> Claim | None:
        """D's side of a transfer, whoever the person is."""
        for person, _ in cast("tuple[Found, ...]", self._all("claimed", transfer)):
            return self.claim(person, transfer)
        return None

    def expected(self, look: str) -> list[Claim]:
        """The claims, open or funded, that a part found by `look` may be for: all or, where they
        were not read, none.
        """
        found = cast("tuple[Found, ...]", self._all("expected", look))
        claims = [self.claim(person, transfer) for person, transfer in found]
        return [
            claim
            for claim in claims
            if claim and look == look_of(claim.region, claim.origin, claim.announced_fen)
        ]

    def receipt(self, receipt: UUID) -> Receipt | None:
        """A line of a bank statement, if it is booked."""
        return self.get(("receipt", receipt), Receipt)

    def keep_receipt(self, receipt: Receipt) -> None:
        """Keeps a line of a bank statement."""
        self._changes["receipt", receipt.receipt] = receipt

    def part(self, receipt: UUID, part: int) -> Part | None:
        """One payment inside a credit."""
        return self.get(("part", receipt, part), Part)

    def parts_of(self, transfer: UUID) -> list[Part]:
        """The parts that were applied to a transfer, where a command asks for them."""
        found = cast("tuple[tuple[UUID, int], ...]", self._all("parts-of", transfer))
        return [part for place in sorted(found) if (part := self.part(*place))]

    def keep_part(self, part: Part) -> None:
        """Keeps what has become of a part."""
        self._changes["part", part.receipt, part.part] = part
        for look in part.looks:
            self._join(("waiting", look), (part.receipt, part.part))

    def waiting(self, look: str) -> list[Part]:
        """The parts with unmatched money that are found by `look`, in a stable order."""
        found = cast("tuple[tuple[UUID, int], ...]", self._all("waiting", look))
        parts = [self.part(receipt, part) for receipt, part in sorted(found)]
        return [part for part in parts if part and look in part.looks]

    def line(self, receipt: UUID, part: int) -> Line | None:
        """What the bank line says of the payee, if it was needed and could be unsealed."""
        return self.get(("line", receipt, part), Line)

    def name_keys(self, claim: Claim) -> tuple[str, ...]:
        """The blind keys of the name of a claim's person."""
        key = ("holder", claim.person, claim.region)
        if self._has(key):
            return self.holder(claim.person, claim.region).name_keys
        return self.get(("name-keys", claim.person, claim.region), tuple) or ()

    def name(self, person: str, region: str) -> str | None:
        """The person's name, if it was needed and could be unsealed."""
        return self.get(("name", person, region), str)

    def named(self, region: str, name_key: str) -> bool:
        """Whether the region knows somebody of this exact name."""
        return bool(self.get(("named", region, name_key), bool))
