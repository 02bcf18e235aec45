"""The corridors of the open books: exposure, ages, warnings, and who waits for an advance."""

from collections.abc import Hashable
from datetime import date, datetime, time
from typing import cast
from uuid import uuid5

from services.settlement import exposure
from services.settlement.exposure import Limits
from services.settlement.journal import Journal
from services.settlement.states import Aged, Claim, Corridor, CorridorAct, Declined
from shared.calendar import SHANGHAI
from shared.decision import Timer, Unexpected, replace
from shared.messages import NAMESPACE
from shared.messages.settlement import OfferAgain
from shared.messages.settlement_limits import ExposureWarned, ReviewCorridor


class Corridors(Journal):
    """What an advance and a receipt change besides the claim, whoever changes it."""

    def limits(self, origin: str, destination: str) -> Limits:
        """The limits of a corridor today. Raises Unexpected where a region is not known."""
        try:
            policy = self._limits_of(origin, destination, self.today)
        except KeyError as unknown:
            raise Unexpected("unknown_region", f"no region has the code {unknown}") from None
        return exposure.in_force(self.corridor(origin, destination), policy)

    def corridor(self, origin: str, destination: str) -> Corridor:
        """The exposure of a corridor."""
        known = self.get(("corridor", origin, destination), Corridor)
        return known or Corridor(origin, destination)

    def keep_corridor(self, corridor: Corridor) -> None:
        """Keeps a corridor's exposure, and tells when it crosses a threshold of its limit."""
        limits = self.limits(corridor.origin, corridor.destination)
        percent = exposure.warned_percent(corridor, limits)
        if percent != corridor.warned_percent:
            rising = percent > corridor.warned_percent
            corridor = replace(corridor, warned_percent=percent)
            self._warn(corridor, limits, rising=rising)
        self._keep(corridor)

    def _keep(self, corridor: Corridor) -> None:
        self._changes["corridor", corridor.origin, corridor.destination] = corridor

    def _warn(self, corridor: Corridor, limits: Limits, *, rising: bool) -> None:
        facts = {"open_fen": corridor.open_fen, "limit_fen": limits.open_fen}
        percent = corridor.warned_percent
        self.record(corridor, "warned", f"{percent}%", {**facts, "rising": rising})
        self.say(
            ExposureWarned(
                to=corridor.destination,
                origin=corridor.origin,
                percent=percent,
                rising=rising,
                open_fen=corridor.open_fen,
                limit_fen=limits.open_fen,
            )
        )

    def record(self, corridor: Corridor, what: str, code: str, facts: dict[str, object]) -> None:
        """Writes down what was decided about a corridor, and why."""
        key = corridor.origin, corridor.destination, self.cause, what
        act = CorridorAct(*key, self.at, code, facts)  # type: ignore[arg-type]  # one of the words
        self._changes["corridor-act", *key] = act

    def judged(self, claim: Claim, code: str | None) -> Claim:
        """The claim with what is seen of its corridor when an advance is decided on; `code` is why
        there is none.
        """
        corridor = self.corridor(claim.origin, claim.region)
        limits = self.limits(claim.origin, claim.region)
        return replace(
            claim,
            judged_at=self.at,
            judged=code,
            exposure_fen=corridor.open_fen,
            limit_fen=limits.open_fen,
        )

    # --- ages ---------------------------------------------------------------------------------

    def age(self, claim: Claim, more_fen: int, more_claims: int) -> None:
        """The open advance of a claim has changed: so has what is open of its day."""
        where = claim.origin, claim.region, claim.announced_on
        known = self.get(("aged", *where), Aged) or Aged(*where)
        open_fen, claims = known.open_fen + more_fen, known.claims + more_claims
        self._changes["aged", *where] = replace(known, open_fen=open_fen, claims=claims)
        corridor = self.corridor(claim.origin, claim.region)
        if more_claims > 0:
            self._grow_older(corridor, claim)
        elif more_fen < 0 and self._doubtful(corridor):
            self.ask_review(corridor)

    def _grow_older(self, corridor: Corridor, claim: Claim) -> None:
        day = claim.announced_on
        if corridor.excused_before is not None and day < corridor.excused_before:
            return
        limits = self.limits(corridor.origin, corridor.destination)
        if corridor.reviewed_on is not None and corridor.reviewed_on < limits.since:
            self.ask_review(corridor)  # the rules have changed
            corridor = self.corridor(corridor.origin, corridor.destination)
        if corridor.oldest_on is not None and corridor.oldest_on <= day and corridor.review_on:
            return
        oldest_on = min(day, corridor.oldest_on or day)
        due_on = exposure.first_review(limits, oldest_on)
        if due_on is not None and (corridor.review_on is None or due_on < corridor.review_on):
            corridor = self.remind_review(corridor, due_on)
        reviewed_on = corridor.reviewed_on or self.today
        self._keep(replace(corridor, oldest_on=oldest_on, reviewed_on=reviewed_on))

    def _doubtful(self, corridor: Corridor) -> bool:
        """Whether nothing is advanced for what the origin owes; a payment may change that."""
        if corridor.suspended is not None or corridor.oldest_on is None:
            return corridor.suspended not in {None, exposure.BY_HAND}
        limits = self.limits(corridor.origin, corridor.destination)
        return limits.over_age(corridor.oldest_on, self.today)

    def ages(self, origin: str, destination: str) -> list[Aged]:
        """All that a corridor has open, by the day it was announced, oldest first."""
        read = cast("tuple[Aged, ...]", self.get(("ages", origin, destination), tuple) or ())
        sums: dict[object, Aged] = {aged.announced_on: aged for aged in read}
        for more in self._aged(origin, destination):
            known = sums.get(more.announced_on) or replace(more, open_fen=0, claims=0)
            open_fen, claims = known.open_fen + more.open_fen, known.claims + more.claims
            sums[more.announced_on] = replace(more, open_fen=open_fen, claims=claims)
        found = [aged for aged in sums.values() if aged.open_fen]
        return sorted(found, key=lambda aged: aged.announced_on)

    def _aged(self, origin: str, destination: str) -> list[Aged]:
        """What the batch has changed of a corridor's days. Looks at all states there are."""
        keys = {**self._states, **self._changes}
        start = "aged", origin, destination
        own = [key for key in keys if isinstance(key, tuple) and key[:3] == start]
        return [found for key in own if (found := self.get(key, Aged))]

    def ask_review(self, corridor: Corridor) -> None:
        """Has the corridor looked at again, once, whatever was asked meanwhile."""
        if not corridor.review_asked:
            self._keep(replace(corridor, review_asked=True))
            self.say(ReviewCorridor(to=corridor.destination, origin=corridor.origin))

    def remind_review(self, corridor: Corridor, day: date | None) -> Corridor:
        """Has the clock ask for the next review on a day, or not at all."""
        key = f"{corridor.origin}>{corridor.destination}"
        at = datetime.combine(day, time.min, SHANGHAI) if day else None
        message = ReviewCorridor(to=corridor.destination, origin=corridor.origin) if day else None
        self._timers.append(Timer(key, uuid5(NAMESPACE, f"review\x1f{key}"), at, message))
        return replace(corridor, review_on=day)

    def look_tomorrow(self, origin: str, destination: str) -> None:
        """Has the corridor looked at on the next day: its rules may be others by then."""
        corridor = self.corridor(origin, destination)
        day = exposure.next_day(self.limits(origin, destination), self.today)
        if corridor.review_on is None or day < corridor.review_on:
            self._keep(self.remind_review(corridor, day))

    # --- who waits ----------------------------------------------------------------------------

    def declined(self, origin: str, destination: str) -> list[Declined]:
        """The oldest of the advances that were declined for the corridor's sake and not offered
        again.
        """
        queue = cast(
            "tuple[Declined, ...]", self.get(("declined", origin, destination), tuple) or ()
        )
        current = [self._queued(one) for one in queue]
        return [one for one in current if one and not one.offered]

    def _queued(self, known: Declined) -> Declined | None:
        key = ("queued", *known.key)
        if self._has(key):
            return self.get(key, Declined)
        return known

    def keep_declined(self, declined: Declined) -> None:
        """Queues an advance that was declined for the corridor's sake, or says that it is offered
        again. Who is declined for the origin's debts has them looked at, once a day.
        """
        key: Hashable = ("queued", *declined.key)
        self._changes[key] = declined
        if declined.offered:
            return
        key = ("declined", declined.origin, declined.destination)
        queue = cast("tuple[Declined, ...]", self.get(key, tuple) or ())
        rest = [one for one in queue if one.transfer != declined.transfer]
        rest.append(declined)
        rest.sort(key=lambda one: (one.declined_at, one.person, one.transfer))
        self._changes[key] = tuple(rest)
        corridor = self.corridor(declined.origin, declined.destination)
        if corridor.reviewed_on != self.today and self._doubtful(corridor):
            self.ask_review(corridor)

    def queue(self, claim: Claim) -> None:
        """The claim waits until the corridor has room for it."""
        self.keep_declined(
            Declined(
                origin=claim.origin,
                destination=claim.region,
                person=claim.person,
                transfer=claim.transfer,
                declined_at=claim.declined_at or self.at,
                amount_fen=claim.awaiting_fen,
            )
        )

    def too_large(self, origin: str, destination: str) -> list[Claim]:
        """Claims of which one advance would have been too large, where it is asked; not those that
        wait for the corridor since.
        """
        found = self.get(("too-large", origin, destination), tuple) or ()
        now = [self.get(("claim", one.person, one.transfer), Claim) or one for one in found]
        return [
            one
            for one in now
            if one.declined == "single_limit" and one.awaiting_fen
            if self.get(("queued", origin, destination, one.person, one.transfer), Declined) is None
        ]

    def forget_declined(self, claim: Claim) -> None:
        """The claim waits for the corridor no longer."""
        key = ("queued", claim.origin, claim.region, claim.person, claim.transfer)
        self._changes[key] = None

    def offer_again(self, corridor: Corridor) -> None:
        """Offers the oldest declined advances that fit into the room of the corridor."""
        waiting = self.declined(corridor.origin, corridor.destination)
        if not waiting:
            return
        limits = self.limits(corridor.origin, corridor.destination)
        chosen = exposure.offers(corridor, limits, waiting, self.today)
        for declined in chosen:
            self.keep_declined(replace(declined, offered=True))
            self.say(
                OfferAgain(
                    to=declined.destination,
                    person=declined.person,
                    transfer=declined.transfer,
                    origin=declined.origin,
                )
            )
        if len(chosen) >= exposure.MOST_OFFERED:
            self.ask_review(corridor)  # which offers the next ones
