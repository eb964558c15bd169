"""Which relay is held to the contract: ours on a real Redis, or the one at `--relay-url`."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from redis.asyncio import Redis

from cli.conformance.talking import Target
from ludo.tasks import beside
from tests.relay.conftest import QUICK, Start, start
from tests.relay.scribe import Scribe

__all__ = ["start"]

PLAYS_EVERY = 0.05


def pytest_addoption(parser: pytest.Parser) -> None:
    """`pytest tests/conformance --relay-url wss://… --relay-game gm_… [--relay-token …]`."""
    parser.addoption("--relay-url", help="the relay to test, ending in /ws")
    parser.addoption("--relay-game", help="a game that is being played there")
    parser.addoption("--relay-token", help="a token for it; none where anybody may come")


@pytest.fixture
async def target(
    request: pytest.FixtureRequest, redis: Redis, start: Start
) -> AsyncIterator[Target]:
    """The relay that is tested."""
    option = request.config.getoption
    url = option("--relay-url", default=None)
    if url:
        yield Target(url, option("--relay-game"), option("--relay-token"))
        return
    game = Scribe(redis, "gm_played")
    await game.advance(100)
    running = await start(replace(QUICK, hello_within=0.5))
    async with beside("playing", _play(game)):
        yield Target(running.address + "/ws", game.game)


async def _play(game: Scribe) -> None:
    while True:
        await game.advance()
        await asyncio.sleep(PLAYS_EVERY)
