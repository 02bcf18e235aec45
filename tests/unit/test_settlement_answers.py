"""What settlement answers: money is text in yuan wherever it stands, never fen."""

import json
from datetime import date
from uuid import UUID

from services.settlement import answers

TRANSFER, RECEIPT = UUID(int=1), UUID(int=2)
EVIDENCE = {
    "candidates": [{"transfer": str(TRANSFER), "available_fen": 408412, "rejected": None}],
    "returned_fen": 50,
    "rivals": 3,
}
SHOWN = {
    "candidates": [{"transfer": str(TRANSFER), "available": "4084.12", "rejected": None}],
    "returned": "0.50",
    "rivals": 3,
}
PART = {
    "receipt": RECEIPT,
    "part": 0,
    "account": "450100:income",
    "region": "450100",
    "booked_on": date(2026, 3, 20),
    "amount_fen": 408412,
    "applied_fen": 0,
    "reserved_fen": 0,
    "suspense_fen": 408412,
    "payer_region": "410100",
    "state": "unmatched",
    "verdict": "unknown",
    "rule": "none",
    "transfers": [TRANSFER],
    "evidence": json.dumps(EVIDENCE),
}


def test_the_evidence_of_a_receipt_is_in_yuan() -> None:
    answer = answers.receipt(PART)

    assert answer["evidence"] == SHOWN
    assert "_fen" not in json.dumps(answer)


def test_the_evidence_and_the_sides_of_a_transfer_are_in_yuan() -> None:
    side = {"side": "origin", "row": json.dumps({"person": "p", "released_fen": 7, "version": 1})}

    answer = answers.explained(TRANSFER, [], [PART], [side])

    assert answer["receipts"][0]["evidence"] == SHOWN
    assert answer["sides"] == [{"side": "origin", "released": "0.07", "version": 1}]
    assert "_fen" not in json.dumps(answer)


def test_a_receipt_without_evidence_shows_none() -> None:
    assert answers.receipt(PART | {"evidence": None})["evidence"] is None
