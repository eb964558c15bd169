"""Table talk, over two replicas."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from ludo.config import Rate
from proxy.relay.frames import Say
from proxy.relay.limits import Limits
from proxy.relay.talk import objection
from tests.relay.callers import Names
from tests.relay.conftest import QUICK, Start
from tests.relay.scribe import Scribe
from tests.relay.watcher import Watcher, watching

TALKING = replace(QUICK, table_talk=True)
Scribes = Callable[..., Scribe]


@asynccontextmanager
async def a_table(start: Start, *names: str | None, **options: Any) -> AsyncIterator[list[Watcher]]:
    """Clients of one game, in turn on one of two replicas."""
    nodes = [await start(TALKING, authenticator=Names(), **options) for _ in range(2)]
    async with AsyncExitStack() as stack:
        clients = []
        for n, name in enumerate(names):
            address = nodes[n % 2].address + "/ws"
            client = await stack.enter_async_context(watching(address))
            await client.hello({"game": "g1"}, **({"token": name} if name else {}))
            await client.get("live")
            clients.append(client)
        yield clients


async def test_what_is_said_is_heard_at_the_whole_table(start: Start, scribe: Scribes) -> None:
    """On every replica, by the speaker too, who is told that it was said."""
    await scribe().advance()
    async with a_table(start, "ann", "bob", None) as (ann, bob, guest):
        await ann.send(t="say", id=1, game="g1", text="well played")
        heard = [await client.get("said") for client in (ann, bob, guest)]
        await ann.get("ok", id=1)

    assert heard[0] == heard[1] == heard[2]
    assert heard[0]["at"] > 1_600_000_000_000
    assert {**heard[0], "at": 0} == {
        "t": "said",
        "game": "g1",
        "from": "ann",
        "kind": "text",
        "text": "well played",
        "at": 0,
    }


async def test_what_is_said_to_one_is_heard_by_one(start: Start, scribe: Scribes) -> None:
    """And by whoever said it, on his other screens; a later word for all shows that it is all."""
    await scribe().advance()
    async with a_table(start, "ann", "bob", "eve", "ann", None) as clients:
        ann, bob, eve, again, guest = clients
        await ann.send(t="say", id=1, game="g1", to="bob", text="psst")
        private = [await client.get("said", to="bob") for client in (ann, bob, again)]
        await ann.send(t="say", id=2, game="g1", kind="emote", text="wave")
        for client in (eve, guest):
            assert (await client.get("said"))["kind"] == "emote"

        assert {frame["text"] for frame in private} == {"psst"}
        assert "said" not in [*eve.kinds(), *guest.kinds()]


async def test_nothing_that_was_said_is_kept(start: Start, scribe: Scribes) -> None:
    """Who comes later hears what is said later; another game is another table."""
    await scribe("g1").advance()
    await scribe("g2").advance()
    async with a_table(start, "ann", "bob") as (ann, bob):
        await bob.send(t="sub", id=1, game="g2")
        await bob.get("live", id=1)
        await bob.send(t="unsub", id=2, game="g1")
        await bob.get("ok", id=2)
        await ann.send(t="say", id=1, game="g1", text="early")
        await ann.get("ok", id=1)
        await bob.send(t="sub", id=3, game="g1")
        await bob.get("live", id=3)
        await ann.send(t="say", id=2, game="g1", kind="typing")
        said = await bob.get("said")

        assert (said["kind"], said["text"]) == ("typing", "")
        assert "said" not in bob.kinds()


async def test_a_speaker_has_a_pace_over_all_replicas(start: Start, scribe: Scribes) -> None:
    """Two screens on two replicas do not say twice as much; the refusal says when to go on."""
    await scribe().advance()
    async with a_table(start, "ann", "ann", "bob", talk_rates=(Rate(2, 60),)) as clients:
        one, two, bob = clients
        for n, client in enumerate((one, two)):
            await client.send(t="say", id=n, game="g1", text="hi")
            await client.get("ok", id=n)
        await one.send(t="say", id=9, game="g1", text="hi")
        refused = await one.get("err", id=9)
        await bob.send(t="say", id=1, game="g1", text="hi")
        await bob.get("ok", id=1)

    assert (refused["code"], refused["retry"]) == ("rate", True)
    assert 0 < refused["after"] <= 120


@pytest.mark.parametrize(
    ("say", "limits", "subscribed", "code"),
    [
        (Say("g", text="hi"), Limits(), True, "forbidden"),
        (Say("g", text="hi"), TALKING, False, "not_found"),
        (Say("g", text="x" * 501), TALKING, True, "forbidden"),
        (Say("g", text=" \n"), TALKING, True, "forbidden"),
        (Say("g", kind="emote"), TALKING, True, "forbidden"),
        (Say("g", text="x" * 500), TALKING, True, None),
        (Say("g", kind="typing"), TALKING, True, None),
    ],
)
def test_what_may_not_be_said(say: Say, limits: Limits, subscribed: bool, code: str | None) -> None:
    """Off by default; at one's own table only; something, and not too much."""
    found = objection(say, limits, subscribed=subscribed)
    assert (found and found.code) == code
