"""Events, mirrors and snapshots for tests."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cache

from ludo.mirror.body import to_body
from ludo.mirror.incoming import GameEvent
from ludo.mirror.mirror import Mirror, Referee
from ludo.mirror.settle import Settled, Waiting, settle
from ludo.mirror.snapshot import Snapshot
from ludo.rules.events import Event, Rolled
from ludo.rules.ruleset import GameMode
from tests.rules.builders import play_game

GAME = "gm_test"
ROOM = "ABC123"
EPOCH = "epoch-1"


def told(event: Event) -> GameEvent:
    """The event as upstream tells it."""
    digest = f"{hash((type(event).__name__, event)) & 0xFFFFFFFF:08x}"
    at = f"2026-11-21T08:00:{event.sequence % 60:02d}.{event.sequence % 1000:03d}Z"
    room = ROOM if event.sequence == 1 else None
    return GameEvent(GAME, room, at, event, digest)


@cache
def a_history(seed: int = 1, mode: GameMode = GameMode.QUICK) -> tuple[GameEvent, ...]:
    """All events of one legal game."""
    return tuple(told(event) for event in play_game(seed, mode))


def arriving(events: Iterable[GameEvent], start: int = 1_000) -> list[Waiting]:
    """The events as they wait in an inbox, a millisecond apart."""
    return [
        Waiting(f"{start + n}-0", start + n, "webhook", f"msg_{start + n}", event)
        for n, event in enumerate(events)
    ]


def settled(
    events: Sequence[GameEvent], mirror: Mirror | None = None, referee: Referee | None = None
) -> Settled:
    """What becomes of these events, arriving in this order, all at once."""
    return settle(mirror, arriving(events), {}, referee or Referee(), EPOCH)


def mirror_after(events: Sequence[GameEvent]) -> Mirror:
    """The mirror that contains exactly these events."""
    mirror = settled(events).mirror
    assert mirror is not None
    return mirror


def snapshot_after(events: Sequence[GameEvent]) -> Snapshot:
    """Upstream's state after these events."""
    return mirror_after(events).snapshot


def body_after(events: Sequence[GameEvent]) -> dict[str, object]:
    """Upstream's state body after these events."""
    return to_body(snapshot_after(events))


def another(event: GameEvent) -> GameEvent:
    """An event that says something else under the same sequence."""
    if isinstance(event.event, Rolled):
        return told(replace(event.event, value=event.event.value % 6 + 1))
    return replace(event, digest="another-content")
