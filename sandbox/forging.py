"""Wrong content that looks right: every field in range, one of them another than the truth."""

from collections.abc import Iterable
from dataclasses import replace
from random import Random
from typing import TypeVar, assert_never

from ludo.rules.events import Ended, Event, Moved, Player, Rolled, Started, TurnChanged
from ludo.rules.track import HOME, PIECE_IDS, PIECES_PER_SEAT, SEAT_OF

T = TypeVar("T")


def forge(event: Event, players: tuple[Player, ...], draw: int) -> Event:
    """The event with one field changed; which, and to what, follows from the draw."""
    chance = Random(draw)
    ids = [player.id for player in players]
    match event:
        case Rolled():
            if chance.random() < 0.5:
                return replace(event, value=_other(range(1, 7), event.value, chance))
            return replace(event, player=_other(ids, event.player, chance))
        case Moved():
            return _forged_move(event, players, chance)
        case TurnChanged() | Started():
            return replace(event, current=_other(ids, event.current, chance))
        case Ended():
            return replace(event, winner=_other(ids, event.winner, chance))
        case _:
            assert_never(event)


def _forged_move(event: Moved, players: tuple[Player, ...], chance: Random) -> Moved:
    field = chance.choice(("piece", "position", "player"))
    if field == "piece":
        seats = {SEAT_OF[player.color] for player in players}
        pieces = [name for n, name in enumerate(PIECE_IDS) if n // PIECES_PER_SEAT in seats]
        return replace(event, piece=_other(pieces, event.piece, chance))
    if field == "position":
        return replace(event, position=_other(range(HOME + 1), event.position, chance))
    return replace(event, player=_other([p.id for p in players], event.player, chance))


def _other(values: Iterable[T], truth: T, chance: Random) -> T:
    return chance.choice([value for value in values if value != truth])
