"""Whose money a receipt is: each verdict, and above all what is never matched by itself."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

import pytest

from services.settlement.reconciliation import (
    Candidate,
    Evidence,
    Finding,
    agreement,
    is_other_person,
    judge,
)
from services.settlement.states import Claim, Part, Verdict
from tests.unit.settlement_world import DAY, PERSON, T1, T2, T3, A, B, C, some_id

CLAIM = Claim(
    person=PERSON,
    transfer=T1,
    region=B,
    origin=A,
    opened_at=DAY,
    announced_on=DAY.date(),
    released_on=DAY.date(),
    announced_fen=100,
    credited_fen=100,
    open_fen=100,
)
OTHER = replace(CLAIM, transfer=T2, person="0" * 31 + "2")


def part(amount_fen: int, *refs: UUID, payer: str | None = A) -> Part:
    return Part(
        receipt=some_id("r"),
        part=0,
        region=B,
        amount_fen=amount_fen,
        payer_region=payer,
        suspended_fen=amount_fen,
        refs=refs,
        name_keys=("k",),
    )


def paid(claim: Claim, fen: int) -> Claim:
    return replace(claim, matched_fen=fen, open_fen=claim.open_fen - fen)


def reserved(finding: Finding) -> list[tuple[UUID, int]]:
    return [(claim.transfer, fen) for claim, fen in finding.reserved]


@pytest.mark.parametrize(
    ("amount_fen", "claim", "verdict", "rule"),
    [
        (100, CLAIM, "exact", "reference-amount"),
        (60, CLAIM, "short", "reference-other-amount"),
        (130, CLAIM, "over", "reference-other-amount"),
        (40, paid(CLAIM, 60), "partial", "reference-amount"),
        (30, paid(CLAIM, 60), "partial", "reference-other-amount"),
        (50, paid(CLAIM, 60), "over", "reference-other-amount"),
        (100, paid(CLAIM, 100), "duplicate", "reference-funded"),
        (100, replace(CLAIM, reserved_fen=100), "duplicate", "reference-funded"),
    ],
)
@pytest.mark.parametrize("payer", [A, None])
def test_a_reference_decides_and_the_amount_gives_the_verdict(
    amount_fen: int, claim: Claim, verdict: str, rule: str, payer: str | None
) -> None:
    finding = judge(part(amount_fen, T1, payer=payer), Evidence(referred=[claim]))

    assert (finding.verdict, finding.rule, finding.rejected) == (verdict, rule, {})
    assert reserved(finding) == [(T1, amount_fen)]


@pytest.mark.parametrize("verdict", ["exact", "short", "over", "partial"])
def test_what_is_due_asks_nobody(verdict: Verdict) -> None:
    assert not Finding(verdict, "any").asks


@pytest.mark.parametrize("verdict", ["unknown", "ambiguous", "duplicate"])
def test_what_cannot_be_told_or_was_not_due_asks_a_person(verdict: Verdict) -> None:
    assert Finding(verdict, "any").asks


def test_a_reference_that_is_not_announced_yet_waits_even_if_a_name_would_fit() -> None:
    finding = judge(part(100, T3), Evidence(alike=[Candidate(CLAIM, "exact")]))

    assert finding == Finding("unknown", "reference")


@pytest.mark.parametrize(
    ("evidence", "payer", "why"),
    [
        (Evidence(referred=[replace(CLAIM, region=C)]), A, "other-destination"),
        (Evidence(referred=[CLAIM]), C, "other-payer"),
        (Evidence(referred=[CLAIM], names_another=True), A, "other-name"),
    ],
)
def test_evidence_that_points_two_ways_asks_a_person(
    evidence: Evidence, payer: str, why: str
) -> None:
    finding = judge(part(100, T1, payer=payer), evidence)

    assert finding == Finding("ambiguous", "reference", rejected={T1: why})


def test_one_reference_to_another_destination_makes_the_others_doubtful() -> None:
    both = Evidence(referred=[CLAIM, replace(OTHER, region=C)])

    finding = judge(part(100, T1, T2), both)

    assert finding == Finding("ambiguous", "reference", rejected={T2: "other-destination"})


def test_a_payment_for_several_transfers_must_cover_them_exactly() -> None:
    both = Evidence(referred=[CLAIM, OTHER])

    exact = judge(part(200, T1, T2), both)
    again = judge(part(200, T1, T2, T1), both)
    less = judge(part(199, T1, T2), both)
    unheard = judge(part(100, T1, T3), Evidence(referred=[CLAIM]))

    assert exact == again == Finding("exact", "references-cover", ((CLAIM, 100), (OTHER, 100)))
    wrong = dict.fromkeys((T1, T2), "amounts-do-not-add-up")
    assert less == Finding("ambiguous", "references-cover", rejected=wrong)
    assert unheard == Finding("unknown", "references-cover")


def test_a_payment_for_several_is_not_for_one_that_is_paid_already() -> None:
    cent = replace(OTHER, announced_fen=1, open_fen=1)

    paid_one = judge(part(100, T1, T2), Evidence(referred=[CLAIM, paid(OTHER, 100)]))
    tiny = judge(part(101, T1, T2), Evidence(referred=[CLAIM, cent]))

    assert paid_one.verdict == "ambiguous"
    assert tiny.verdict == "exact"


def test_several_transfers_of_several_payers_are_never_one_payment() -> None:
    claims = [CLAIM, replace(OTHER, origin=C)]

    finding = judge(part(200, T1, T2, payer=None), Evidence(referred=claims))

    wrong = dict.fromkeys((T1, T2), "several-payers")
    assert finding == Finding("ambiguous", "reference", rejected=wrong)


@pytest.mark.parametrize("agrees", ["exact", "latin", "damaged"])
def test_payer_name_and_amount_match_where_they_are_unique(agrees: str) -> None:
    finding = judge(part(100), Evidence(alike=[Candidate(CLAIM, agrees)]))

    assert finding == Finding("exact", "payer-name-amount", ((CLAIM, 100),))


@pytest.mark.parametrize("agrees", ["homophone", "order", "typo", "unread"])
def test_a_name_that_may_be_another_persons_asks(agrees: str) -> None:
    finding = judge(part(100), Evidence(alike=[Candidate(CLAIM, agrees)]))

    why = {T1: f"name-{agrees}"}
    assert finding == Finding("ambiguous", "payer-name-amount", rejected=why)


@pytest.mark.parametrize(
    ("alike", "rivals", "verdict", "why"),
    [
        ([Candidate(CLAIM, "exact"), Candidate(OTHER, "exact")], 0, "ambiguous", "twin"),
        ([Candidate(CLAIM, "exact"), Candidate(OTHER, "typo")], 0, "ambiguous", "twin"),
        ([Candidate(CLAIM, "exact"), Candidate(paid(OTHER, 100), "exact")], 0, "ambiguous", "twin"),
        ([Candidate(CLAIM, "exact")], 1, "ambiguous", "twin-receipt"),
        ([Candidate(paid(CLAIM, 100), "exact")], 0, "duplicate", "already-paid"),
        ([Candidate(replace(CLAIM, reserved_fen=100), "exact")], 0, "duplicate", "already-paid"),
    ],
)
def test_without_a_reference_nothing_doubtful_is_matched(
    alike: Sequence[Candidate], rivals: int, verdict: Verdict, why: str
) -> None:
    finding = judge(part(100), Evidence(alike=alike, rivals=rivals))

    rejected = {candidate.claim.transfer: why for candidate in alike}
    assert finding == Finding(verdict, "payer-name-amount", rejected=rejected)


@pytest.mark.parametrize(
    ("alike", "payer"),
    [([], A), ([Candidate(CLAIM, None)], A), ([Candidate(CLAIM, "exact")], None)],
)
def test_without_a_reference_a_name_or_a_payer_nothing_is_known(
    alike: Sequence[Candidate], payer: str | None
) -> None:
    assert judge(part(100, payer=payer), Evidence(alike=alike)) == Finding("unknown", "none")


def test_a_name_that_does_not_agree_is_no_twin() -> None:
    alike = [Candidate(OTHER, None), Candidate(CLAIM, "exact")]

    assert reserved(judge(part(100), Evidence(alike=alike))) == [(T1, 100)]


@pytest.mark.parametrize(
    ("text", "name", "kind"),
    [
        ("张伟 医保个人账户", "张伟", "exact"),
        ("ZHANG WEI", "张伟", "latin"),
        ("医保ZHANG WEI个人账户", "张伟", "latin"),
        ("张薇", "张伟", "homophone"),
        ("张?明", "张晓明", "damaged"),
        ("张明晓", "张晓明", "order"),
        ("张大明", "张晓明", "typo"),
        ("李明华", "李明", None),
        ("王芳", "张伟", None),
        (None, "张伟", "unread"),
        ("张伟", None, "unread"),
    ],
)
def test_how_a_name_agrees(text: str | None, name: str | None, kind: str | None) -> None:
    assert agreement(text, name) == kind


@pytest.mark.parametrize(
    ("payee", "expected", "other"),
    [
        ("李娜", ["张伟"], True),
        ("张伟", ["张伟"], False),
        ("张薇", ["张伟"], False),
        ("", ["张伟"], False),
        ("李娜", [None], False),
        ("李娜", [], False),
    ],
)
def test_a_payee_field_with_another_name_is_somebody_else(
    payee: str,
    expected: list[str | None],
    other: bool,  # noqa: FBT001 - parametrised
) -> None:
    assert is_other_person(payee, expected) is other
