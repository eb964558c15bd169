"""How many requests a second does one process of the facade answer, and what do others?

    make bench        or        python -m benchmarks.facade [ROUNDS] [SECONDS]

Everybody stands before the same nginx. Hits ask for one room, misses for a new one each time.
Rounds of all take turns, so that a busy machine is unfair to all alike; a ratio is the median of
the ratios within each round. Needs wrk and nginx.
"""

import shutil
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Final

import jwt

from benchmarks.facade.load import Load, fresh_paths, wrk
from benchmarks.facade.nginx import nginx
from benchmarks.facade.servers import SECRET, facade, free_port, uvicorn
from tests.redis_servers import PrivateRedis

HIT: Final = "/v1/rooms/ABCD12"
HITS: Final = ("nginx cache", "raw ASGI", "facade", "facade, token and quota")
MISSES: Final = ("nginx", "httpx pass-through", "facade, miss", "facade, miss with budget")
RATIOS: Final = (
    ("facade", "raw ASGI", 0.8),
    ("facade, token and quota", "raw ASGI", 0.4),
    ("facade", "nginx cache", None),
    ("facade, miss", "httpx pass-through", 4.0),
    ("facade, miss", "nginx", 0.3),
)


class Bench:
    """The processes, and the rounds that were run."""

    def __init__(self, stack: ExitStack, folder: Path) -> None:
        self._script = fresh_paths(folder)
        self._runs = 0
        ports = {name: free_port() for name in (*HITS, *MISSES, "origin")}
        origin = ports["origin"]
        stack.enter_context(nginx(folder, origin, ports["nginx"], ports["nginx cache"]))
        redis = stack.enter_context(PrivateRedis()).url
        upstream = {"BENCH_UPSTREAM": f"http://127.0.0.1:{origin}"}
        stack.enter_context(uvicorn("raw", ports["raw ASGI"]))
        passing = uvicorn("passing", ports["httpx pass-through"], factory=True, **upstream)
        stack.enter_context(passing)
        opened = {"LUDO_AUTH": "open", "LUDO_QUOTA": "off"}
        closed = {"LUDO_AUTH": "required", "LUDO_QUOTA": "100000000/60s"}
        budget = {"LUDO_UPSTREAM_LIMIT": "100000000/60s"}
        for name, how in (
            ("facade", opened),
            ("facade, token and quota", closed),
            ("facade, miss with budget", opened | budget),
        ):
            stack.enter_context(facade(ports[name], origin, redis, **how))
        ports["facade, miss"] = ports["facade"]
        self._ports = ports
        exp = int(time.time()) + 3600
        self._token = jwt.encode({"sub": "plr_bench", "exp": exp}, SECRET, algorithm="HS256")

    def run(self, name: str, seconds: int) -> Load:
        """One run of one of them."""
        url = f"http://127.0.0.1:{self._ports[name]}{HIT}"
        token = self._token if "token" in name else None
        if name in HITS:
            return wrk(url, seconds, token=token)
        self._runs += 1
        return wrk(url, seconds, script=self._script, salt=f"R{self._runs}")


def main() -> None:
    """Runs the rounds and prints the tables."""
    missing = [name for name in ("wrk", "nginx") if not _found(name)]
    if missing:
        print(f"not measured: {' and '.join(missing)} not found (Debian: apt install wrk nginx)")
        return
    given = [int(text) for text in sys.argv[1:3]]
    rounds, seconds = (*given, *(5, 4)[len(given) :])
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ludo-bench-")))
        bench = Bench(stack, folder)
        for name in (*HITS, *MISSES):
            bench.run(name, 1)
        loads: dict[str, list[Load]] = {name: [] for name in (*HITS, *MISSES)}
        for turn in range(rounds):
            for name in loads:
                loads[name].append(bench.run(name, seconds))
            print(f"round {turn + 1} of {rounds}", file=sys.stderr)
    _print(loads)


def _found(name: str) -> bool:
    return bool(shutil.which(name) or Path(f"/usr/sbin/{name}").exists())


def _print(loads: dict[str, list[Load]]) -> None:
    print(f"{'what':28} {'requests/s':>11} {'p50 ms':>8} {'p99 ms':>8} {'bad':>5}")
    for name, runs in loads.items():
        rate = median(run.rate for run in runs)
        p50, p99 = (median(getattr(run, at) for run in runs) for at in ("p50", "p99"))
        print(f"{name:28} {rate:11,.0f} {p50:8.2f} {p99:8.2f} {sum(r.bad for r in runs):5}")
    print()
    for ours, theirs, goal in RATIOS:
        pairs = zip(loads[ours], loads[theirs], strict=True)
        ratio = median(mine.rate / other.rate for mine, other in pairs)
        aim = "" if goal is None else f"   (goal {goal:g})"
        print(f"{ours:28} / {theirs:20} {ratio:6.2f}{aim}")


if __name__ == "__main__":
    main()
