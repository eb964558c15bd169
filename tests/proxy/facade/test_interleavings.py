"""A purge against a fill that is under way: every order of their steps, one by one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Final

import pytest
from redis.asyncio import Redis

from ludo.store.cache import Entry, Flight, Landing, Lifetimes, Role, SharedCache, new_token
from ludo.store.scripts import Scripts
from proxy.facade.layer import Layer
from proxy.facade.ready import Ready

KEY, TAG = "/rooms/ABCD12?", "room:ABCD12"
LONG: Final = Lifetimes(soft=60, hard=600)
Steps = Sequence[str]


def merged(one: Steps, other: Steps) -> Iterator[list[str]]:
    """Every order of two sequences that keeps each one's own."""
    size = len(one) + len(other)
    for places in combinations(range(size), len(one)):
        first, second = iter(one), iter(other)
        yield [next(first if at in places else second) for at in range(size)]


def orders(*sequences: Steps) -> list[tuple[str, ...]]:
    """Every order of several sequences that keeps each one's own."""
    found: set[tuple[str, ...]] = {tuple(sequences[0])}
    for each in sequences[1:]:
        found = {tuple(order) for known in found for order in merged(known, each)}
    return sorted(found)


@dataclass
class Process:
    """A layer, what the shared cache would tell, and what each fill has in its hands."""

    layer: Layer
    truth: int = 0
    hears: bool = True
    tickets: dict[str, int] = field(default_factory=dict)
    looked: dict[str, int] = field(default_factory=dict)

    def step(self, step: str) -> None:
        """One step of one actor: `name:what`."""
        name, _, what = step.partition(":")
        match what:
            case "ticket":
                self.tickets[name] = self.layer.ticket()
            case "look":  # Redis tells what was fetched after the last purge, never older
                self.looked[name] = self.truth
            case "put":
                ready = Ready(200, (), str(self.looked[name]).encode(), "", 0.0, 60.0)
                self.layer.put(KEY, (TAG,), ready, self.tickets[name])
            case "change":  # the write and its INCR: from here on Redis tells the new one only
                self.truth += 1
            case "message":
                self.layer.purge(TAG)
            case "break":
                self.hears = False
                self.layer.clear()
            case "mend":
                self.layer.clear()
                self.hears = True
            case _:
                raise AssertionError(step)

    def told(self) -> int | None:
        """What a caller would get from the layer."""
        found = self.layer.find(KEY)
        return None if found is None else int(found.body)


def a_process() -> Process:
    """A process whose clock stands still."""
    process = Process(layer=Layer(lambda: 1.0, lambda: process.hears))
    return process


FILLS: Final = [[f"{name}:{what}" for what in ("ticket", "look", "put")] for name in ("a", "b")]
PURGE: Final = ("p:change", "p:message")
LOST: Final = ("l:break", "p:change", "l:mend")
"""A purge whose message nobody hears, because the link is broken."""


@pytest.mark.parametrize("purge", [PURGE, LOST], ids=["heard", "missed"])
def test_a_layer_never_tells_what_was_purged(purge: Steps) -> None:
    """Two fills and a purge in all orders: once it is known, nothing older is told."""
    tried = 0
    for order in orders(*FILLS, purge):
        process = a_process()
        for number, step in enumerate(order):
            process.step(step)
            if purge[-1] in order[: number + 1]:
                assert process.told() in (None, process.truth), order[: number + 1]
        tried += 1
    assert tried > 500


FETCHES: Final = [[f"{name}:{what}" for what in ("look", "ask", "keep")] for name in ("a", "b")]


@pytest.mark.parametrize("purges", [1, 2])
async def test_a_fill_in_flight_never_brings_back_what_was_purged(
    redis: Redis, purges: int
) -> None:
    """Two replicas fetch while purges come, in all orders: nothing older is kept."""
    scripts = Scripts(redis)
    caches = {"a": SharedCache(redis, scripts), "b": SharedCache(redis, scripts)}
    for order in orders(*FETCHES, ["p:purge"] * purges):
        await redis.flushdb()
        truth, flights, asked = 0, dict[str, Flight](), dict[str, int]()
        for step in order:
            name, _, what = step.partition(":")
            match what:
                case "purge":
                    truth += 1
                    await caches["a"].purge([TAG])
                case "look":
                    token = new_token()
                    found = await caches[name].look(KEY, [TAG], token)
                    assert found.entry is None or int(found.entry.body) == truth, order
                    if found.role is Role.LEAD:
                        flights[name] = Flight(
                            KEY, (TAG,), token, found.generations, began=found.now
                        )
                case "ask":
                    asked[name] = truth
                case _ if name in flights:
                    entry = Entry(200, (), str(asked[name]).encode(), "", 0)
                    landing = await caches[name].keep(flights[name], entry, LONG)
                    assert landing is not Landing.KEPT or asked[name] == truth, order
        found = await caches["b"].look(KEY, [TAG], new_token())
        assert found.entry is None or int(found.entry.body) == truth, order
