"""The journal open at one message: states with their changes, entries with their business date.

Outside of `decide` nothing of it is seen but the `Decision` it closes with. States are never
mutated, only replaced.
"""

from collections.abc import Callable, Hashable
from datetime import date, datetime
from typing import TypeVar
from uuid import UUID

from services.settlement import interest, ledger
from services.settlement.closing import days
from services.settlement.closing.days import Day
from services.settlement.exposure import LimitsOf
from services.settlement.states import Holder
from shared.calendar import shanghai_day
from shared.decision import Decision, Delivery, States, Timer, Unexpected, replace
from shared.messages import Message
from shared.policy import Policy
from shared.rules import InterestRule

State = TypeVar("State")
_UNCHANGED = object()
PolicyOf = Callable[[str, date], Policy]
"""The rules of a region on a day; KeyError for an unknown one."""


class Journal:
    """States of the batch, with this message's changes over them."""

    def __init__(
        self, states: States, delivery: Delivery, limits_of: LimitsOf, policy_of: PolicyOf
    ) -> None:
        self._states = states
        self._changes: dict[Hashable, object] = {}
        self._out: list[Message] = []
        self._timers: list[Timer] = []
        self._limits_of = limits_of
        self._policy_of = policy_of
        self.cause: UUID = delivery.id
        self.at: datetime = delivery.at
        self.today: date = shanghai_day(delivery.at)

    def close(self) -> Decision:
        """What the message led to."""
        return Decision(self._changes, self._out, self._timers)

    def say(self, *messages: Message) -> None:
        """Sends messages."""
        self._out += messages

    def policy(self, region: str) -> Policy:
        """A region's rules today. Raises Unexpected where it is not known."""
        try:
            return self._policy_of(region, self.today)
        except KeyError:
            raise Unexpected("unknown_region", f"no region has the code {region}") from None

    def remind(self, timer: Timer) -> None:
        """Sets or cancels a timer."""
        self._timers.append(timer)

    def changed(self, *kinds: type) -> list[tuple[object, object]]:
        """The states of these kinds that this message has changed: before and after."""
        return [(self._states.get(k), s) for k, s in self._changes.items() if type(s) in kinds]

    def get(self, key: Hashable, _: type[State]) -> State | None:
        """A state of this kind, as changed so far."""
        found = self._changes.get(key, _UNCHANGED)
        if found is _UNCHANGED:
            found = self._states.get(key)
        return found  # type: ignore[return-value]  # `cast` would be a call, a hundred a transfer

    def put(self, key: Hashable, state: object) -> None:
        """Keeps what has become of a state."""
        self._changes[key] = state

    def _has(self, key: Hashable) -> bool:
        return key in self._changes or key in self._states

    def _all(self, *key: Hashable) -> tuple[UUID, ...]:
        return self.get(key, tuple) or ()

    def _join(self, key: Hashable, item: object) -> None:
        known = self.get(key, tuple) or ()
        if item not in known:
            self._changes[key] = (*known, item)

    def holder(self, person: str, region: str) -> Holder:
        """The person at a region; without an account if nothing is known of them there."""
        return self.get(("holder", person, region), Holder) or Holder(person, region)

    def free_fen(self, person: str, region: str) -> int:
        """What may leave the account today: nothing of one that is held."""
        holder = self.holder(person, region)
        return 0 if holder.held_on(self.today) else holder.balance_fen

    def keep_holder(self, holder: Holder) -> None:
        """Keeps what has become of a holder."""
        self._changes["holder", holder.person, holder.region] = holder

    def post(
        self,
        kind: str,
        region: str,
        postings: ledger.Postings,
        *,
        person: str,
        subject: object,
        version: int = 0,
        transfer: UUID | None = None,
    ) -> None:
        """Writes an entry, and the turnover of the two accounts that are kept by person."""
        if not postings:
            return
        on, late = self._dated(region)
        subject = str(subject)
        id_ = ledger.entry_id(person, region, kind, subject, version)
        self._changes["entry", id_] = ledger.Entry(
            id=id_,
            kind=kind,
            region=region,
            person=person,
            subject=subject,
            version=version,
            transfer=transfer,
            business_date=on,
            cause=self.cause,
            reverses=None,
            postings=postings,
            late=late,
        )
        self._turn_over(person, region, on, ledger.totals(postings))

    def _dated(self, region: str) -> tuple[date, str | None]:
        """The business date of an entry; the first of a day sets the end of the day."""
        day = self.get(("day", region), Day) or Day(region)
        on, late = days.dated(day, self.today)
        if later := days.moved(day, on):
            self._changes["day", region] = later
            self._timers.append(days.closes(region, on))
        return on, late

    def business_day(self, region: str) -> date:
        """The date of what is entered now."""
        return days.dated(self.get(("day", region), Day) or Day(region), self.today)[0]

    def accrued(self, holder: Holder, until: date, moved_fen: int = 0) -> tuple[date, int]:
        """Until when an account has earned, and how much, once `moved_fen` is posted on a day."""

        def rule_on(day: date) -> InterestRule | None:
            return self._interest(holder.region, day)

        since = holder.accrued_on or until
        return interest.moved(rule_on, since, holder.accrued, holder.balance_fen, moved_fen, until)

    def _interest(self, region: str, day: date) -> InterestRule | None:
        try:
            return self._policy_of(region, day).interest
        except KeyError:
            # A region whose file was taken away pays nothing any more.
            return None

    def keep_earning(self, holder: Holder) -> None:
        """Keeps a holder, to be reminded of the next settlement day where the account earns."""
        if holder.balance_fen and holder.settles_on is None:
            today = self.business_day(holder.region)
            rule = self._interest(holder.region, today)
            if rule is not None and rule.earns_on(today):
                holder = replace(holder, settles_on=rule.settlement(today))
                self._timers.append(interest.settles(holder))
        self.keep_holder(holder)

    def _turn_over(
        self, person: str, region: str, on: date, turnover: dict[str, tuple[int, int]]
    ) -> None:
        if ledger.PERSONAL not in turnover and ledger.AWAITING not in turnover:
            return
        holder = self.holder(person, region)
        personal = turnover.get(ledger.PERSONAL, (0, 0))
        awaiting = turnover.get(ledger.AWAITING, (0, 0))
        accrued_on, accrued = self.accrued(holder, on, personal[1] - personal[0])
        holder = replace(
            holder,
            accrued_on=accrued_on,
            accrued=accrued,
            personal_debit_fen=holder.personal_debit_fen + personal[0],
            personal_credit_fen=holder.personal_credit_fen + personal[1],
            awaiting_debit_fen=holder.awaiting_debit_fen + awaiting[0],
            awaiting_credit_fen=holder.awaiting_credit_fen + awaiting[1],
        )
        assert holder.balance_fen >= 0, region
        self.keep_earning(holder)
