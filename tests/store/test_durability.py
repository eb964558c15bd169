"""A Redis that loses acknowledged events is not taken by accident."""

import pytest
from redis.asyncio import Redis

from ludo.store.durability import (
    Durable,
    Refused,
    Unknown,
    UpToOneSecond,
    admit,
    ask,
    judge,
    sentence,
)
from ludo.store.errors import VolatileRedis
from tests.redis_servers import PrivateRedis


def settings(**changed: str) -> dict[str, str]:
    """A durable server's answers, with some of them changed."""
    safe = {"appendonly": "yes", "appendfsync": "always", "maxmemory-policy": "noeviction"}
    return safe | {name.replace("_", "-"): value for name, value in changed.items()}


def test_synced_log_without_eviction_is_durable() -> None:
    """The recommended settings are judged to lose nothing."""
    assert judge(settings()) == Durable()


def test_sync_once_a_second_is_told_apart() -> None:
    """`everysec` is accepted, and said."""
    found = judge(settings(appendfsync="everysec"))
    assert found == UpToOneSecond()
    assert sentence(found) == "up to 1 s on power loss"


@pytest.mark.parametrize(
    "changed",
    [
        {"appendonly": "no"},
        {"appendfsync": "no"},
        {"maxmemory_policy": "allkeys-lru"},
        {"maxmemory_policy": "volatile-ttl"},
    ],
)
def test_losing_setting_is_refused_by_name(changed: dict[str, str]) -> None:
    """Each setting that loses events is named in the refusal together with its value."""
    found = judge(settings(**changed))
    assert isinstance(found, Refused)
    for name, value in changed.items():
        assert name.replace("_", "-") in found.reason
        assert value in found.reason


def test_missing_answer_is_unknown() -> None:
    """A server that leaves out an answer promises nothing, but is not accused either."""
    assert judge({"appendonly": "yes"}) == Unknown()


def test_refused_server_is_let_in_only_on_demand() -> None:
    """The refusal says how to overrule it, and the overruling works."""
    with pytest.raises(VolatileRedis, match="LUDO_ALLOW_VOLATILE_REDIS=1"):
        admit(Refused("no log"), allow_volatile=False)
    admit(Refused("no log"), allow_volatile=True)
    admit(Unknown(), allow_volatile=False)


async def test_bundled_server_is_judged_durable(redis: Redis) -> None:
    """What we start ourselves passes our own judgement."""
    assert await ask(redis) == Durable()


async def test_server_that_forbids_config_is_unknown(redis_server: PrivateRedis) -> None:
    """NOPERM on CONFIG is an answer, not a failure."""
    async with Redis.from_url(redis_server.url) as client:
        await client.acl_setuser(
            "limited",
            enabled=True,
            nopass=True,
            keys=["*"],
            categories=["+@all"],
            commands=["-config"],
        )
        await client.execute_command("AUTH", "limited", "any")
        async with Redis.from_url(redis_server.url, username="limited", password="any") as limited:
            assert await ask(limited) == Unknown()


async def test_changed_server_is_refused(redis_server: PrivateRedis) -> None:
    """The question is put to the running server, not to a file."""
    async with Redis.from_url(redis_server.url, decode_responses=True) as client:
        await client.config_set("appendonly", "no")
        assert await ask(client) == Refused("expected appendonly yes; found no")
