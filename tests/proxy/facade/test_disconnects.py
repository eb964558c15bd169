"""Callers who hang up, at any moment: nothing of what their requests held stays held."""

import asyncio
import random

import httpx
import pytest

from proxy.app import create_app
from tests.proxy.builders import open_log, serving, settings
from tests.proxy.upstream import Upstream, data
from tests.waiting import wait_until


class Slow(Upstream):
    """Takes up to 20 ms for an answer."""

    def __init__(self, chance: random.Random) -> None:
        super().__init__()
        self._chance = chance

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0.02 * self._chance.random())
        return await super().handle_async_request(request)


async def hang_up(redis_url: str, number: int) -> None:
    """So many requests, fifty at a time, each given up at a random moment."""
    chance = random.Random(7)
    upstream = Slow(chance)
    for code in range(20):
        upstream.says("GET", f"/rooms/ROOM{code}", data({"code": code}, cache_control="no-store"))
    upstream.says("POST", "/rooms", data({"code": "NEW"}, 201))
    await open_log(redis_url)
    app = create_app(
        settings(redis_url, limit="1000000/60s"), redis_url=redis_url, transport=upstream
    )
    parts = app.state.parts
    async with serving(app) as proxy:
        await proxy.get("/v1/rooms/ROOM1")
        before = len(asyncio.all_tasks())

        async def one() -> None:
            code = chance.randrange(25)
            asked = (
                proxy.get(f"/v1/rooms/ROOM{code}")
                if code < 20
                else proxy.post("/v1/rooms", json={}, headers={"Idempotency-Key": f"k{code}"})
            )
            task = asyncio.create_task(asked)
            await asyncio.sleep(0.05 * chance.random())
            task.cancel()
            await asyncio.wait({task})

        for _ in range(number // 50):
            await asyncio.gather(*(one() for _ in range(50)))
        sender = parts.client._sender
        await wait_until(lambda: sender._slots._value == sender._timeouts.connections, 20)
        await wait_until(lambda: not parts.facade.reader._flights, 20)
        await wait_until(lambda: len(asyncio.all_tasks()) <= before, 20)
        assert len(parts.permits._leases) <= parts.permits._ahead
        assert (await proxy.get("/v1/rooms/ROOM1")).status_code == 200
        posted = await proxy.post("/v1/rooms", json={}, headers={"Idempotency-Key": "k21"})
        assert posted.status_code == 201


async def test_who_hangs_up_leaves_nothing_behind(redis_url: str) -> None:
    """Connections, flights, permits and tasks are as before, and keys are not locked."""
    await hang_up(redis_url, 300)


@pytest.mark.prove
@pytest.mark.timeout(900)
async def test_ten_thousand_who_hang_up_leave_nothing_behind(redis_url: str) -> None:
    """The same ten thousand times."""
    await hang_up(redis_url, 10_000)
