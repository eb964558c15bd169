"""Writes whose callers hang up while Redis is asked: the key is free, or has its answer."""

import asyncio
from typing import Any

import pytest
from redis.exceptions import TimeoutError as RedisTimeoutError

from ludo.store.batching import BatchedScripts
from proxy.facade import writing
from tests.proxy.builders import a_proxy
from tests.proxy.upstream import Upstream, data
from tests.waiting import wait_until

KEY = {"Idempotency-Key": "k-1"}


class Hold:
    """Holds the first run of one script: before it reaches Redis, or once it is done there."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, script: str, *, done: bool) -> None:
        self.reached = asyncio.Event()
        self.go_on = asyncio.Event()
        run = BatchedScripts.run

        async def held(scripts: BatchedScripts, name: str, **call: Any) -> Any:
            if name != script or self.reached.is_set():
                return await run(scripts, name, **call)
            answer = await run(scripts, name, **call) if done else None
            self.reached.set()
            await self.go_on.wait()
            return answer if done else await run(scripts, name, **call)

        monkeypatch.setattr(BatchedScripts, "run", held)
        # A key that is locked is told so at once.
        monkeypatch.setattr(writing, "BUSY_WITHIN_S", 0.0)


async def test_who_hangs_up_while_the_key_is_taken_frees_it(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Redis gave the key away and nobody heard of it: the same request may still go out."""
    upstream = Upstream()
    upstream.says("POST", "/rooms", data({"code": "NEW"}, 201))
    hold = Hold(monkeypatch, "begin_reply", done=True)
    async with a_proxy(redis_url, upstream) as proxy:
        first = asyncio.create_task(proxy.post("/v1/rooms", json={}, headers=KEY))
        await hold.reached.wait()
        first.cancel()
        hold.go_on.set()
        await asyncio.wait({first})
        again = await proxy.post("/v1/rooms", json={}, headers=KEY)
    assert first.cancelled()
    assert again.status_code == 201
    assert upstream.calls("POST", "/rooms") == 1


async def test_a_lost_answer_of_redis_locks_no_key(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Redis gave the key away and its answer never came: the same request may still go out."""
    upstream = Upstream()
    upstream.says("POST", "/rooms", data({"code": "NEW"}, 201))
    monkeypatch.setattr(writing, "BUSY_WITHIN_S", 0.0)
    run = BatchedScripts.run
    lost: list[str] = []

    async def losing(scripts: BatchedScripts, name: str, **call: Any) -> Any:
        answer = await run(scripts, name, **call)
        if name == "begin_reply" and not lost:
            lost.append(name)
            raise RedisTimeoutError("Timeout reading from socket")
        return answer

    monkeypatch.setattr(BatchedScripts, "run", losing)
    async with a_proxy(redis_url, upstream) as proxy:
        answers = [await proxy.post("/v1/rooms", json={}, headers=KEY) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [503, 201]
    assert upstream.calls("POST", "/rooms") == 1


async def test_who_hangs_up_while_the_answer_is_kept_does_not_lose_it(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The write was made: whoever asks again is told its answer, and it is not made twice."""
    upstream = Upstream()
    upstream.says("POST", "/rooms", data({"code": "NEW"}, 201))
    hold = Hold(monkeypatch, "end_reply", done=False)
    async with a_proxy(redis_url, upstream) as proxy:
        first = asyncio.create_task(proxy.post("/v1/rooms", json={}, headers=KEY))
        await hold.reached.wait()
        first.cancel()
        await asyncio.wait({first})
        hold.go_on.set()

        async def replayed() -> bool:
            again = await proxy.post("/v1/rooms", json={}, headers=KEY)
            return "idempotency-replayed" in again.headers

        await wait_until(replayed)
    assert upstream.calls("POST", "/rooms") == 1
