"""How many calls a second does our client make over aiohttp, with httpx around it, and over httpx?

    make bench        or        python -m benchmarks.transport [ROUNDS] [SECONDS]

`LudoClient` over each asks an upstream in a process of its own on the loopback, which answers from
bytes. Rounds of all take turns, so that a busy machine is unfair to all alike; a ratio is the
median of the ratios within each round.
"""

import asyncio
import logging
import multiprocessing
import sys
import time
from dataclasses import dataclass
from itertools import product
from statistics import median
from typing import Any, Final

import httpx
from httpx_aiohttp import AiohttpTransport

from ludo.logs import LogConfig, configure_logs
from ludo.upstream.call import Call
from ludo.upstream.client import LudoClient
from ludo.upstream.timeouts import Timeouts

IN_FLIGHT: Final = (1, 8, 32)
CONNECTIONS: Final = 32
_BODY: Final = b'{"success":true,"data":{"code":"ABCD12","status":"waiting","maxPlayers":4}}'
_ANSWER: Final = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nCache-Control: max-age=2\r\n"
    b"Content-Length: %d\r\n\r\n%b" % (len(_BODY), _BODY)
)
_CALL: Final = Call("GET", "/rooms/{code}", {"code": "ABCD12"})


@dataclass(frozen=True, slots=True)
class Run:
    """Calls a second, and microseconds of this process' CPU time for each."""

    rate: float
    cpu: float


def ours(_timeouts: Timeouts) -> httpx.AsyncBaseTransport | None:
    """The client's own: aiohttp, asked directly."""
    return None


def _limits(timeouts: Timeouts) -> httpx.Limits:
    return httpx.Limits(
        max_connections=timeouts.connections,
        max_keepalive_connections=timeouts.connections,
        keepalive_expiry=timeouts.idle,
    )


def wrapped_transport(timeouts: Timeouts) -> httpx.AsyncBaseTransport:
    """aiohttp's connections under httpx' interface."""
    transport: httpx.AsyncBaseTransport = AiohttpTransport(
        verify=httpx.create_ssl_context(trust_env=False), trust_env=False, limits=_limits(timeouts)
    )
    return transport


def own_transport(timeouts: Timeouts) -> httpx.AsyncBaseTransport:
    """httpx' own connections (httpcore), bounded as ours are."""
    limits = _limits(timeouts)
    return httpx.AsyncHTTPTransport(
        verify=httpx.create_ssl_context(trust_env=False), trust_env=False, limits=limits
    )


TRANSPORTS: Final = {
    "aiohttp": ours,
    "httpx-aiohttp": wrapped_transport,
    "httpx' own": own_transport,
}


class _Upstream(asyncio.Protocol):
    """Gives every request the same answer."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport
        self._seen = b""

    def data_received(self, data: bytes) -> None:
        *heads, self._seen = (self._seen + data).split(b"\r\n\r\n")
        for _ in heads:
            self._transport.write(_ANSWER)


def _serve(told: Any) -> None:
    async def forever() -> None:
        server = await asyncio.get_running_loop().create_server(_Upstream, "127.0.0.1", 0)
        told.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(forever())


async def _run(client: LudoClient, in_flight: int, seconds: float) -> Run:
    made = 0
    ends = time.perf_counter() + seconds

    async def one_after_the_other() -> None:
        nonlocal made
        while time.perf_counter() < ends:
            await client.request(_CALL)
            made += 1

    began, used = time.perf_counter(), time.process_time()
    async with asyncio.TaskGroup() as group:
        for _ in range(in_flight):
            group.create_task(one_after_the_other())
    used, took = time.process_time() - used, time.perf_counter() - began
    return Run(made / took, used / made * 1e6)


async def _measure(port: int, rounds: int, seconds: float) -> dict[tuple[int, str], list[Run]]:
    timeouts = Timeouts(connections=CONNECTIONS)
    base_url = f"http://127.0.0.1:{port}/v1"
    clients = {
        name: LudoClient(base_url, timeouts=timeouts, transport=make(timeouts))
        for name, make in TRANSPORTS.items()
    }
    found: dict[tuple[int, str], list[Run]] = {}
    try:
        for client in clients.values():
            await _run(client, CONNECTIONS, 0.5)
        for turn in range(rounds):
            for in_flight in IN_FLIGHT:
                for name, client in clients.items():
                    run = await _run(client, in_flight, seconds)
                    found.setdefault((in_flight, name), []).append(run)
            print(f"round {turn + 1} of {rounds}", file=sys.stderr)
    finally:
        for client in clients.values():
            await client.aclose()
    return found


def main() -> None:
    """Runs the rounds and prints the table."""
    given = sys.argv[1:3]
    rounds = int(given[0]) if given else 7
    seconds = float(given[1]) if given[1:] else 1.0
    ours, theirs = multiprocessing.Pipe()
    upstream = multiprocessing.get_context("spawn").Process(
        target=_serve, args=(theirs,), daemon=True
    )
    upstream.start()
    # A line for each call would cost as much as what is measured.
    configure_logs(LogConfig(), least=logging.WARNING)
    try:
        found = asyncio.run(_measure(ours.recv(), rounds, seconds))
    finally:
        upstream.terminate()
        upstream.join(10)
    _print(found)


def _print(found: dict[tuple[int, str], list[Run]]) -> None:
    print(f"{'in flight':>9} {'transport':14} {'calls/s':>9} {'µs CPU':>8}")
    for (in_flight, name), runs in found.items():
        rate, cpu = median(run.rate for run in runs), median(run.cpu for run in runs)
        print(f"{in_flight:9} {name:14} {rate:9,.0f} {cpu:8,.0f}")
    mine, *others = TRANSPORTS
    for in_flight, other in product(IN_FLIGHT, others):
        pairs = list(zip(found[in_flight, mine], found[in_flight, other], strict=True))
        ratio = median(a.rate / b.rate for a, b in pairs)
        cpu = median(a.cpu / b.cpu for a, b in pairs)
        print(f"{in_flight:9} in flight: {mine} / {other}: {ratio:.2f} calls, {cpu:.2f} CPU")


if __name__ == "__main__":
    main()
