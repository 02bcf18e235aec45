"""The trial balance over what the books themselves have written in a real PostgreSQL."""

from pathlib import Path

import asyncpg

from services.settlement.app import Settlement
from services.settlement.snapshots import snapshot
from services.settlement.trial_balance import trial_balance
from shared.regions import load
from shared.sealing import Keyring
from shared.settings import read_secrets, settings
from tests.integration.drive import settle
from tests.unit.settlement_world import (
    T1,
    T2,
    A,
    B,
    C,
    announced,
    credit,
    detail,
    open_account,
    receipt,
    release_funds,
)


async def test_every_invariant_holds_in_the_middle_of_a_story_and_at_its_end(
    database: str, secrets: Path
) -> None:
    books = Settlement(load(settings().regions), Keyring(read_secrets(secrets)))
    role = {"role": "jiexu_settlement", "search_path": "settlement"}
    found = []

    async with (
        asyncpg.create_pool(database, min_size=1, max_size=2, server_settings=role) as pool,
        pool.acquire() as db,
    ):
        await settle(db, books, [open_account(A, 408412), open_account(B), release_funds()])
        found.append(trial_balance(await snapshot(pool), lambda _: True))
        money = receipt("r", detail(408512, T1, payer_region=A))
        await settle(db, books, [credit(408412), money])
        onward = announced(await settle(db, books, [release_funds(T2, at=B, to=C)]))
        found.append(trial_balance(await snapshot(pool), lambda _: True))
        await settle(db, books, [open_account(C), *onward])
        found.append(trial_balance(await snapshot(pool), lambda _: True))

    assert [(one["balanced"], one["invariants"]) for one in found] == [
        (True, dict.fromkeys(one["invariants"], True))  # type: ignore[call-overload] # a dict
        for one in found
    ]
