"""How many signed deliveries a second are acknowledged, and how soon?

    python -m benchmarks.intake [ROUNDS]

The receiver as `ludo-proxy serve` runs it, beside a plain handler (plain.py), on one Redis with
`appendonly yes` and `appendfsync always`, one server process each. Deliveries are events of whole
games in bodies of 2 KB, signed with HMAC. Rounds of everything take turns; medians are shown, with
the lowest and the highest round. At a rate, latency is from the moment at which a delivery was due.
"""

import os
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Final

import redis
import uvloop

from benchmarks.answers import SHARES, WHO, Answers
from benchmarks.pouring import as_fast_as_possible
from benchmarks.sender import at_a_rate, deliveries
from tests.redis_servers import PrivateRedis

ROUNDS: Final = 5
SECRET: Final = "whsec_" + "a" * 43 + "="
CONNECTIONS: Final = 64
SECONDS: Final = 3
ENOUGH: Final = 5_000
"""Deliveries a second, more than anything here takes."""
RATE: Final = 500
AT_RATE: Final = 2_500


def a_free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def a_process(*arguments: str, **environ: str) -> Iterator[subprocess.Popen[bytes]]:
    """A Python process that is gone afterwards; it says only what is wrong."""
    process = subprocess.Popen(
        [sys.executable, "-m", *arguments],
        env={**os.environ, **environ},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGCONT)
        process.kill()
        process.wait()


def wait_for(port: int) -> None:
    """Returns when something listens there."""
    for _ in range(2400):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise SystemExit(f"nothing listens on port {port}")


def spent(pid: int) -> float:
    """Seconds of processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def spent_here() -> float:
    """The same for this process and those that it has waited for: whoever sends."""
    own, theirs = (
        resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return own.ru_utime + own.ru_stime + theirs.ru_utime + theirs.ru_stime


def fastest(port: int, requests: list[bytes]) -> Answers:
    """One round as fast as it goes."""
    return as_fast_as_possible(port, requests, CONNECTIONS, SECONDS)


def steady(port: int, requests: list[bytes]) -> Answers:
    """One round at `RATE`."""
    return uvloop.run(at_a_rate(port, requests, RATE))


def main() -> None:
    """Runs the rounds and prints the tables."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    with PrivateRedis() as server:
        path, ours, plain = str(server.place.socket), a_free_port(), a_free_port()
        settings = {
            "REDIS_URL": server.url,
            "LUDO_AUTH": "open",
            "LUDO_WEBHOOK_SECRETS": SECRET,
            "LUDO_API_BASE_URL": "http://127.0.0.1:1/v1",
        }
        with (
            a_process("cli", "serve", "--role", "api", "--port", str(ours), **settings) as first,
            a_process("benchmarks.plain", path, str(plain), SECRET) as second,
            a_process("cli", "worker", **settings) as worker,
        ):
            wait_for(ours)
            wait_for(plain)
            time.sleep(3)  # the worker's start must not fall into the first round
            show(measured(rounds, server, worker, (ours, first), (plain, second)))


Served = tuple[int, subprocess.Popen[bytes]]


def measured(
    rounds: int, server: PrivateRedis, worker: subprocess.Popen[bytes], ours: Served, plain: Served
) -> dict[str, list[Answers]]:
    """The answers of every round of everything."""
    kinds: dict[str, tuple[Served, bool, Callable[[int, list[bytes]], Answers]]] = {
        "ours, most": (ours, False, fastest),
        "plain, most": (plain, False, fastest),
        f"ours, {RATE}/s": (ours, False, steady),
        f"plain, {RATE}/s": (plain, False, steady),
        f"ours, {RATE}/s, a worker at work": (ours, True, steady),
    }
    found: dict[str, list[Answers]] = {name: [] for name in kinds}
    with redis.Redis.from_url(server.url) as client:
        for number in range(rounds + 1):  # the first one warms up
            for name, ((port, process), working, run) in kinds.items():
                client.flushall()
                worker.send_signal(signal.SIGCONT if working else signal.SIGSTOP)
                number_of = AT_RATE if run is steady else ENOUGH * SECONDS
                requests = deliveries(SECRET, number_of, port)
                before = spent(process.pid), spent(server.pid), spent_here()
                answers = run(port, requests)
                after = spent(process.pid), spent(server.pid), spent_here()
                answers.cpu = {
                    who: (end - begin) * 1e6 / answers.number
                    for who, begin, end in zip(WHO, before, after, strict=True)
                }
                if number:
                    found[name].append(answers)
                print(f"round {number}: {name}", file=sys.stderr)
    return found


def show(found: dict[str, list[Answers]]) -> None:
    """A line for each kind of round: medians, and the range of rates."""
    cpu = " | ".join(f"{who} µs" for who in WHO)
    print(f"| what | deliveries/s | {cpu} | p50 ms | p99 ms | p99.9 ms | refused |")
    print("|---|---|---|---|---|---|---|---|---|")
    for name, rounds in found.items():
        rates = [each.rate for each in rounds]
        shares = " | ".join(f"{median(each.ms[share] for each in rounds):.1f}" for share in SHARES)
        refused = sum(each.refused for each in rounds)
        told = f"{median(rates):,.0f} ({min(rates):,.0f} to {max(rates):,.0f})"
        cpu = " | ".join(f"{median(each.cpu[who] for each in rounds):.0f}" for who in WHO)
        print(f"| {name} | {told} | {cpu} | {shares} | {refused} |")
    ours, plain = (median(each.rate for each in found[f"{who}, most"]) for who in ("ours", "plain"))
    print(f"\nours / plain, most: {ours / plain:.2f}")


if __name__ == "__main__":
    main()
