"""Wrong content that only the rules can tell from the truth."""

from dataclasses import fields

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ludo.mirror.incoming import GameEvent
from ludo.rules.events import Ended, Event, Moved, Rolled, Started, TurnChanged
from ludo.rules.ruleset import GameMode
from ludo.upstream.wire.events import event_body, game_event, parse_event
from sandbox.forging import forge
from tests.sandbox.builders import some_players

PLAYERS = some_players(3)
EVENTS = (
    Started(1, GameMode.CLASSIC, PLAYERS, "plr_0"),
    Rolled(2, "plr_0", 6),
    Moved(3, "plr_0", "red-0", 0),
    TurnChanged(4, "plr_1"),
    Ended(5, "plr_0", ("plr_0", "plr_1", "plr_2")),
)


@pytest.mark.parametrize("event", EVENTS)
@given(draw=st.integers(0, 2**64 - 1))
def test_a_forgery_differs_and_can_be_read(event: Event, draw: int) -> None:
    """It is another event of the same kind and sequence, every field of which is in range."""
    forged = forge(event, PLAYERS, draw)

    told = parse_event(msgspec.json.encode(event_body(game_event("gm", forged, room_code="R"))))

    assert forged != event
    assert (type(forged), forged.sequence) == (type(event), event.sequence)
    assert isinstance(told, GameEvent)
    assert told.event == forged


def test_every_field_is_forged() -> None:
    """Value, piece, position and player are all wrong now and then, one at a time."""
    rolled, moved = Rolled(2, "plr_0", 6), Moved(3, "plr_0", "red-0", 0)

    assert changed(rolled) == {("player",), ("value",)}
    assert changed(moved) == {("player",), ("piece",), ("position",)}


def changed(event: Event) -> set[tuple[str, ...]]:
    """The fields in which fifty forgeries differ from the event."""
    forged = [forge(event, PLAYERS, draw) for draw in range(50)]
    names = [each.name for each in fields(event)]
    return {
        tuple(name for name in names if getattr(each, name) != getattr(event, name))
        for each in forged
    }
