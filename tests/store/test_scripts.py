"""Scripts on a real Redis."""

from importlib.resources import files

import pytest
from redis.asyncio import Redis

from ludo.store import keys
from ludo.store.scripts import Scripts, source

NAMES = sorted(
    path.name.removesuffix(".lua")
    for path in (files("ludo.store") / "lua").iterdir()
    if path.name.endswith(".lua") and path.name != "prelude.lua"
)


@pytest.mark.parametrize("name", NAMES)
async def test_script_compiles_on_this_redis(redis: Redis, name: str) -> None:
    """No script needs a newer Redis than the oldest we support."""
    assert len(await redis.script_load(source(name))) == 40


@pytest.mark.parametrize("name", NAMES)
def test_script_takes_its_time_from_redis(name: str) -> None:
    """The callers' clocks differ; Redis has one."""
    assert "os.time" not in source(name)
    assert "os.clock" not in source(name)


async def test_script_that_redis_forgot_is_sent_again(redis: Redis) -> None:
    """After a restart Redis knows no script, and nobody notices."""
    scripts = Scripts(redis)
    starts = [keys.game(""), keys.lease("")]
    arguments = {"keys": [keys.DUE, keys.ARQ_QUEUE, keys.NUDGE], "args": [10, "x", *starts]}
    assert await scripts.run("sweep", **arguments) == 0
    await redis.script_flush()
    assert await scripts.run("sweep", **arguments) == 0
