"""Who is here, over several nodes."""

import json

from redis.asyncio import Redis

from ludo.store import keys
from ludo.store.presence import Presence
from ludo.store.scripts import Scripts
from tests.waiting import wait_until


def node(redis: Redis, name: str, lease: float = 5.0) -> Presence:
    """One of the nodes."""
    return Presence(Scripts(redis), name, lease)


async def online(presence: Presence, *players: str) -> dict[str, bool]:
    """What a node hears after it has said whom it has."""
    return {who: seat.online for who, seat in (await presence.tell("g", players)).items()}


async def test_a_player_is_here_as_long_as_any_node_has_him(redis: Redis) -> None:
    """Two tabs on two replicas are one player."""
    one, two = node(redis, "a"), node(redis, "b")
    assert await online(one, "ann") == {"ann": True}
    assert await online(two, "ann", "bob smith") == {"ann": True, "bob smith": True}
    assert await online(one) == {"ann": True, "bob smith": True}
    assert await online(two, "bob smith") == {"ann": False, "bob smith": True}


async def test_since_changes_with_being_here_only(redis: Redis) -> None:
    """Saying it again does not make it newer."""
    one = node(redis, "a")
    first = (await one.tell("g", ["ann"]))["ann"].since
    assert (await one.tell("g", ["ann"]))["ann"].since == first > 1_600_000_000_000
    left = (await one.tell("g", []))["ann"]
    assert (left.online, left.since >= first) == (False, True)


async def test_the_players_of_a_killed_node_vanish(redis: Redis) -> None:
    """Its word ends by itself, and whoever looks next says so to all."""
    await node(redis, "killed", lease=0.05).tell("g", ["ann"])
    two = node(redis, "b")
    assert await wait_until(lambda: _is_gone(two))


async def _is_gone(presence: Presence) -> bool:
    return await online(presence) == {"ann": False}


async def test_a_change_is_published_and_nothing_else_is(redis: Redis) -> None:
    """With everybody in it, on the game's own channel."""
    async with redis.pubsub() as link:
        await link.subscribe(keys.channel("g"))
        await link.get_message(timeout=2)
        one = node(redis, "a")
        seats = await one.tell("g", ["ann"])
        await one.tell("g", ["ann"])
        await one.tell("g", [])
        told = [await link.get_message(timeout=2) for _ in range(2)]
        silence = await link.get_message(timeout=0.05)

    heard = [json.loads(message["data"].removeprefix(b"1 p ")) for message in told if message]
    assert heard[0] == {"ann": {"online": True, "since": seats["ann"].since}}
    assert heard[1]["ann"]["online"] is False
    assert silence is None
