"""Any order, repetition and delay of a game's events ends in the state that they have in order."""

import random
from functools import cache

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ludo.mirror.body import to_body
from ludo.mirror.decide import Applied, decide
from ludo.mirror.incoming import GameEvent
from ludo.mirror.mirror import Mirror, Referee
from ludo.mirror.snapshot import Snapshot, agree
from ludo.rules.events import Rolled
from ludo.upstream.wire import game_event
from sandbox.forging import forge
from tests.mirror.builders import a_history, snapshot_after
from tests.workers.simulated import Simulated, provisional, silent
from workers.planning import Fetched

LENGTH = 80
SEEDS = st.integers(0, 7)
CHANCE = st.integers(0, 2**32 - 1)
BATCH = st.integers(1, 30)


@cache
def history(seed: int) -> tuple[GameEvent, ...]:
    """A whole quick game, its events with the digests that upstream's have."""
    return tuple(
        game_event(each.game_id, each.event, room_code=each.room_code, at=each.at)
        for each in a_history(seed)
    )


@cache
def truths(seed: int) -> tuple[Snapshot, ...]:
    """Upstream's states after each event, from the first on."""
    mirror: Mirror | None = None
    states = []
    for event in history(seed):
        decision = decide(mirror, event, None, Referee(), "truth")
        assert isinstance(decision, Applied)
        mirror = decision.mirror
        states.append(mirror.snapshot)
    return tuple(states)


def truth(seed: int, length: int) -> Snapshot:
    """Upstream's state after so many events."""
    return truths(seed)[length - 1]


def forged(event: GameEvent, chance: random.Random) -> GameEvent:
    """Other content under the same sequence; it may be legal."""
    players = snapshot_after(a_history(0)[:1]).games[0].players
    content = forge(event.event, players, chance.getrandbits(32))
    return game_event(event.game_id, content, room_code=event.room_code, at=event.at)


def arriving(game: Simulated, deliveries: list[GameEvent], batch: int) -> None:
    """The deliveries in batches, a while apart, each of which a worker looks at."""
    for start in range(0, len(deliveries), batch):
        game.now += 400
        game.arrive(deliveries[start : start + batch])


@settings(max_examples=25)
@given(SEEDS, CHANCE, BATCH)
def test_without_a_state_endpoint(seed: int, shuffle: int, batch: int) -> None:
    """Nothing is lost and nobody can be asked: the events alone are enough."""
    chance = random.Random(shuffle)
    events = list(history(seed)[:LENGTH])
    deliveries = events + chance.choices(events, k=LENGTH // 4)
    chance.shuffle(deliveries)
    game = Simulated()
    arriving(game, deliveries, batch)

    assert game.record.mirror is not None
    assert to_body(game.record.mirror.snapshot) == to_body(truth(seed, LENGTH))
    assert (game.waiting, game.late, game.record.skipped) == ((), {}, 0)
    assert game.applied == {each.event.sequence: each.digest for each in events}


@settings(max_examples=5)
@example(seed=6, shuffle=116, batch=17, lost=0.0, false=0.3, leaves_out=False)
@given(SEEDS, CHANCE, BATCH, st.floats(0, 0.3), st.floats(0, 0.1), st.booleans())
def test_with_a_state_endpoint(
    seed: int, shuffle: int, batch: int, lost: float, false: float, leaves_out: bool
) -> None:
    """Events are lost, and false ones come: what upstream says of the state puts all right.

    Upstream's bodies are whole, or leave out what they may, so that mirrors are provisional.
    """
    chance = random.Random(shuffle)
    events = history(seed)
    deliveries = []
    for event in events:
        if chance.random() < false:
            deliveries.append(forged(event, chance))
        if chance.random() >= lost:
            deliveries += [event] * chance.choice((1, 1, 1, 2))
    # Delays of any length, but upstream's own progress follows the arrivals.
    order = sorted(deliveries, key=lambda each: each.event.sequence + chance.expovariate(1 / 8))
    told = 0

    def endpoint() -> Fetched:
        state = truth(seed, max(told, 1))
        return provisional(state) if leaves_out else state

    game = Simulated(endpoint)
    for start in range(0, len(order), batch):
        coming = order[start : start + batch]
        told = max(told, *(each.event.sequence for each in coming))
        game.now += 400
        game.arrive(coming)
    told = len(events)
    if not order:  # nobody told us anything: somebody asks
        return
    game.now += 60_000
    game.look()
    game.settle()

    final = truth(seed, told)
    assert game.record.mirror is not None
    assert agree(game.record.mirror.snapshot, final)
    if not leaves_out:
        assert to_body(game.record.mirror.snapshot) == to_body(final)
    assert game.waiting == ()
    assert game.record.closed


@settings(max_examples=25)
@given(SEEDS, CHANCE, BATCH, st.integers(2, LENGTH))
def test_after_a_provisional_start(seed: int, shuffle: int, batch: int, start: int) -> None:
    """A mirror that begins in mid-game with an open body takes what follows in any order."""
    chance = random.Random(shuffle)
    events, told = history(seed)[:LENGTH], start
    game = Simulated(lambda: provisional(truth(seed, told)))
    game.arrive([events[start - 1]])
    game.now += 2_000
    game.look()
    assert game.record.mirror is not None
    game.endpoint = silent
    deliveries = [*events[start:], *chance.choices(events, k=10)]
    chance.shuffle(deliveries)
    arriving(game, deliveries, batch)

    assert agree(game.record.mirror.snapshot, truth(seed, LENGTH))
    assert game.record.skipped == start


@settings(max_examples=25)
@given(SEEDS, CHANCE)
def test_another_content_of_an_applied_event_is_a_conflict(seed: int, shuffle: int) -> None:
    """Both are kept, upstream is asked, and its word holds, whichever of them came first."""
    chance = random.Random(shuffle)
    events = history(seed)[:LENGTH]
    rolls = [each for each in events[:-1] if isinstance(each.event, Rolled)]
    one = chance.choice(rolls)
    pair = [forged(one, chance), one]
    chance.shuffle(pair)
    place = one.event.sequence
    game = Simulated(lambda: truth(seed, LENGTH))
    game.arrive(events[: place - 1])
    game.arrive(pair)
    game.arrive(events[place:])
    game.now += 60_000
    game.look()

    assert game.record.mirror is not None
    assert to_body(game.record.mirror.snapshot) == to_body(truth(seed, LENGTH))


@pytest.mark.prove
@pytest.mark.timeout(1_800)
@settings(max_examples=1_000)
@given(SEEDS, CHANCE, BATCH, st.floats(0, 0.5), st.floats(0, 0.3), st.booleans())
def test_with_a_state_endpoint_for_long(
    seed: int, shuffle: int, batch: int, lost: float, false: float, leaves_out: bool
) -> None:
    """The same with more of everything."""
    test_with_a_state_endpoint.hypothesis.inner_test(seed, shuffle, batch, lost, false, leaves_out)  # type: ignore[attr-defined]
