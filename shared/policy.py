"""A region's policy on a day, and the corridor between two regions: rules chosen, ready to ask."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal, NamedTuple, TypeVar

from shared.rules import (
    ANY_ORIGIN,
    AuthorityRule,
    ContributionRule,
    DeadlineRule,
    Distance,
    EnrollmentRule,
    Fact,
    InterestRule,
    LimitRule,
    NotificationRule,
    Pair,
    ReleaseRule,
    Rule,
    SettlementRule,
    TransferRule,
    WaitingRule,
)

Key = tuple[str, ...]
AnyRule = TypeVar("AnyRule", bound=Rule)

_ANY_QUEUE = "*"
_DIRECTOR = "director"
_EMPLOYEE_PAIR = "310>310"


class Deadlines(NamedTuple):
    """Working days; the first two bind the origin, the others the destination."""

    answer: int
    transfer_out: int
    transfer_in: int
    whole: int


@dataclass(frozen=True, slots=True)
class Policy:
    """A region's rules in force on a day; `version` names them for ever: `450100@2025-01-01`."""

    region: str
    version: str
    rules: Mapping[tuple[type[Rule], Key], Rule]

    def _find(self, kind: type[AnyRule], *key: str) -> AnyRule | None:
        rule = self.rules.get((kind, key))
        return rule if isinstance(rule, kind) else None

    def _require(self, kind: type[AnyRule], *key: str) -> AnyRule:
        rule = self._find(kind, *key)
        # Loading has refused a file without it.
        assert rule is not None, (self.version, kind, key)
        return rule

    def enrollment(self, scheme: str, person_type: str) -> EnrollmentRule | None:
        """Who may join; None where this kind of person cannot join the scheme at all."""
        return self._find(EnrollmentRule, scheme, person_type)

    def contribution(self, scheme: str, person_type: str) -> ContributionRule | None:
        """What is paid; None where nothing is due."""
        return self._find(ContributionRule, scheme, person_type)

    def has_account(self, scheme: str, person_type: str) -> bool:
        """Whether such a person has a personal account where the feed does not say."""
        rule = self.enrollment(scheme, person_type)
        return rule is not None and rule.account

    @property
    def waiting(self) -> WaitingRule:
        """When entitlement starts after a gap."""
        return self._require(WaitingRule)

    def transfer(self, distance: Distance, pair: Pair) -> TransferRule:
        """How a move into the region is handled."""
        return self._require(TransferRule, distance, pair)

    def limit(self, origin: str) -> LimitRule:
        """The exposure to one origin: a row of its own, else the one for all."""
        return self._find(LimitRule, origin) or self._require(LimitRule, ANY_ORIGIN)

    def settlement(self, distance: Distance) -> SettlementRule:
        """How origins pay."""
        return self._require(SettlementRule, distance)

    @property
    def deadline(self) -> DeadlineRule:
        """The working days of each step."""
        return self._require(DeadlineRule)

    @property
    def release(self) -> ReleaseRule:
        """How the region acts as an origin."""
        return self._require(ReleaseRule)

    @property
    def channels(self) -> tuple[str, ...]:
        """How people are told."""
        return self._require(NotificationRule).channels

    @property
    def interest(self) -> InterestRule | None:
        """What personal accounts earn; None where they earn nothing. A row is not yet in force on
        days before its own, unlike others.
        """
        return self._find(InterestRule)

    def may_approve(self, roles: Iterable[str], queue: str, amount_fen: int | None) -> bool:
        """Whether one of the roles may approve so much in a queue; what nobody knows the amount of
        takes a role that may approve any.
        """
        if not any(kind is AuthorityRule for kind, _ in self.rules):
            return _DIRECTOR in roles
        rows = [
            self._find(AuthorityRule, queue, role) or self._find(AuthorityRule, _ANY_QUEUE, role)
            for role in roles
        ]
        return any(row is not None and _covers(row.up_to_fen, amount_fen) for row in rows)

    @property
    def facts(self) -> tuple[Fact, ...]:
        """All that is in force, for `explain`."""
        rows = dict.fromkeys(self.rules.values())
        return tuple(fact for rule in rows for fact in rule.facts)

    def facts_about(self, *kinds: str) -> tuple[Fact, ...]:
        """What is in force of some kinds: `waiting`, `limit`."""
        rows = dict.fromkeys(rule for rule in self.rules.values() if rule.kind in kinds)
        return tuple(fact for rule in rows for fact in rule.facts)


@dataclass(frozen=True, slots=True)
class Corridor:
    """The ordered pair origin, destination on a day, with its limit, mode and clocks."""

    origin: str
    destination: str
    in_province: bool
    origin_policy: Policy
    policy: Policy
    limit_fen: int
    single_limit_fen: int
    settlement_mode: Literal["remittance", "netting"]
    deadlines: Deadlines
    answer: Literal["automatic", "manual"]
    payout: Literal["keep", "pay_out"]

    @property
    def distance(self) -> Distance:
        """How the rules call it."""
        return "in-province" if self.in_province else "cross-province"

    @property
    def version(self) -> str:
        """Both regions' policy versions."""
        return f"{self.origin_policy.version}>{self.policy.version}"

    def needs_transfer(self, pair: Pair) -> bool:
        """False where cover goes on without one: inside Hebei."""
        return self.policy.transfer(self.distance, pair).needed

    def automatic(self, pair: Pair) -> bool:
        """Whether enrolling starts the transfer; else somebody applies."""
        return self.policy.transfer(self.distance, pair).automatic

    def advance(self, pair: Pair) -> bool:
        """Whether the account is credited before the money comes."""
        return self.policy.transfer(self.distance, pair).advance

    def moves_money(self, pair: Pair, *, account_at_destination: bool) -> bool:
        """Only from an account to an account; else the origin keeps it or pays it out."""
        return pair == _EMPLOYEE_PAIR and account_at_destination

    def facts(self, pair: Pair) -> tuple[Fact, ...]:
        """The rules a transfer goes by, the origin's last."""
        own: tuple[Rule, ...] = (
            self.policy.transfer(self.distance, pair),
            self.policy.limit(self.origin),
            self.policy.settlement(self.distance),
            self.policy.deadline,
            self.origin_policy.release,
        )
        earned = self.origin_policy.interest
        return tuple(fact for rule in (*own, *filter(None, (earned,))) for fact in rule.facts)


def _covers(up_to_fen: int | None, amount_fen: int | None) -> bool:
    return up_to_fen is None or (amount_fen is not None and amount_fen <= up_to_fen)


def scheme_pair(origin_scheme: str, destination_scheme: str) -> str:
    """`310>310`."""
    return f"{origin_scheme}>{destination_scheme}"


def corridor_between(theirs: Policy, ours: Policy, *, in_province: bool) -> Corridor:
    """The corridor from the region of the first policy to that of the second."""
    limit = ours.limit(theirs.region)
    return Corridor(
        origin=theirs.region,
        destination=ours.region,
        in_province=in_province,
        origin_policy=theirs,
        policy=ours,
        limit_fen=limit.open_fen,
        single_limit_fen=limit.single_fen,
        settlement_mode=ours.settlement("in-province" if in_province else "cross-province").mode,
        deadlines=Deadlines(
            theirs.deadline.answer,
            theirs.deadline.transfer_out,
            ours.deadline.transfer_in,
            ours.deadline.whole,
        ),
        answer=theirs.release.answer,
        payout=theirs.release.payout,
    )


def in_force(rules: Iterable[Rule], day: date) -> Mapping[tuple[type[Rule], Key], Rule]:
    """The row of each kind and key that holds on a day."""
    chosen: dict[tuple[type[Rule], Key], Rule] = {}
    for rule in sorted(rules, key=lambda rule: rule.since):
        for key in rule.keys:
            # The oldest row is taken whatever its date, a later one once its day has come.
            if rule.since <= day or (type(rule), key) not in chosen:
                chosen[type(rule), key] = rule
    return chosen
