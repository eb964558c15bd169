"""`ludo-proxy doctor` on deployments that are well, and on some that are not."""

import base64
import dataclasses
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from redis.asyncio import Redis

from cli.doctor import store, work
from cli.doctor.command import DoctorOptions, examine
from cli.doctor.findings import Finding, Level
from cli.doctor.probe import Probe
from cli.doctor.round_trip import RoundTrip
from cli.doctor.settings import look_at_settings
from ludo import tasks
from ludo.store import keys
from ludo.store.letters import DeadLetters
from ludo.store.scripts import Scripts
from ludo.upstream.config import WebhookConfig
from ludo.upstream.keyring import SigningKey
from proxy.app import create_app
from tests.e2e.demos import clean_environ, ludo_proxy
from tests.proxy.builders import serving, settings
from tests.sandbox.builders import KEY, a_sandbox
from tests.workers.builders import GAME, a_bench, a_history
from tests.workers.test_tuning import made

SECRET = "whsec_" + base64.b64encode(b"d" * 32).decode()
OTHER = "whsec_" + base64.b64encode(b"o" * 32).decode()
OPTIONS = DoctorOptions(probe=False, url="http://127.0.0.1:9/webhooks/ludo", as_json=False)
WELL = {"LUDO_AUTH": "open", "LUDO_API_KEY": KEY, "LUDO_WEBHOOK_SECRETS": SECRET}


def to_mend(findings: list[Finding]) -> dict[str, str]:
    """What is to be mended, with what was seen."""
    return {each.part: each.detail for each in findings if each.level is Level.FINDING}


async def alive(redis: Redis) -> None:
    """A worker has just shown itself."""
    await redis.set(keys.WORKERS_ALIVE, "j_complete=0", ex=6)


async def test_a_deployment_that_is_well(redis: Redis, redis_url: str) -> None:
    """Everything is seen, and nothing is to be mended."""
    await alive(redis)
    bench = a_bench(redis)
    await bench.accept(a_history()[:5])
    await bench.applier.apply(GAME)
    async with a_sandbox() as http:
        environ = WELL | {"REDIS_URL": redis_url, "LUDO_API_BASE_URL": f"{http.base_url}/v1"}
        findings = await examine(OPTIONS, environ)

    assert to_mend(findings) == {}
    assert {each.part for each in findings} == {
        *("proxy settings", "worker settings", "api key", "webhook secrets", "redis", "durability"),
        *("memory", "redis clock", "workers", "backlog", "dead letters", "conservation"),
        *("upstream", "upstream clock"),
    }


@pytest.mark.parametrize(
    ("change", "part", "words"),
    [
        ({"LUDO_API_KEY": "wrong"}, "upstream", "answers 401"),
        ({"LUDO_API_BASE_URL": "http://127.0.0.1:9/v1"}, "upstream", "gives no answer"),
        ({"LUDO_API_KEY": ""}, "api key", "LUDO_API_KEY is unset"),
        ({"LUDO_WEBHOOK_SECRETS": ""}, "webhook secrets", "every delivery is refused"),
        ({"LUDO_AUTH": "required"}, "proxy settings", "LUDO_JWT_SECRET"),
        ({"LUDO_GAP_WAIT": "soon"}, "worker settings", "LUDO_GAP_WAIT"),
    ],
)
async def test_a_wrong_setting_is_found(
    redis: Redis, redis_url: str, change: dict[str, str], part: str, words: str
) -> None:
    """Each is named with what was seen and has an advice."""
    await alive(redis)
    async with a_sandbox() as http:
        environ = WELL | {"REDIS_URL": redis_url, "LUDO_API_BASE_URL": f"{http.base_url}/v1"}
        findings = await examine(OPTIONS, environ | change)

    assert words in to_mend(findings)[part]
    assert all(each.advice for each in findings if each.level is Level.FINDING)


async def test_what_the_workers_left_is_found(redis: Redis) -> None:
    """No worker, a game that is overdue, a dead letter, and events that vanished."""
    await redis.zadd(keys.DUE, {GAME: time.time() * 1000 - 60_000})
    await redis.xadd(keys.DEAD_LETTERS, {"v": "1", "cause": "illegal"})
    await redis.hset(keys.COUNTERS, mapping={"accepted:webhook": 3, "outcome:dead:webhook": 1})

    found = [
        await work.look_at_workers(redis),
        await work.look_at_backlog(redis),
        await work.look_at_dead_letters(DeadLetters(redis, Scripts(redis))),
        *await work.look_at_accounts(redis),
    ]

    told = to_mend(found)
    assert list(told) == ["workers", "backlog", "dead letters", "conservation"]
    assert GAME in told["backlog"]
    assert "2 unaccounted for" in told["conservation"]


async def test_a_volatile_redis_is_found_unless_it_is_accepted(redis: Redis) -> None:
    """What somebody chose is worth a note, not a complaint."""
    await redis.config_set("maxmemory-policy", "allkeys-lru")
    try:
        strict = await store.look_at_durability(redis, allow_volatile=False)
        accepted = await store.look_at_durability(redis, allow_volatile=True)
    finally:
        await redis.config_set("maxmemory-policy", "noeviction")

    assert (strict.level, accepted.level) == (Level.FINDING, Level.NOTE)


@pytest.mark.parametrize(
    ("not_after", "level"),
    [("2026-01-01T00:00:00Z", Level.FINDING), ("2099-01-01T00:00:00Z", Level.OK)],
)
def test_keys_that_ended_are_found(not_after: str, level: Level) -> None:
    """A ring without a key for the present refuses every delivery."""
    ring = f'[{{"key": "{SECRET}", "not_after": "{not_after}"}}]'
    findings = look_at_settings(WELL | {"LUDO_WEBHOOK_SECRETS": ring}, 1_800_000_000)

    assert [each.level for each in findings if each.part == "webhook secrets"] == [level]


async def probed(redis: Redis, redis_url: str, **change: Any) -> Finding:
    """What a probe finds of a proxy that verifies with SECRET."""
    whole = settings(redis_url)
    secrets = WebhookConfig(secrets=SecretStr(SECRET))
    app = create_app(dataclasses.replace(whole, webhooks=secrets), redis_url=redis_url)
    async with serving(app) as http:
        parts: dict[str, Any] = {
            "http": http,
            "redis": redis,
            "url": "http://proxy/webhooks/ludo",
            "key": SigningKey.parse(SECRET),
        }
        return await Probe(**parts | change).send()


async def test_a_probe_goes_the_whole_way(redis: Redis, redis_url: str) -> None:
    """It is accepted, filtered and counted, and nothing is left of it but that."""
    found = await probed(redis, redis_url)

    assert found.level is Level.OK, found
    counted = {name.decode(): int(n) for name, n in (await redis.hgetall(keys.COUNTERS)).items()}
    assert counted == {"accepted:webhook": 1, "outcome:filtered:webhook": 1}
    assert await redis.zcard(keys.DUE) == 0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"key": SigningKey.parse(OTHER)}, "answers 401"),
        ({"http": httpx.AsyncClient(), "url": "http://127.0.0.1:9/"}, "gives no answer"),
    ],
)
async def test_a_probe_that_does_not_arrive_says_why(
    redis: Redis, redis_url: str, change: dict[str, Any], words: str
) -> None:
    """Other secrets, or nobody there."""
    found = await probed(redis, redis_url, **change)

    assert words in found.detail
    assert found.advice


async def test_a_worker_is_probed_there_and_back(redis: Redis, redis_url: str) -> None:
    """A game that nobody plays is claimed and committed; upstream is not asked, nothing counts."""
    async with AsyncExitStack() as parts:
        worker = await made(parts, redis_url)
        await parts.enter_async_context(tasks.beside("polling", worker.main()))
        found = await RoundTrip(redis, Scripts(redis), within=30).send()
        await worker.drain(5)

    assert found.level is Level.OK, found
    assert await redis.hgetall(keys.COUNTERS) == {}
    assert await redis.zcard(keys.DUE) == 0


async def test_a_probe_that_no_worker_takes_is_found(redis: Redis) -> None:
    """With what to do about it."""
    found = await RoundTrip(redis, Scripts(redis), within=0.05).send()

    assert "no worker took a job" in found.detail
    assert found.advice


@pytest.mark.e2e
async def test_without_a_store_it_cannot_look(tmp_path: Path) -> None:
    """One line, and an exit code that is neither well nor ill."""
    environ = clean_environ(REDIS_URL="redis://127.0.0.1:9/0")
    ran = await ludo_proxy("doctor", "--json", cwd=tmp_path, environ=environ)

    assert ran.code == 2
    assert ran.out == ""
    assert ran.err.startswith("ludo-proxy: REDIS_URL: expected a Redis that answers")
    assert ran.err.count("\n") == 1
