"""The trial balance holds for sound books, and each kind of damage turns its invariant red."""

import json
from dataclasses import replace

import pytest

from services.settlement.trial_balance import (
    INVARIANTS,
    AccountRow,
    CorridorRow,
    MirrorRow,
    Snapshot,
    SuspenseRow,
    TransferRow,
    mirrored,
    trial_balance,
)

SOUND = Snapshot(
    accounts=(
        AccountRow("450100", "personal", 0, 408412),
        AccountRow("450100", "advance:410100", 408412, 0),
        AccountRow("450100", "suspense", 0, 500),
        AccountRow("450100", "bank:income", 500, 0),
        AccountRow("410100", "opening", 408412, 0),
        AccountRow("410100", "personal", 408412, 408412),
        AccountRow("410100", "payable:450100", 0, 408412),
    ),
    transfers=(TransferRow(1, heard=True), TransferRow(2, heard=False, unannounced_fen=100)),
    corridors=(CorridorRow("410100", "450100", 408412, 408412, 408412, 1, 1, 408412),),
    suspense=(SuspenseRow("450100", 500, 500),),
    mirror=(MirrorRow("410100", "450100", payable_fen=408412, claimed_fen=408412),),
)
CORRIDOR, HEALTHY = SOUND.corridors[0], SOUND.transfers[0]


def account(row: AccountRow) -> dict[str, object]:
    return {"accounts": (*SOUND.accounts, row)}


def transfer(**deviation: object) -> dict[str, object]:
    return {"transfers": (*SOUND.transfers, replace(HEALTHY, **deviation))}  # type: ignore[arg-type]


def corridor(**deviation: int) -> dict[str, object]:
    return {"corridors": (replace(CORRIDOR, **deviation),)}  # type: ignore[arg-type]


def test_sound_books_balance() -> None:
    answer = trial_balance(SOUND, lambda _: True)

    assert answer["balanced"] is True
    assert answer["invariants"] == dict.fromkeys(INVARIANTS, True)


@pytest.mark.parametrize(
    ("invariant", "damage"),
    [
        ("entries_balance", account(AccountRow("450100", "charges", 1, 0))),
        ("entitlement", transfer(unannounced_fen=1)),
        ("entitlement", transfer(unannounced_fen=-1, heard=False)),
        ("entitlement", transfer(untaken_fen=1)),
        ("entitlement", transfer(untaken_fen=-1, heard=False)),
        ("entitlement", transfer(posted_undue_fen=1)),
        ("entitlement", transfer(posted_owed_fen=-1)),
        ("entitlement", transfer(split_fen=1)),
        ("entitlement", transfer(posted_released_fen=1)),
        ("entitlement", transfer(posted_paid_out_fen=-1)),
        ("entitlement", transfer(posted_credited_fen=1)),
        ("entitlement", transfer(posted_awaiting_fen=-1)),
        ("funding", transfer(funding_fen=1)),
        ("funding", transfer(overdrawn=True)),
        ("funding", transfer(posted_matched_fen=1)),
        ("funding", transfer(posted_open_fen=-1)),
        ("funding", transfer(posted_lost_fen=1)),
        ("advances_equal_receivables", corridor(claims_fen=408411)),
        ("advances_equal_receivables", corridor(receivable_fen=408411)),
        ("advances_equal_receivables", corridor(exposure_fen=408411)),
        ("advances_equal_receivables", corridor(exposed=2)),
        ("advances_equal_receivables", corridor(aged_fen=408411)),
        ("suspense_equals_unmatched", {"suspense": (SuspenseRow("450100", 500, 499),)}),
        ("no_negative_personal", {"negative_holders": 1}),
        (
            "no_negative_personal",
            {
                "accounts": (
                    *SOUND.accounts,
                    AccountRow("450100", "payable:130100", 5, 0),
                    AccountRow("450100", "opening", 0, 5),
                )
            },
        ),
        ("balances_reproducible", {"misfits": 1}),
    ],
)
def test_damage_turns_its_own_invariant_red(invariant: str, damage: dict[str, object]) -> None:
    books = replace(SOUND, **damage)  # type: ignore[arg-type]

    failed = {name for name, check in INVARIANTS.items() if not check(books)}

    assert failed == {invariant}
    assert trial_balance(books, lambda _: True)["balanced"] is False


def test_a_bank_account_whose_past_is_unknown_may_stand_below_zero() -> None:
    rows = (
        AccountRow("410100", "bank:expense", 0, 100),
        AccountRow("410100", "remitting", 100, 100),
        AccountRow("410100", "unexplained", 100, 0),
    )

    assert INVARIANTS["no_negative_personal"](replace(SOUND, accounts=rows))


def test_amounts_are_never_negative_and_lists_are_stable() -> None:
    turned = replace(SOUND, accounts=SOUND.accounts[::-1], mirror=SOUND.mirror[::-1])

    answer = json.dumps(trial_balance(SOUND, lambda _: True))

    assert answer == json.dumps(trial_balance(turned, lambda _: True))
    assert '"-' not in answer


def test_only_visible_regions_are_shown() -> None:
    answer = trial_balance(SOUND, lambda region: region == "410100")

    assert answer["regions"].keys() == {"410100"}  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("row", "explained", "unexplained"),
    [
        (MirrorRow("1", "2", payable_fen=5, claimed_fen=5), {}, "0.00"),
        (
            MirrorRow("1", "2", payable_fen=5, unannounced_fen=5),
            {"not_heard": "0.05"},
            "0.00",
        ),
        (MirrorRow("1", "2", debited_fen=5, claimed_fen=5), {"in_transit": "0.05"}, "0.00"),
        (
            MirrorRow("1", "2", debited_fen=5, suspense_fen=5, claimed_fen=5),
            {"in_suspense": "0.05"},
            "0.00",
        ),
        (
            MirrorRow("1", "2", remitting_fen=5, matched_fen=5),
            {"received_not_debited": "0.05"},
            "0.00",
        ),
        (
            MirrorRow("1", "2", debited_fen=5, overpaid_fen=2, matched_fen=5, suspense_fen=2),
            {"in_suspense": "0.02", "overpaid": "0.02"},
            "0.00",
        ),
        (MirrorRow("1", "2", debited_fen=5, matched_fen=5, suspense_fen=1), {}, "0.00"),
        (
            MirrorRow("1", "2", payable_fen=5, matched_fen=5),
            {"received_not_instructed": "0.05"},
            "0.00",
        ),
        (
            MirrorRow("1", "2", payable_fen=9, remitting_fen=2, claimed_fen=4, matched_fen=7),
            {"received_not_debited": "0.02", "received_not_instructed": "0.05"},
            "0.00",
        ),
        (MirrorRow("1", "2", claimed_fen=5), {}, "0.05"),
        (MirrorRow("1", "2", payable_fen=5, claimed_fen=2), {}, "0.03"),
        (
            MirrorRow("1", "2", payable_fen=5, claimed_fen=3, matched_fen=5),
            {"received_not_instructed": "0.05"},
            "0.03",
        ),
        (
            MirrorRow("1", "2", payable_fen=5, matched_fen=8, unannounced_fen=-3),
            {"received_not_instructed": "0.05"},
            "0.03",
        ),
        (
            MirrorRow("1", "2", payable_fen=5, matched_fen=8),
            {"received_not_instructed": "0.05"},
            "0.03",
        ),
        (MirrorRow("1", "2", matched_fen=5, unannounced_fen=-5), {}, "0.05"),
        (
            MirrorRow("1", "2", debited_fen=7, overpaid_fen=3, matched_fen=7, owed_back_fen=3),
            {"overpaid": "0.03", "owed_back": "0.03"},
            "0.00",
        ),
        (MirrorRow("1", "2", untaken_fen=4, claimed_fen=4), {"not_taken_back": "0.04"}, "0.00"),
        (MirrorRow("1", "2", unrestored_fen=4, payable_fen=4), {"not_restored": "0.04"}, "0.00"),
        (MirrorRow("1", "2", payable_fen=4, lost_fen=4), {"written_off": "0.04"}, "0.00"),
        (MirrorRow("1", "2", waived_fen=4, claimed_fen=4), {"waived": "0.04"}, "0.00"),
    ],
)
def test_both_sides_of_a_corridor_differ_for_known_reasons(
    row: MirrorRow, explained: dict[str, str], unexplained: str
) -> None:
    answer = mirrored(row)

    assert (answer["explained"], answer["unexplained"]) == (explained, unexplained)
