"""Everything that one event may turn into when a single field of it is wrong."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import permutations

from ludo.rules.events import Ended, Event, Moved, Rolled, Started, TurnChanged
from ludo.rules.track import HOME, PIECE_IDS, YARD
from tests.rules.builders import started


def corruptions(event: Event, ids: list[str]) -> Iterator[Event]:
    """Every event that differs from this one in one field; `ids` are the players."""
    people = [*ids, "stranger"]
    for sequence in (0, 1, event.sequence - 1, event.sequence + 1):
        yield replace(event, sequence=sequence)
    match event:
        case Rolled():
            yield from (replace(event, player=player) for player in people)
            yield from (replace(event, value=value) for value in range(8))
        case Moved():
            yield from (replace(event, player=player) for player in people)
            yield from (replace(event, piece=piece) for piece in (*PIECE_IDS, "red-4"))
            yield from (replace(event, position=to) for to in range(YARD - 1, HOME + 2))
        case TurnChanged():
            yield from (replace(event, current=player) for player in people)
        case Ended():
            yield from (replace(event, winner=player) for player in people)
            yield from (replace(event, placements=order) for order in permutations(ids))
            yield replace(event, placements=event.placements[:-1])
        case Started():
            yield from (replace(event, current=player) for player in people)


def substitutes(sequence: int, ids: list[str]) -> Iterator[Event]:
    """Events of every kind and player, whatever is due; `ids` end in the colour."""
    for player in [*ids, "player-stranger"]:
        colour = player.split("-")[1]
        yield from (Rolled(sequence, player, value) for value in (0, 6))
        yield TurnChanged(sequence, player)
        yield Ended(sequence, player, tuple(ids))
        for number in range(4):
            yield from (Moved(sequence, player, f"{colour}-{number}", to) for to in (0, 9, 56))
    yield replace(started(), sequence=sequence)
