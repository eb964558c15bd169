"""A relay that is going away, end to end."""

import asyncio
from collections.abc import Callable

from tests.relay.conftest import Start
from tests.relay.scribe import Scribe
from tests.relay.watcher import watching

Scribes = Callable[..., Scribe]


async def test_a_drain_says_bye_while_deltas_still_flow(start: Start, scribe: Scribes) -> None:
    """Farewells are spread over the window, and what happens meanwhile is delivered."""
    game = scribe()
    await game.advance()
    running = await start()
    async with watching(running.address + "/ws/games/g1") as client:
        await client.get("live")
        drain = asyncio.create_task(running.relay.drain(0.4))
        bye = await client.get("bye")
        await game.advance()
        await client.get("d", seq=2)
        code = await client.closed()
        await drain

    assert (bye["code"], bye["reconnect"], code) == (4000, True, 4000)


async def test_who_comes_during_a_drain_is_served_and_sent_on(
    start: Start, scribe: Scribes
) -> None:
    """The listener stays open; a newcomer is told to move like everybody else."""
    await scribe().advance()
    running = await start()
    async with watching(running.address + "/ws/games/g1") as first:
        await first.get("live")
        drain = asyncio.create_task(running.relay.drain(0.6))
        async with watching(running.address + "/ws/games/g1") as client:
            await client.get("live")
            bye = await client.get("bye")
        await drain

    assert bye["code"] == 4000


async def test_a_drain_at_once_closes_everybody_now(start: Start, scribe: Scribes) -> None:
    """Without a window the farewell and the close follow each other."""
    await scribe().advance()
    running = await start()
    async with watching(running.address + "/ws/games/g1") as client:
        await client.get("live")
        slow = asyncio.create_task(running.relay.drain(60))
        await asyncio.sleep(0)
        await running.relay.drain(0)
        code = await client.closed()
        await slow

        assert code == 4000
        assert client.kinds("welcome", "snap", "d")[-1:] == ["bye"]
