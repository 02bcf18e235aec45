"""What leaves on a channel: files that outlast a power cut, answers that tell what became of it."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import date
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from services.notification import channels
from services.notification.channels import Addressed, FileOutbox, Result, Webhook
from tests.unit.letter_stories import AT

DAY, RUN, FIRST = date(2026, 3, 2), UUID(int=7), UUID(int=0)
Gateway = Callable[[httpx.Request], Coroutine[None, None, httpx.Response]]


def addressed(n: int) -> Addressed:
    about = None, "accepted", "450100", "您好", "Dear", AT
    return Addressed(UUID(int=n), RUN, 0, DAY, "app", "张伟", "", *about)


async def results(gateway: Gateway, count: int) -> list[Result]:
    async with httpx.AsyncClient(transport=httpx.MockTransport(gateway)) as client:
        channel = Webhook("http://gateway.invalid/letters", "", client)
        return await channel.send([addressed(n) for n in range(count)])


async def test_a_file_is_on_the_disk_under_its_name_before_its_letters_are_called_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: dict[Path, set[str]] = {}

    def sync(descriptor: int) -> None:
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        synced[path] = {one.name for one in path.iterdir()} if path.is_dir() else set()

    monkeypatch.setattr("os.fsync", sync)
    folder = tmp_path / "letters"

    await FileOutbox(folder).send([addressed(0)])

    assert folder / f"{DAY}" / f"{RUN}-0.partial" in synced
    assert synced[folder / f"{DAY}"] == {f"{RUN}-0.jsonl"}
    assert synced[folder] == {f"{DAY}"}
    assert synced[tmp_path] == {"letters"}


async def test_an_answer_that_cannot_be_read_is_the_matter_of_one_letter() -> None:
    async def gateway(request: httpx.Request) -> httpx.Response:
        if request.headers["Idempotency-Key"] != str(FIRST):
            return httpx.Response(202)
        packed = {"Content-Encoding": "gzip"}
        return httpx.Response(202, headers=packed, stream=httpx.ByteStream(b"not packed"))

    assert await results(gateway, 40) == ["again", *["sent"] * 39]


async def test_an_answer_that_never_ends_is_given_up_in_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(channels, "_TIMEOUT_SECONDS", 0.1)

    async def gateway(_: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError

    async with asyncio.timeout(10):
        assert await results(gateway, 40) == ["again"] * 40
