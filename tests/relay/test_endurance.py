"""What the relay bears: garbage, clients that break off, and one that never reads."""

import asyncio
import json
import random
import socket
import time
from collections.abc import Callable
from typing import Any

import pytest

from proxy.relay.callers import Caller, Refused
from proxy.relay.effects import Authenticate, Speak, Spoken
from proxy.relay.limits import Limits
from tests.relay.builders import WALL, delta, renewed, talk
from tests.relay.conftest import Start
from tests.relay.scribe import Scribe
from tests.relay.watcher import watching
from tests.waiting import wait_until

Scribes = Callable[..., Scribe]
LAX = Limits(frames_per_minute=10**9, table_talk=True)
KINDS = ("hello", "sub", "unsub", "auth", "resync", "say", "ping", "pong", "?", None, 7)
FIELDS = (
    "v",
    "id",
    "game",
    "epoch",
    "seq",
    "token",
    "subs",
    "to",
    "text",
    "kind",
    "n",
    "at",
    "why",
)


def a_value(chance: random.Random, depth: int = 0) -> Any:
    """Anything that JSON can say."""
    plain = (None, True, 0, -1, 1, 1.5, 2**63, 10**30, "", "g", "é\u0000", "x" * 200, "text")
    if depth < 3 and chance.random() < 0.2:
        several = range(chance.randint(0, 3))
        if chance.random() < 0.5:
            return [a_value(chance, depth + 1) for _ in several]
        return {chance.choice(FIELDS): a_value(chance, depth + 1) for _ in several}
    return chance.choice(plain)


def a_message(chance: random.Random) -> str | bytes:
    """A frame, or what is left of one."""
    frame = {"t": chance.choice(KINDS), "v": 1, "game": "g"}
    for _ in range(chance.randint(0, 4)):
        frame[chance.choice(FIELDS)] = a_value(chance)
    text = json.dumps(frame)
    match chance.randint(0, 9):
        case 0:
            at = chance.randrange(len(text))
            return text[:at] + chr(chance.randint(0, 0xFFFF)) + text[at + 1 :]
        case 1:
            return text[: chance.randrange(len(text))]
        case 2:
            return chance.randbytes(chance.randint(0, 40))
        case _:
            return text


def fuzz(frames: int, seed: int) -> int:
    """Feed sessions with frames; how many sessions it took."""
    chance = random.Random(seed)
    sessions, talking = 0, None
    for n in range(frames):
        if talking is None or talking.session.closing is not None:
            talking, sessions = talk(LAX), sessions + 1
            if chance.random() < 0.9:
                talking.say(t="hello", v=1, subs=[{"game": "g"}])
                talking.session.tell("g", renewed(7), talking.now)
        outcome = talking.session.receive(a_message(chance), talking.now)
        if isinstance(outcome, Authenticate):
            who = chance.choice((Caller("ann"), Caller(), Refused("no"), Caller("b", WALL - 1)))
            outcome = talking.session.authenticated(who, talking.now)
        elif isinstance(outcome, Speak):
            outcome = talking.session.spoken(Spoken(), talking.now)
        talking.did(outcome)
        talking.session.advance("g", delta(8 + n % 3), talking.now)
        talking.pass_time(chance.choice((0.0, 0.0, 0.1, 5.0)))
        assert len(talking.session.games()) <= LAX.subs
    return sessions


def test_no_frame_raises_anything() -> None:
    """Whatever is sent is answered, ignored, or ends its own connection."""
    assert fuzz(3_000, seed=1) > 50


@pytest.mark.prove
@pytest.mark.parametrize("seed", range(10))
def test_no_frame_of_a_hundred_thousand_raises_anything(seed: int) -> None:
    """The same for longer."""
    assert fuzz(10_000, seed) > 200


async def _cycles(start: Start, scribe: Scribes, number: int) -> None:
    await scribe().advance()
    running = await start()
    await wait_until(lambda: running.relay.status().link_age is not None)
    chance, tasks = random.Random(3), len(asyncio.all_tasks())
    for n in range(number):
        path = chance.choice(("/ws", "/ws/games/g1", "/ws/games/nope", "/ws/game/R7"))
        async with watching(running.address + path) as client:
            if chance.random() < 0.7:
                await client.send(t="hello", v=1, subs=[{"game": "g1"}, {"game": f"n{n % 50}"}])
            if chance.random() < 0.3 and path.endswith("g1"):
                await client.get("live", game="g1")
            client.socket.transport.abort()
    relay = running.relay
    await wait_until(lambda: relay.status().connections == 0, timeout=30)
    await wait_until(lambda: relay.status().rooms == 0, timeout=30)
    await wait_until(lambda: relay.status().subscriptions == 0, timeout=30)
    await wait_until(lambda: len(asyncio.all_tasks()) <= tasks, timeout=30)
    assert (len(relay._lobby), len(relay._hub._keepers)) == (0, 0)


async def test_clients_that_break_off_at_any_moment_leave_nothing(
    start: Start, scribe: Scribes
) -> None:
    """Tasks, rooms and subscriptions go back to zero."""
    await _cycles(start, scribe, 60)


@pytest.mark.prove
async def test_ten_thousand_clients_that_break_off_leave_nothing(
    start: Start, scribe: Scribes
) -> None:
    """The same for longer."""
    await _cycles(start, scribe, 10_000)


PATIENT = Limits(stuck_after=120.0, pong_within=120.0)
"""For a client that is kept for as long as it does not read."""


@pytest.mark.prove
@pytest.mark.parametrize("limits", [Limits(), PATIENT])
async def test_one_that_never_reads_costs_the_others_nothing(
    start: Start, scribe: Scribes, limits: Limits
) -> None:
    """60 s at 100 events a second: bounded, and right when it reads again.

    As the protocol has it, it is sent away after 5 s (4002), and comes back; if it is kept, it gets
    one `snap slow`.
    """
    game = scribe(padding=2_000)
    await game.advance()
    running = await start(limits)
    small = socket.socket()
    small.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    host, port = running.address.removeprefix("ws://").split(":")
    small.connect((host, int(port)))
    path = running.address + "/ws/games/g1"
    async with watching(path) as quick:
        await quick.get("live")
        alone = await _latencies(game, quick, 1_000)
        async with watching(path, sock=small, max_queue=1) as slow:
            await slow.get("live")
            slow.reading.clear()
            before = _resident()
            beside = await _latencies(game, quick, 6_000)
            queued = max(each._session._outbox.size for each in running.relay._connections)
            grown = _resident() - before
            closed = dict(running.relay.tally.closes)
            slow.reading.set()
            if limits is PATIENT:
                await wait_until(lambda: slow.copies["g1"].seq == game.seq, timeout=30)
                snaps = [frame["why"] for frame in slow.frames if frame["t"] == "snap"]
                assert snaps == ["initial", "slow"]
        async with watching(path) as again:
            await again.get("live")
            assert again.copies["g1"].state == game.state
    assert closed == ({} if limits is PATIENT else {"4002": 1})
    told = f"p99 {beside:.4f} s beside it, {alone:.4f} s alone; {grown} bytes more"
    print(told)  # noqa: T201
    assert queued <= 65_536 + 4_096
    assert grown <= 1 << 20, told
    assert beside <= 2 * alone + 0.005, told


async def _latencies(game: Scribe, quick: Any, number: int) -> float:
    """The 99th percentile from before a write to its arrival, at 100 a second."""
    taken = []
    for _ in range(number):
        begun = time.perf_counter()
        await game.advance()
        while quick.copies["g1"].seq != game.seq:  # noqa: ASYNC110
            await asyncio.sleep(0.0005)
        taken.append(time.perf_counter() - begun)
        quick.frames.clear()
        await asyncio.sleep(max(0.0, 0.01 - taken[-1]))
    return sorted(taken)[int(len(taken) * 0.99)]


def _resident() -> int:
    with open("/proc/self/statm") as file:  # noqa: PTH123
        return int(file.read().split()[1]) * 4096
