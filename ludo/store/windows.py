"""Sliding windows of requests, purely: what they count, and what they say to a caller.

A window is two counters: requests of the window before count for the part of it that still
overlaps. What is refused is not counted.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ludo.config import Rate


@dataclass(frozen=True, slots=True)
class Window:
    """What one caller took of one rate; times in milliseconds of one clock."""

    start: int = 0
    current: int = 0
    previous: int = 0

    def at(self, now: int, length: int) -> "Window":
        """The window that `now` falls into."""
        if now >= self.start + 2 * length:
            return Window(start=now)
        if now >= self.start + length:
            return Window(start=self.start + length, previous=self.current)
        return self

    def used(self, now: int, length: int) -> float:
        """How much counts now."""
        return self.current + self.previous * (self.start + length - now) / length


class Allowance(NamedTuple):
    """What a caller has left of one rate: `remaining` requests, more after `reset` seconds."""

    rate: Rate
    remaining: int
    reset: int


@dataclass(frozen=True, slots=True)
class Taken:
    """The request may pass."""

    allowances: tuple[Allowance, ...]


@dataclass(frozen=True, slots=True)
class Spent:
    """The request may not pass; `rate` is the one used up for longest, `retry_after` seconds."""

    allowances: tuple[Allowance, ...]
    rate: Rate
    retry_after: int


Outcome = Taken | Spent


def outcome(
    fits: bool, rates: Sequence[Rate], windows: Sequence[Window], now: int, cost: int
) -> Outcome:
    """What the windows after a request say to the caller."""
    allowances = tuple(_allowance(*each, now, cost) for each in zip(rates, windows, strict=True))
    if fits:
        return Taken(allowances)
    tightest = max(allowances, key=lambda each: (each.remaining < cost, each.reset))
    return Spent(allowances, tightest.rate, tightest.reset)


def _allowance(rate: Rate, window: Window, now: int, cost: int) -> Allowance:
    length = rate.seconds * 1000
    remaining = max(0, math.floor(rate.limit - window.used(now, length)))
    wait = _wait(rate, window, now, cost) if remaining < cost else window.start + length - now
    return Allowance(rate, remaining, max(1, math.ceil(wait / 1000)))


def _wait(rate: Rate, window: Window, now: int, cost: int) -> float:
    """Milliseconds until `cost` fits if nothing else is asked for."""
    length = rate.seconds * 1000
    free = rate.limit - cost
    to_next = window.start + length - now
    if free < 0:
        return length  # it never fits; configuration refuses such a cost
    if window.current <= free and window.previous:
        return to_next - length * (free - window.current) / window.previous
    overlap = 0.0 if window.current <= free else length * (1 - free / window.current)
    return to_next + overlap


def count(
    kept: Sequence[Window], rates: Sequence[Rate], now: int, cost: int
) -> tuple[tuple[Window, ...], Outcome]:
    """The windows after a request, and what it is told: `take_quota.lua` does the same."""
    windows = [
        window.at(now, rate.seconds * 1000) for window, rate in zip(kept, rates, strict=True)
    ]
    fits = all(
        window.used(now, rate.seconds * 1000) + cost <= rate.limit
        for window, rate in zip(windows, rates, strict=True)
    )
    if fits:
        windows = [Window(each.start, each.current + cost, each.previous) for each in windows]
    return tuple(windows), outcome(fits, rates, windows, now, cost)
