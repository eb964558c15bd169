"""Who is here, by seat, over two replicas."""

from collections.abc import Callable
from dataclasses import replace

from tests.relay.callers import Names
from tests.relay.conftest import QUICK, Start
from tests.relay.scribe import Scribe
from tests.relay.watcher import Frame, Watcher, watching
from tests.waiting import wait_until

Scribes = Callable[..., Scribe]
BRIEF = replace(QUICK, lease=1.0, tell_every=0.2)


async def joined(client: Watcher, name: str | None = None) -> Watcher:
    """A client that watches the game."""
    await client.hello({"game": "g1"}, **({"token": name} if name else {}))
    await client.get("live")
    return client


def here(client: Watcher) -> dict[str, bool]:
    """What it heard last of who is here."""
    frames: list[Frame] = [frame for frame in client.frames if frame["t"] == "presence"]
    return {who: seat["online"] for who, seat in frames[-1]["seats"].items()} if frames else {}


async def test_players_are_seen_to_come_and_go_on_every_replica(
    start: Start, scribe: Scribes
) -> None:
    """Only players have a seat; who comes later is told who is here."""
    await scribe().advance()
    one, two = [await start(BRIEF, authenticator=Names()) for _ in range(2)]
    async with watching(one.address + "/ws") as guest:
        await joined(guest)
        async with watching(two.address + "/ws") as ann, watching(two.address + "/ws") as eve:
            await joined(ann, "ann")
            await joined(eve, "eve")
            await wait_until(lambda: here(guest) == {"ann": True})
            async with watching(one.address + "/ws") as late:
                await joined(late, "bob")
                await wait_until(lambda: here(late) == {"ann": True, "bob": True})
            await wait_until(lambda: here(guest) == {"ann": True, "bob": False})
        await wait_until(lambda: here(guest) == {"ann": False, "bob": False})


async def test_the_players_of_a_killed_replica_vanish(start: Start, scribe: Scribes) -> None:
    """It says nothing any more, and after a lease nobody believes what it said."""
    await scribe().advance()
    one, two = [await start(BRIEF, authenticator=Names()) for _ in range(2)]
    async with watching(one.address + "/ws") as guest, watching(two.address + "/ws") as ann:
        await joined(guest)
        await joined(ann, "ann")
        await wait_until(lambda: here(guest) == {"ann": True})
        two.relay._presences._presence.tell = _dead  # type: ignore[method-assign]
        await wait_until(lambda: here(guest) == {"ann": False})


async def _dead(*_: object) -> None:
    raise RuntimeError("killed")


async def test_without_players_nobody_hears_of_presence(start: Start, scribe: Scribes) -> None:
    """Where everybody is anonymous there is nothing to say."""
    game = scribe()
    await game.advance()
    running = await start(BRIEF)
    async with watching(running.address + "/ws") as client:
        await joined(client)
        for _ in range(8):
            await game.advance()
            seq = game.seq
            await wait_until(lambda: client.copies["g1"].seq == seq)  # noqa: B023

        assert "presence" not in client.kinds()
