"""Interest that was reckoned wrongly: two people of the origin correct it, and nothing else."""

import pytest

from shared.decision import Unexpected
from shared.messages.settlement import FundsCorrected
from shared.messages.settlement_compensation import ActDeclined, AdvanceAdjusted
from shared.messages.settlement_interest import CorrectInterest
from tests.unit.interest_world import holder, postings, spent, world
from tests.unit.settlement_world import PERSON, T1, T2, A, B, World, announced, only, release_funds


def correct(interest_fen: int, **others: object) -> CorrectInterest:
    by = {"proposed_by": "chen", "approved_by": "li", "reason": "error"}
    given = {
        "to": A,
        "person": PERSON,
        "transfer": T1,
        "interest_fen": interest_fen,
        **by,
        **others,
    }
    return CorrectInterest.model_validate(given)


def released() -> World:
    """4084.12 with interest of 3.57, advanced at B."""
    books = world()
    books.wait(90)
    books.send(*announced(books.send(release_funds())))
    return books


def test_more_interest_is_owed_and_credited_as_interest() -> None:
    books = released()

    said = books.send(correct(400))

    event = only(FundsCorrected, said)
    assert (event.version, event.delta_fen, event.interest_fen) == (2, 43, 43)
    assert postings(books, A, "correct-interest") == ["interest > personal 43"]
    assert postings(books, A, "release")[-1] == f"personal > payable:{B} 43"
    release = books.release()
    assert (release.principal_fen, release.interest_fen) == (408412, 400)
    assert release.released_fen == release.payable_fen == 408812
    books.send(*announced(said))
    assert books.balance(B) == books.claim().open_fen == 408812


def test_less_interest_is_taken_back_and_the_principal_stays() -> None:
    books = released()

    said = books.send(correct(300))

    event = only(FundsCorrected, said)
    assert (event.version, event.delta_fen, event.interest_fen) == (2, -57, 57)
    assert postings(books, A, "correct-interest") == ["personal > interest 57"]
    assert books.account(A, "interest") == 300
    adjusted = only(AdvanceAdjusted, books.send(*announced(said)))
    assert adjusted.unspent_fen == 57
    assert books.balance(B) == books.account(A, f"payable:{B}") == 408712
    assert books.balance(A) == holder(books, A).accrued == 0


def test_what_was_spent_of_it_is_owed_by_the_person() -> None:
    books = released()
    books.send(spent(B, 408769))

    books.send(*announced(books.send(correct(0))))

    assert books.claim().recoverable_fen == 357
    assert books.account(A, "interest") == 0


def test_the_same_figure_again_changes_nothing() -> None:
    books = released()
    books.send(correct(400))

    said = books.send(correct(400))

    assert only(ActDeclined, said).code == "nothing_to_correct"
    assert books.release().version == 2


def test_it_takes_two_people_and_a_release() -> None:
    books = released()

    with pytest.raises(Unexpected, match="two people"):
        books.send(correct(400, approved_by="chen"))
    with pytest.raises(Unexpected, match="nothing was released"):
        books.send(correct(400, transfer=T2))
    with pytest.raises(Unexpected, match="nothing was released"):
        books.send(correct(-1))
