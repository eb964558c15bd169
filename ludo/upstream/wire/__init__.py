"""What goes over the wire, and the values it stands for: events, states, rooms, players."""

from ludo.mirror.incoming import GameEvent, Hint, Incoming, RoomEvent, UnknownEvent
from ludo.upstream.errors import MalformedEvent, MalformedState
from ludo.upstream.wire.events import (
    Told,
    envelope,
    event_body,
    game_event,
    parse_event,
    parse_told,
)
from ludo.upstream.wire.states import parse_state

__all__ = [
    "GameEvent",
    "Hint",
    "Incoming",
    "MalformedEvent",
    "MalformedState",
    "RoomEvent",
    "Told",
    "UnknownEvent",
    "envelope",
    "event_body",
    "game_event",
    "parse_event",
    "parse_state",
    "parse_told",
]
