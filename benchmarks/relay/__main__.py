"""How fast is the relay, and what does a connection cost? Beside a raw send loop and Socket.IO.

    python -m benchmarks.relay

Three servers, each a process of its own on the same Redis: ours; the raw loop of `rawloop.py`,
which is uvicorn and Redis and nothing else; Socket.IO on node, if npm can get it. The same clients
(`sockets.py`) load each in turn, in rounds, so that a busy machine is unfair to all alike; medians
are shown, and ratios are medians of the ratios within each round. Deliveries a second are those of
a closed loop: one event to each of 250 games, and the next when all 1,000 clients have it; beside
it the deliveries for each second of the server's own CPU time, which does not depend on what else
the machine does, and how much of a core each side used: whoever used all of one is the limit.
"""

import asyncio
import resource
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import uvloop
from redis.asyncio import Redis

from benchmarks.relay.measuring import CLIENTS, GAMES, Measured, measure, reach_many
from benchmarks.relay.report import goals, many, say, table
from benchmarks.relay.servers import RawLoop, Server, SocketIo, get_socketio
from tests.redis_servers import PrivateRedis
from tests.relay.scribe import Scribe

ROUNDS: Final = 3
MANY: Final = 10_000
SPARE: Final = 200
"""Files besides the sockets."""


def allowed_sockets(wanted: int) -> int:
    """How many sockets this process and its servers may have, after asking for so many."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted + SPARE:
        soft = wanted + SPARE if hard == resource.RLIM_INFINITY else min(wanted + SPARE, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return min(soft - SPARE, wanted)


async def main() -> None:
    """Print a table, and what became of the goals."""
    allowed = allowed_sockets(MANY)
    with PrivateRedis() as redis, tempfile.TemporaryDirectory() as folder:
        kinds: list[Callable[[PrivateRedis], Server]] = [Server, RawLoop]
        SocketIo.folder = Path(folder)
        if get_socketio(SocketIo.folder):
            kinds.append(SocketIo)
        else:
            say("Socket.IO could not be had (node, npm): it is left out")
        async with Redis.from_url(redis.url) as client:
            games = [Scribe(client, f"g{number}") for number in range(GAMES)]
            for game in games:
                await game.advance()
            rounds = await in_rounds(redis, kinds, games)
            table(rounds, CLIENTS, GAMES)
            goals(rounds)
            if allowed < MANY:
                say(f"{MANY:,} sockets need {MANY + SPARE:,} open files; `ulimit -n` forbids it")
            many(allowed, await reach_many(Server(redis), games[0], allowed))


async def in_rounds(
    redis: PrivateRedis,
    kinds: Sequence[Callable[[PrivateRedis], Server]],
    games: Sequence[Scribe],
) -> dict[str, list[Measured]]:
    """Every server in turn, again and again."""
    rounds: dict[str, list[Measured]] = {}
    for number in range(ROUNDS):
        for kind in kinds:
            server = kind(redis)
            rounds.setdefault(server.name, []).append(await measure(server, games))
        say(f"round {number + 1} of {ROUNDS} is done")
    return rounds


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
