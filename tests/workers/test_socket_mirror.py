"""A deployment without webhooks: upstream's WebSocket alone keeps the mirrors true."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from redis.asyncio import Redis

from ludo import tasks
from ludo.store.config import StoreConfig
from ludo.store.counters import accounts, read_counters
from ludo.store.games import GameReader
from ludo.upstream.config import UpstreamConfig
from tests.redis_servers import PrivateRedis
from tests.sandbox.builders import KEY, a_sandbox, data
from tests.waiting import wait_until
from workers.config import WorkerConfig, WorkerSettings
from workers.main import make_worker


def settings(sandbox: httpx.AsyncClient, folder: Path) -> WorkerSettings:
    """A worker of that sandbox, with a socket and an impatient mirror."""
    address = str(sandbox.base_url)
    return WorkerSettings(
        WorkerConfig(gap_wait=0.2, silence=2.0, rooms_every=0.3),
        StoreConfig(data_dir=folder),
        UpstreamConfig(
            api_key=SecretStr(KEY),
            base_url=f"{address}/v1",
            ws_url=f"{address}/ws".replace("http://", "ws://"),
            limit=None,
        ),
    )


def essential(body: dict[str, Any]) -> dict[str, Any]:
    """A state without `connected`, which is no part of equality."""
    players = [{**player, "connected": None} for player in body["players"]]
    return {**body, "players": players}


async def differing(sandbox: httpx.AsyncClient, redis: Redis) -> list[str]:
    """The games whose mirror is not the truth."""
    reader, found = GameReader(redis), []
    for game in await data(sandbox, "GET", "/sandbox/games"):
        truth = await data(sandbox, "GET", f"/sandbox/games/{game['gameId']}/state")
        stored = await reader.load(game["gameId"])
        if stored is None or essential(stored.body) != essential(truth):
            found.append(game["gameId"])
    return found


async def mirrored(server: PrivateRedis, games: int, speed: float, faults: str) -> dict[str, int]:
    """Plays games that are told by socket only, waits for the truth; the counters."""
    async with AsyncExitStack() as parts:
        redis = await parts.enter_async_context(Redis.from_url(server.url))
        sandbox = await parts.enter_async_context(
            a_sandbox(games=games, total=games, speed=speed, faults=faults, longest_delay=0.05)
        )
        worker = await make_worker(parts, server.url, settings(sandbox, server.place.folder))
        await parts.enter_async_context(tasks.beside("polling", worker.main()))

        async def done() -> bool:
            return bool((await data(sandbox, "GET", "/sandbox/idle"))["done"])

        async def equal() -> bool:
            return not await differing(sandbox, redis)

        await wait_until(done, 300)
        await wait_until(equal, 60)
        counters = dict(await read_counters(redis))
        stats = await data(sandbox, "GET", "/sandbox/deliveries/stats")
        assert stats["acknowledged"] == 0, "a webhook was delivered"
        assert stats["faults"].get("socket_cut", 0) > 0
        await worker.drain(5)
        return counters


@pytest.mark.timeout(180)
async def test_socket_cut_in_mid_game_leaves_the_mirror_equal_to_the_truth(
    redis_server: PrivateRedis,
) -> None:
    """Cut, late and doubled frames: every mirror is the truth, and every event has an outcome."""
    faults = "socket_cut=0.02,socket_late=0.05,socket_twice=0.05"
    counted = await asyncio.wait_for(mirrored(redis_server, 2, 60, faults), 170)

    assert counted["outcome:applied:socket"] > 0
    assert counted["repaired:reconnect"] > 0
    assert [account.source for account in accounts(counted)] == ["socket"]
    assert [account.unaccounted for account in accounts(counted)] == [0]


@pytest.mark.prove
@pytest.mark.timeout(900)
async def test_many_games_by_socket_only(redis_server: PrivateRedis) -> None:
    """Twenty games, with an upstream that fails, resets and is slow as well."""
    counted = await mirrored(redis_server, 20, 20, "all,socket_cut=0.02,dropped=0,forged=0")

    assert [account.unaccounted for account in accounts(counted)] == [0]
