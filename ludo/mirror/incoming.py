"""What upstream told us, parsed: the events that a mirror may be asked to take."""

from dataclasses import dataclass

from ludo.rules.events import Event


@dataclass(frozen=True, slots=True)
class GameEvent:
    """An event of one game, at its place in that game's sequence.

    `at` is the envelope's timestamp, "" if it carried none. `digest` names the event's content:
    the same event has the same digest however it came and whatever time it was sent at.
    """

    game_id: str
    room_code: str | None
    at: str
    event: Event
    digest: str


@dataclass(frozen=True, slots=True)
class RoomEvent:
    """Something about a room; it carries no sequence and concerns caches only."""

    kind: str
    room_code: str


@dataclass(frozen=True, slots=True)
class Hint:
    """A game's event without a sequence: it says only that the state should be fetched."""

    kind: str
    game_id: str


@dataclass(frozen=True, slots=True)
class UnknownEvent:
    """A type that this version does not know: kept, counted and otherwise ignored."""

    kind: str


Incoming = GameEvent | RoomEvent | Hint | UnknownEvent
