"""Nothing costs before a signature has been verified."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from redis.asyncio import Redis

from ludo.store.batching import BatchedScripts
from ludo.store.rejected import Rejected, RejectedRing
from ludo.tasks import beside
from proxy.webhooks import evidence as module
from proxy.webhooks import examining
from proxy.webhooks.evidence import Evidence
from tests.waiting import wait_until
from tests.webhooks.builders import NOW, OTHER, SECRET, a_receiver, an_intake, bytes_of
from tests.workers.builders import a_history

FIRST = bytes_of(a_history()[0])
MARK = "everything before this"


@asynccontextmanager
async def overheard(redis_url: str) -> AsyncIterator[list[str]]:
    """Every command that Redis gets while the block runs, by MONITOR."""
    heard: list[str] = []
    async with (
        Redis.from_url(redis_url) as asker,
        Redis.from_url(redis_url) as listener,
        listener.monitor() as monitor,
    ):
        yield heard
        await asker.echo(MARK)
        async with asyncio.timeout(10):
            async for command in monitor.listen():
                if MARK in command["command"]:
                    return
                heard.append(command["command"])


BAD: list[tuple[bytes, dict[str, str]]] = [
    (FIRST, {"secret": OTHER}),
    (FIRST, {"webhook_signature": "v1,"}),
    (FIRST, {"webhook_signature": "v1a," + "A" * 86 + "=="}),
    (FIRST, {"webhook_timestamp": "0"}),
    (FIRST, {"webhook_id": ""}),
    (b"\xff" * 1_000, {"secret": OTHER}),
    (b"[" * 100_000, {"secret": OTHER}),
    (b"x" * 300_000, {}),
    (FIRST, {"content_type": "text/html"}),
    (FIRST, {"content_encoding": "gzip"}),
]


@pytest.mark.parametrize(("body", "changed"), BAD)
async def test_a_bad_delivery_asks_redis_for_nothing(
    redis: Redis, redis_url: str, body: bytes, changed: dict[str, str]
) -> None:
    """Not for a dedup, a quota or a counter: what strangers send is free for the store."""
    scripts = BatchedScripts(redis)
    intake = an_intake(redis, quota="100/60s", scripts=scripts)
    async with (
        beside("accepting", scripts.serve()),
        a_receiver(intake) as receiver,
        overheard(redis_url) as heard,
    ):
        for _ in range(10):
            answer = await receiver.deliver(body, **changed)  # type: ignore[arg-type]
            assert 400 <= answer.status_code < 500
    assert heard == []


async def test_a_genuine_delivery_is_overheard(redis: Redis, redis_url: str) -> None:
    """So the silence of the others means something."""
    async with a_receiver(an_intake(redis)) as receiver, overheard(redis_url) as heard:
        await receiver.deliver(FIRST)
    assert any("XADD" in command for command in heard)


async def test_nothing_of_a_forged_body_is_parsed(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The parser never sees what nobody signed; for a genuine body it is asked once."""
    seen: list[bytes] = []
    parse = examining.parse_event

    def parse_event(body: bytes) -> object:
        seen.append(body)
        return parse(body)

    monkeypatch.setattr(examining, "parse_event", parse_event)
    async with a_receiver(an_intake(redis)) as receiver:
        for body, changed in BAD:
            await receiver.deliver(body, **changed)  # type: ignore[arg-type]
        assert seen == []
        await receiver.deliver(FIRST)
    assert seen == [FIRST]


async def test_a_flood_is_evidence_at_ten_a_second(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bounded in memory and in writes; what is too much is counted."""
    evidence = Evidence(RejectedRing(redis))
    for number in range(module.QUEUED + 50):
        refused = Rejected.of("too-old", {"webhook-id": str(number)}, b"{}", NOW)
        evidence.note(refused)
    assert (evidence.noted, evidence.dropped) == (module.QUEUED, 50)
    assert module.PAUSE_S >= 0.1

    monkeypatch.setattr(module, "PAUSE_S", 60)
    async with beside("evidence", evidence.run()):
        await wait_until(lambda: evidence.noted < module.QUEUED)
        await redis.ping()
        assert evidence.noted == module.QUEUED - 1


async def test_no_secret_is_written_anywhere(
    redis: Redis, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither in Redis, nor in a log, nor in an answer, whatever is delivered."""
    intake = an_intake(redis)
    async with beside("evidence", intake.evidence.run()), a_receiver(intake) as receiver:
        answers = [
            await receiver.deliver(FIRST),
            await receiver.deliver(FIRST, secret=OTHER),
            await receiver.deliver(b"not json", webhook_id="msg_2"),
        ]
        await wait_until(lambda: _kept(redis))
    stored = [await redis.dump(key) for key in await redis.keys()]
    told = "".join(capsys.readouterr()) + "".join(answer.text for answer in answers)

    for secret in (SECRET, OTHER):
        text = secret.removeprefix("whsec_")
        assert text not in told
        assert not any(text.encode() in each or b"k" * 32 in each for each in stored)


async def _kept(redis: Redis) -> bool:
    return await RejectedRing(redis).count() == 2
