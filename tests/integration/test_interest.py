"""Interest on the real store: kept with every movement, credited once, made again, explained."""

from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path

import asyncpg
import pytest

from services.settlement.app import Settlement
from services.settlement.closing import queries, replay
from shared.messages.settlement import AdvanceFunded, Contribute, FundsReleased
from shared.messages.settlement_interest import CorrectInterest, InterestCredited, SettleInterest
from shared.messages.settlement_people import Propose
from shared.sealing import Keyring
from shared.settings import Settings, read_secrets
from tests.integration.desk import Desk, desk_at
from tests.integration.drive import START, connect
from tests.integration.test_replay import Story
from tests.unit.interest_world import earning
from tests.unit.settlement_world import (
    PERSON,
    T1,
    A,
    B,
    announced,
    detail,
    only,
    open_account,
    receipt,
    release_funds,
    some_id,
)

RATES = earning(A=35, B=20)
YEAR_END = date(2026, 12, 31)


@pytest.fixture
async def story(database: str, secrets: Path) -> AsyncIterator[Story]:
    db = await connect(database)
    yield Story(db, Settlement(RATES, Keyring(read_secrets(secrets))))
    await db.close()


@pytest.fixture
async def desk(database: str, tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk_at(database, tmp_path) as one:
        one.regions = RATES
        yield one


async def live(story: Story) -> None:
    """Opened, paid in, released and advanced, made real; and the year ends at B."""
    await story.send(open_account(A, 1_000_000), open_account(B))
    paid_in = Contribute(to=A, person=PERSON, record=some_id("paid in"), amount_fen=50_000)
    await story.send(paid_in, at=START + timedelta(days=20))
    then = START + timedelta(days=90)
    released = await story.send(release_funds(), at=then)
    event = only(FundsReleased, released)
    fen_days = 1_000_000 * 20 + 1_050_000 * 70
    assert event.interest_fen == round(fen_days * 35 / 3_600_000) == 909
    await story.send(*announced(released), at=then)
    funded = await story.send(
        receipt("r", detail(event.owed_fen, T1, payer_region=A)), at=then + timedelta(days=9)
    )
    assert only(AdvanceFunded, funded).matched_fen == 1_050_909
    due = START.replace(year=2027, month=1, day=1, hour=0)
    settle = SettleInterest(to=B, person=PERSON, on=YEAR_END)
    credited = only(InterestCredited, await story.send(settle, settle, at=due))
    days = (date(2027, 1, 1) - then.date()).days
    assert credited.amount_fen == round(1_050_909 * days * 20 / 3_600_000) == 1_249


async def test_interest_is_kept_credited_once_and_the_books_balance(
    story: Story, desk: Desk
) -> None:
    await live(story)

    told = (await desk.ask("GET", "/v1/trial-balance")).json()
    holders = {row["region"]: row for row in await story.db.fetch("SELECT * FROM holders")}

    assert told["balanced"], told["invariants"]
    assert [line["unexplained"] for line in told["mirror"]] == ["0.00"]
    assert (holders[A]["accrued"], holders[B]["accrued"]) == (0, 0)
    assert holders[B]["settles_on"] == date(2027, 12, 31)
    assert await story.db.fetchval("SELECT count(*) FROM reckonings") == 2


async def test_the_messages_make_the_same_interest_again(story: Story, database: str) -> None:
    await live(story)

    upto = await replay.mark(story.db)
    settings = Settings(database=database)
    found = await replay.replay(settings, story.service, story.sorted_lines(), upto)

    assert found.examples == []
    assert (found.differences, found.refused) == (0, 0)


async def test_a_reckoning_is_for_ever(story: Story) -> None:
    await live(story)

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await story.db.execute("UPDATE reckonings SET amount_fen = 1")


async def test_a_clerk_is_shown_how_interest_came_about(story: Story, desk: Desk) -> None:
    await live(story)

    told = (await desk.ask("POST", "/v1/explain", json={"transfer": str(T1)})).json()
    year = await story.db.fetchval("SELECT entry FROM reckonings WHERE region = $1", B)
    entry = (await desk.ask("POST", "/v1/explain", json={"id": str(year)})).json()

    first, second = told["interest"][0]["stretches"]
    assert (first["balance"], first["days"], first["fen_days"]) == ("10000.00", 20, 20_000_000)
    assert (second["balance"], second["days"], second["rate_bp"]) == ("10500.00", 70, 35)
    assert (told["interest"][0]["fen"], told["interest"][0]["amount"]) == ("909.0277", "9.09")
    assert [one["agrees"] for one in (*told["interest"], *entry["interest"])] == [True, True]
    assert entry["interest"][0]["amount"] == "12.49"


async def test_what_accrued_is_compared_with_the_postings(story: Story, desk: Desk) -> None:
    await live(story)
    more = Contribute(to=B, person=PERSON, record=some_id("more"), amount_fen=7)
    await story.send(more, at=START.replace(year=2027))
    assert await story.db.fetchval("SELECT accrued FROM holders WHERE region = $1", B) > 0

    sound = await queries.interest_misfits(story.db, RATES)
    await desk.owner.execute(
        "UPDATE settlement.holders SET accrued = accrued + 1 WHERE region = $1", B
    )

    assert (sound, await queries.interest_misfits(story.db, RATES)) == (0, 1)


async def test_an_account_in_which_nothing_ever_was_has_accrued_nothing(
    story: Story, desk: Desk
) -> None:
    await story.send(open_account(B, 0))

    sound = await queries.interest_misfits(story.db, RATES)
    await desk.owner.execute("UPDATE settlement.holders SET accrued = 1")

    assert (sound, await queries.interest_misfits(story.db, RATES)) == (0, 1)


async def test_two_people_correct_the_interest_of_a_release(story: Story, desk: Desk) -> None:
    await live(story)
    asked = CorrectInterest(
        to=A,
        person=PERSON,
        transfer=T1,
        interest_fen=1_000,
        proposed_by="chen",
        approved_by="li",
        reason="error",
    )
    corrected = await story.send(asked, at=START.replace(year=2027))
    await story.send(*announced(corrected), at=START.replace(year=2027))

    told = (await desk.ask("GET", "/v1/trial-balance")).json()
    released = await story.db.fetchrow("SELECT * FROM releases")

    assert told["balanced"], told["invariants"]
    assert [line["unexplained"] for line in told["mirror"]] == ["0.00"]
    said, since = released["interest_fen"], released["corrected_fen"]
    assert (released["principal_fen"], said, since) == (1_050_000, 909, 91)
    assert await queries.interest_misfits(story.db, RATES) == 0


async def test_who_names_no_region_proposes_it_to_the_origin(story: Story, desk: Desk) -> None:
    await live(story)
    desk.who = {"holder": "chen", "roles": frozenset({"clerk"})}
    fields = {"transfer": str(T1), "interest": "10.00"}
    body = {"act": "settlement.correct-interest", "fields": fields, "reason": "error"}

    answer = await desk.ask("POST", "/v1/items", json=body)

    assert answer.status_code == 202, answer.text
    [proposed] = desk.messages
    assert isinstance(proposed, Propose)
    assert (proposed.to, proposed.body["to"], proposed.body["person"]) == (A, A, PERSON)


async def test_the_months_views_have_the_interest_as_memorandum(story: Story, desk: Desk) -> None:
    await live(story)

    cash = (await desk.ask("GET", f"/v1/statutory?region={A}&month=2026-06")).json()
    month = (await desk.ask("GET", f"/v1/reports?region={B}&month=2027-01")).json()

    assert cash["balanced"]
    assert cash["memorandum"]["interest"] == "9.09"
    assert month["regions"][0]["interest"] == "12.49"
