"""Runs of the sandbox's games under its faults, by one, two and eight workers on a real Redis."""

import random
from collections.abc import Mapping

import pytest
from redis.asyncio import Redis

from ludo.store import keys
from ludo.store.counters import accounts
from sandbox.faults import Fault
from tests.workers.runs import Arena, Played, played, sequences, set_aside

LOSSLESS: Mapping[Fault, float] = {Fault.LATE: 0.1, Fault.TWICE: 0.1, Fault.OUT_OF_ORDER: 0.1}
LOSING: Mapping[Fault, float] = {**LOSSLESS, Fault.DROPPED: 0.05, Fault.FORGED: 0.03}
WORST: Mapping[Fault, float] = {**LOSING, Fault.FORGED_LOST: 0.02}


async def the_account_of(arena: Arena, game: Played) -> None:
    """1..N = applied ∪ skipped, and skipped less arrived later = dropped + set aside, exactly."""
    redis, everything = arena.redis, set(range(1, game.length + 1))
    applied = set(await sequences(redis, game.game_id, "s"))
    late = set(await sequences(redis, game.game_id, "l"))
    skipped = everything - applied
    told = int(await redis.hget(keys.game(game.game_id), "skipped") or 0)
    assert applied <= everything
    assert len(skipped) == told
    assert late <= skipped

    never_sent = game.with_fault(Fault.DROPPED)
    refused = await set_aside(redis, game.game_id)
    assert len(skipped) - len(late) == len(skipped & never_sent) + len(
        (skipped & refused) - late - never_sent
    )
    assert never_sent <= skipped


async def the_accounts_of(arena: Arena) -> None:
    """Every game's numbers add up, and so do the deployment's."""
    for game in arena.games:
        await the_account_of(arena, game)
    counters = await arena.counters()
    assert [account.unaccounted for account in accounts(counters)] == [0]
    assert counters.get("pending:webhook", 0) == 0
    kept = [await sequences(arena.redis, game.game_id, "l") for game in arena.games]
    assert counters.get("late", 0) == sum(map(len, kept))


@pytest.mark.parametrize("workers", [1, 2, 8])
async def test_without_a_state_endpoint_every_event_is_applied_once(
    redis: Redis, workers: int
) -> None:
    """Late, doubled and out of order: the mirrors are the truth, and nothing was asked for."""
    games = [played(seed, LOSSLESS, events=60) for seed in (1, 2)]
    arena = Arena(redis, games, workers, works=False)
    await arena.run(random.Random(workers))

    assert await arena.unsettled() == []
    for game in games:
        assert await sequences(redis, game.game_id, "s") == game.digests
    await the_accounts_of(arena)


@pytest.mark.parametrize("workers", [1, 2, 8])
async def test_with_a_state_endpoint_every_mirror_is_the_truth(redis: Redis, workers: int) -> None:
    """Dropped and forged as well: what is missing is fetched, and each number adds up."""
    games = [played(seed, LOSING) for seed in (3, 4)]
    arena = Arena(redis, games, workers)
    await arena.run(random.Random(workers))

    assert await arena.unsettled() == []
    assert any(game.with_fault(Fault.DROPPED) for game in games)
    await the_accounts_of(arena)


async def test_lost_end_of_a_game_is_found_by_its_silence(redis: Redis) -> None:
    """No later event opens a gap before it: the game that says nothing any more is asked for."""
    game = played(5, {Fault.DROPPED: 0.03}, events=60)
    end = {game.length - 1, game.length}
    game.sendings = [(sequence, each) for sequence, each in game.sendings if sequence not in end]
    arena = Arena(redis, [game], workers=2)
    await arena.run(random.Random(5))

    assert await arena.unsettled() == []
    assert (await arena.counters())["repaired:silence"] == 1


@pytest.mark.prove
@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("workers", [1, 2, 8])
@pytest.mark.parametrize("rates", [LOSSLESS, LOSING, WORST], ids=["lossless", "losing", "worst"])
async def test_many_games(redis: Redis, workers: int, rates: Mapping[Fault, float]) -> None:
    """Whole games, forty of them, ten at a time; what is true of two is true of them."""
    for first in range(100, 140, 10):
        await redis.flushall()
        games = [played(seed, rates) for seed in range(first, first + 10)]
        arena = Arena(redis, games, workers, works=rates is not LOSSLESS)
        await arena.run(random.Random(first))
        assert await arena.unsettled() == []
        await the_accounts_of(arena)
