"""Interest that was reckoned wrongly: two people of the origin correct it, and nothing else."""

from typing import Any

import pytest

from services.settlement.people.states import Item, item_id
from shared.decision import Unexpected
from shared.messages import Message
from shared.messages.settlement import FundsCorrected, FundsReleased
from shared.messages.settlement_compensation import ActDeclined, AdvanceAdjusted
from shared.messages.settlement_interest import CorrectInterest
from shared.messages.settlement_people import ActRefused, Approve, Propose
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
    assert (release.principal_fen, release.earned_fen) == (408412, 400)
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


@pytest.mark.parametrize("corrections", [(400,), (300,), (0,), (400, 300), (0, 357)])
def test_what_was_said_first_is_said_again_as_it_was(corrections: tuple[int, ...]) -> None:
    books = world()
    books.wait(90)
    first = books.send(release_funds())
    books.send(*announced(first))
    versions = [only(FundsCorrected, books.send(correct(fen))) for fen in corrections]

    again = books.send(release_funds())

    assert only(FundsReleased, again) == only(FundsReleased, first)
    assert 357 + sum(version.delta_fen for version in versions) == corrections[-1]
    assert books.release().earned_fen == corrections[-1]


def test_it_takes_two_people() -> None:
    with pytest.raises(Unexpected, match="two people"):
        released().send(correct(400, approved_by="chen"))


@pytest.mark.parametrize("asked", [{"to": B}, {"transfer": T2}])
def test_where_nothing_was_released_it_is_declined(asked: dict[str, Any]) -> None:
    books = released()

    said = books.send(correct(400, **asked))

    assert only(ActDeclined, said).code == "unknown_transfer"
    assert books.release().version == 1


def test_less_than_no_interest_is_declined() -> None:
    assert only(ActDeclined, released().send(correct(-1))).code == "bad_amount"


def decided(books: World, role: str, region: str = A, interest_fen: int = 400) -> list[Message]:
    """A clerk has proposed it, and somebody with `role` approves."""
    item = item_id("interest", region, str(T1))
    about: dict[str, Any] = {"to": region, "item": item, "about": PERSON}
    body: dict[str, Any] = {
        "to": region,
        "person": PERSON,
        "transfer": str(T1),
        "interest_fen": interest_fen,
    }
    proposed = {"act": CorrectInterest.type, "body": body, "reason": "error"}
    books.send(Propose.model_validate({**about, **proposed, "by": "chen", "roles": ("clerk",)}))
    return books.send(Approve(**about, by="li", roles=(role,)))


def test_what_is_declined_is_given_back_to_whoever_proposed_it() -> None:
    books = released()

    said = decided(books, "director", region=B)

    assert only(ActRefused, said).code == only(ActDeclined, said).code == "unknown_transfer"
    [item] = books.all(Item)
    assert item.state == "open"


@pytest.mark.parametrize("interest_fen", [0, 400])
def test_whoever_approves_may_approve_anything(interest_fen: int) -> None:
    books = released()

    refused = decided(books, "supervisor", interest_fen=interest_fen)
    assert only(ActRefused, refused).code == "not_allowed"
    assert books.release().version == 1

    item = item_id("interest", A, str(T1))
    books.send(Approve(to=A, item=item, about=PERSON, by="li", roles=("director",)))
    assert books.release().earned_fen == interest_fen
    [done] = books.all(Item)
    assert done.state == "done"
