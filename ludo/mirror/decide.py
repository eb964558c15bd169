"""What one event does to one mirror: the table of design section 7."""

from dataclasses import dataclass, replace
from typing import assert_never

from ludo.mirror.incoming import GameEvent
from ludo.mirror.mirror import Mirror, Referee, Strictness
from ludo.mirror.snapshot import Snapshot, Status
from ludo.rules.board import Game
from ludo.rules.referee import Ruling, Violation, announce, judge


@dataclass(frozen=True, slots=True)
class Applied:
    """The event is the next one and is in the mirror now.

    `captured` names the pieces it sent back; `breach` is the clause that it broke when the
    referee only observes.
    """

    mirror: Mirror
    captured: tuple[str, ...] = ()
    breach: Violation | None = None


@dataclass(frozen=True, slots=True)
class Duplicate:
    """The very event was applied before."""


@dataclass(frozen=True, slots=True)
class Stale:
    """A resync has gone past this event."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """Another event was applied under this sequence; one of the two is wrong."""


@dataclass(frozen=True, slots=True)
class Divergent:
    """The rules refuse it: it is set aside, and its sequence counts as missing."""

    mirror: Mirror | None
    violation: Violation


@dataclass(frozen=True, slots=True)
class Gap:
    """The event waits for the one with sequence `missing`."""

    missing: int


Decision = Applied | Duplicate | Stale | Conflict | Divergent | Gap


def decide(
    mirror: Mirror | None,
    event: GameEvent,
    applied_digest: str | None,
    referee: Referee,
    new_epoch: str,
) -> Decision:
    """What this event does to that mirror.

    `applied_digest` is the digest of the event applied under the same sequence, if one was;
    `new_epoch` is the epoch of a mirror that this event creates.
    """
    place = mirror.sequence if mirror else 0
    sequence = event.event.sequence
    if sequence > place + 1:
        return Gap(place + 1)
    if sequence == place + 1:
        return _next(mirror, event, referee, new_epoch)
    if applied_digest == event.digest:
        return Duplicate()
    if applied_digest is None or (mirror is not None and sequence <= mirror.floor):
        return Stale()
    return Conflict()


def _next(
    mirror: Mirror | None, event: GameEvent, referee: Referee, new_epoch: str
) -> Applied | Divergent:
    if mirror is None:
        return _first(event, referee, new_epoch)
    rulings, refusals = _judged(mirror.snapshot.games, event, referee)
    if rulings:
        return _applied(mirror, event, rulings, None)
    strictness = referee.strictness_for(mirror.divergences)
    match strictness:
        case Strictness.ENFORCE:
            return Divergent(_counted(mirror, event.digest), refusals[0])
        case Strictness.OBSERVE | Strictness.OFF:
            breach = refusals[0] if strictness is Strictness.OBSERVE else None
            told = announce(mirror.snapshot.games[0], event.event, referee.rules)
            return _applied(mirror, event, (told,), breach)
        case _:
            assert_never(strictness)


def _first(event: GameEvent, referee: Referee, new_epoch: str) -> Applied | Divergent:
    ruling = judge(None, event.event, referee.rules)
    if isinstance(ruling, Violation):
        return Divergent(None, ruling)
    snapshot = Snapshot(
        game_id=event.game_id,
        room_code=event.room_code or "",
        status=Status.PLAYING,
        games=(ruling.game,),
        updated_at=event.at,
        connected=frozenset(player.id for player in ruling.game.players),
    )
    return Applied(Mirror(new_epoch, snapshot))


def _judged(
    games: tuple[Game, ...], event: GameEvent, referee: Referee
) -> tuple[tuple[Ruling, ...], tuple[Violation, ...]]:
    """The rulings of every game that the snapshot may be: legal in one is legal."""
    rulings, refusals = [], []
    for game in games:
        ruling = judge(game, event.event, referee.rules)
        if isinstance(ruling, Violation):
            refusals.append(ruling)
        else:
            rulings.append(ruling)
    return tuple(rulings), tuple(refusals)


def _applied(
    mirror: Mirror, event: GameEvent, rulings: tuple[Ruling, ...], breach: Violation | None
) -> Applied:
    if len(rulings) == 1:
        games: tuple[Game, ...] = (rulings[0].game,)
    else:
        games = tuple(dict.fromkeys(ruling.game for ruling in rulings))
    over = games[0].board.due is None
    was = mirror.snapshot
    snapshot = Snapshot(
        game_id=was.game_id,
        room_code=was.room_code,
        status=Status.FINISHED if over else was.status,
        games=games,
        updated_at=event.at,
        connected=was.connected,
    )
    # Said in full: `replace` takes several times as long, and this is done for every event.
    after = Mirror(mirror.epoch, snapshot, mirror.floor, mirror.divergences, mirror.refused)
    return Applied(after, rulings[0].captured, breach)


def _counted(mirror: Mirror, digest: str) -> Mirror:
    if digest == mirror.refused:
        return mirror
    return replace(mirror, divergences=mirror.divergences + 1, refused=digest)
