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
from services.settlement.states import Claim, Part
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
    ("amount_fen", "claim", "verdict"),
    [
        (100, CLAIM, "exact"),
        (60, CLAIM, "short"),
        (130, CLAIM, "over"),
        (40, paid(CLAIM, 60), "partial"),
        (30, paid(CLAIM, 60), "partial"),
        (50, paid(CLAIM, 60), "over"),
        (100, paid(CLAIM, 100), "duplicate"),
        (100, replace(CLAIM, reserved_fen=100), "duplicate"),
    ],
)
def test_a_reference_decides_and_the_amount_gives_the_verdict(
    amount_fen: int, claim: Claim, verdict: str
) -> None:
    finding = judge(part(amount_fen, T1), Evidence(referred=[claim]))

    assert finding.verdict == verdict
    assert reserved(finding) == [(T1, amount_fen)]


def test_a_reference_that_is_not_announced_yet_waits_even_if_a_name_would_fit() -> None:
    finding = judge(part(100, T3), Evidence(alike=[Candidate(CLAIM, "exact")]))

    assert (finding.verdict, finding.reserved) == ("unknown", ())


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

    assert (finding.verdict, finding.reserved) == ("ambiguous", ())
    assert finding.rejected == {T1: why}


def test_a_payment_for_several_transfers_must_cover_them_exactly() -> None:
    both = Evidence(referred=[CLAIM, OTHER])

    exact = judge(part(200, T1, T2), both)
    less = judge(part(199, T1, T2), both)
    unheard = judge(part(200, T1, T3), Evidence(referred=[CLAIM]))

    assert reserved(exact) == [(T1, 100), (T2, 100)]
    assert (less.verdict, less.reserved) == ("ambiguous", ())
    assert (unheard.verdict, unheard.reserved) == ("unknown", ())


def test_several_transfers_of_several_payers_are_never_one_payment() -> None:
    claims = [CLAIM, replace(OTHER, origin=C)]

    finding = judge(part(200, T1, T2, payer=None), Evidence(referred=claims))

    assert (finding.verdict, finding.reserved) == ("ambiguous", ())


@pytest.mark.parametrize("agrees", ["exact", "latin", "damaged"])
def test_payer_name_and_amount_match_where_they_are_unique(agrees: str) -> None:
    finding = judge(part(100), Evidence(alike=[Candidate(CLAIM, agrees)]))

    assert finding.verdict == "exact"
    assert reserved(finding) == [(T1, 100)]


@pytest.mark.parametrize("agrees", ["homophone", "order", "typo", "unread"])
def test_a_name_that_may_be_another_persons_asks(agrees: str) -> None:
    finding = judge(part(100), Evidence(alike=[Candidate(CLAIM, agrees)]))

    assert (finding.verdict, finding.reserved) == ("ambiguous", ())


@pytest.mark.parametrize(
    ("alike", "rivals", "payer", "verdict"),
    [
        ([], 0, A, "unknown"),
        ([Candidate(CLAIM, None)], 0, A, "unknown"),
        ([Candidate(CLAIM, "exact")], 0, None, "unknown"),
        ([Candidate(CLAIM, "exact"), Candidate(OTHER, "exact")], 0, A, "ambiguous"),
        ([Candidate(CLAIM, "exact"), Candidate(OTHER, "typo")], 0, A, "ambiguous"),
        ([Candidate(CLAIM, "exact"), Candidate(paid(OTHER, 100), "exact")], 0, A, "ambiguous"),
        ([Candidate(CLAIM, "exact")], 1, A, "ambiguous"),
        ([Candidate(paid(CLAIM, 100), "exact")], 0, A, "duplicate"),
        ([Candidate(replace(CLAIM, reserved_fen=100), "exact")], 0, A, "duplicate"),
    ],
)
def test_without_a_reference_nothing_doubtful_is_matched(
    alike: Sequence[Candidate], rivals: int, payer: str | None, verdict: str
) -> None:
    finding = judge(part(100, payer=payer), Evidence(alike=alike, rivals=rivals))

    assert (finding.verdict, finding.reserved) == (verdict, ())


@pytest.mark.parametrize(
    ("text", "name", "kind"),
    [
        ("张伟 医保个人账户", "张伟", "exact"),
        ("ZHANG WEI", "张伟", "latin"),
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
