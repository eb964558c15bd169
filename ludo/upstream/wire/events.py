"""Events as upstream sends them, by webhook or socket: `{type, timestamp, data}`."""

import hashlib
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, Final, NamedTuple, assert_never

import msgspec

from ludo.mirror.incoming import GameEvent, Hint, Incoming, RoomEvent, UnknownEvent
from ludo.rules.events import Ended, Event, Moved, Player, Rolled, Started, TurnChanged
from ludo.rules.ruleset import GameMode
from ludo.rules.track import HOME, SEAT_OF, SEATS, YARD, Color
from ludo.upstream.errors import MalformedEvent
from ludo.upstream.wire.fields import MAX_NUMBER, Fields, Json, decode, shown
from ludo.upstream.wire.plain import read_plainly

_DIGEST_LENGTH: Final = 32
_MAX_PLACEMENTS: Final = 16
"""Only a bound on size: whether the placements are right is the referee's to say (R14)."""


class Told(NamedTuple):
    """An event of one game as a body tells it; `at` is the envelope's timestamp or ""."""

    game_id: str
    event: Event
    room_code: str | None
    at: str

    def digested(self, digest: str | None = None) -> GameEvent:
        """The same with the digest of its content, by which a mirror tells events apart.

        Whoever stored the digest beside the body gives it, so that it is not made again.
        """
        if digest is not None:
            return GameEvent(self.game_id, self.room_code, self.at, self.event, digest)
        return game_event(self.game_id, self.event, room_code=self.room_code, at=self.at)


class Kind(StrEnum):
    """The types of the vocabulary (design section 5)."""

    ROOM_CREATED = "room:created"
    PLAYER_JOINED = "room:player-joined"
    PLAYER_LEFT = "room:player-left"
    ROOM_CLOSED = "room:closed"
    STARTED = "game:started"
    ROLLED = "game:dice-rolled"
    MOVED = "game:piece-moved"
    TURN_CHANGED = "game:turn-change"
    ENDED = "game:ended"


def parse_event(body: bytes) -> Incoming:
    """What a body tells; raises MalformedEvent."""
    told = parse_told(body)
    return told.digested() if isinstance(told, Told) else told


def parse_told(body: bytes, *, in_range: bool = True) -> Told | RoomEvent | Hint | UnknownEvent:
    """The same for whoever judges events and does not compare them: without digests.

    With `in_range` off, impossible numbers and lists are let through for a referee to name the
    clause that they break.
    """
    plain = read_plainly(body)
    if plain is not None:
        return Told(*plain)
    whole = decode(body, MalformedEvent)
    kind = whole.get("type")
    if not isinstance(kind, str):
        raise MalformedEvent("type to be a text", "nothing" if kind is None else shown(kind))
    if kind not in _ROOM_FIELDS and kind not in _GAME_EVENTS:
        return UnknownEvent(kind)
    data = Fields(whole, MalformedEvent, in_range=in_range).nested("data")
    if kind in _ROOM_FIELDS:
        return _room_event(kind, data)
    return _told(kind, data, whole.get("timestamp"))


def _room_event(kind: str, data: Fields) -> RoomEvent:
    _ROOM_FIELDS[kind](data)
    return RoomEvent(kind, data.text("roomCode"))


def _told(kind: str, data: Fields, timestamp: object) -> Told | Hint:
    game_id = data.text("gameId")
    if not data.has("sequence"):
        return Hint(kind, game_id)
    event = _GAME_EVENTS[kind](data, data.number("sequence", 1, MAX_NUMBER))
    room_code = data.text("roomCode") if kind == Kind.STARTED or data.given("roomCode") else None
    return Told(game_id, event, room_code, timestamp if isinstance(timestamp, str) else "")


def game_event(
    game_id: str, event: Event, *, room_code: str | None = None, at: str = ""
) -> GameEvent:
    """An event at its place in a game, with the digest that its content has."""
    content = msgspec.json.encode(
        [kind_of(event), _data(game_id, room_code, event)], order="sorted"
    )
    digest = hashlib.sha256(content).hexdigest()[:_DIGEST_LENGTH]
    return GameEvent(game_id, room_code, at, event, digest)


def event_body(event: GameEvent) -> Json:
    """The body that tells this event, with camelCase names."""
    data = _data(event.game_id, event.room_code, event.event)
    return {"type": kind_of(event.event), "timestamp": event.at, "data": data}


def envelope(kind: str, at: str, data: Mapping[str, Any]) -> Json:
    """The body of an event of any kind; `at` is ISO 8601."""
    return {"type": str(kind), "timestamp": at, "data": dict(data)}


def kind_of(event: Event) -> Kind:
    """The type under which an event is sent."""
    match event:
        case Started():
            return Kind.STARTED
        case Rolled():
            return Kind.ROLLED
        case Moved():
            return Kind.MOVED
        case TurnChanged():
            return Kind.TURN_CHANGED
        case Ended():
            return Kind.ENDED
        case _:
            assert_never(event)


def _data(game_id: str, room_code: str | None, event: Event) -> Json:
    sequence = event.sequence
    match event:
        case Rolled(player=player, value=value):
            return {"gameId": game_id, "sequence": sequence, "playerId": player, "value": value}
        case Moved():
            return {
                "gameId": game_id,
                "sequence": sequence,
                "playerId": event.player,
                "pieceId": event.piece,
                "position": event.position,
            }
        case TurnChanged(current=current):
            return {"gameId": game_id, "sequence": sequence, "currentPlayerId": current}
        case Started():
            return {
                "gameId": game_id,
                "sequence": sequence,
                "roomCode": room_code or "",
                "gameMode": event.mode.value,
                "players": [_player_data(player) for player in _by_seat(event.players)],
                "currentPlayerId": event.current,
            }
        case Ended(winner=winner, placements=placements):
            placed = list(placements)
            return {
                "gameId": game_id,
                "sequence": sequence,
                "winnerId": winner,
                "placements": placed,
            }
        case _:
            assert_never(event)


def _player_data(player: Player) -> Json:
    return {"playerId": player.id, "playerName": player.name, "color": player.color.value}


def _by_seat(players: tuple[Player, ...]) -> tuple[Player, ...]:
    """The order in which players are announced means nothing (R4), so it has no part in digests."""
    return tuple(sorted(players, key=lambda player: SEAT_OF[player.color]))


def _started(data: Fields, sequence: int) -> Started:
    players = tuple(_player(entry) for entry in data.objects("players", 2, SEATS))
    return Started(
        sequence, data.one_of("gameMode", GameMode), _by_seat(players), data.text("currentPlayerId")
    )


def _player(entry: Fields) -> Player:
    return Player(entry.text("playerId"), entry.label("playerName"), entry.one_of("color", Color))


def _rolled(data: Fields, sequence: int) -> Rolled:
    return Rolled(sequence, data.text("playerId"), data.number("value", 1, 6))


def _moved(data: Fields, sequence: int) -> Moved:
    player, piece = data.text("playerId"), data.text("pieceId")
    return Moved(sequence, player, piece, data.number("position", YARD, HOME))


def _turn_changed(data: Fields, sequence: int) -> TurnChanged:
    return TurnChanged(sequence, data.text("currentPlayerId"))


def _ended(data: Fields, sequence: int) -> Ended:
    return Ended(sequence, data.text("winnerId"), data.texts("placements", 0, _MAX_PLACEMENTS))


def _created(data: Fields) -> None:
    data.number("maxPlayers", 2, SEATS)
    data.one_of("gameMode", GameMode)


def _closed(data: Fields) -> None:
    data.label("reason")


_ROOM_FIELDS: Final[Mapping[str, Callable[[Fields], object]]] = {
    Kind.ROOM_CREATED: _created,
    Kind.PLAYER_JOINED: _player,
    Kind.PLAYER_LEFT: _player,
    Kind.ROOM_CLOSED: _closed,
}
_GAME_EVENTS: Final[Mapping[str, Callable[[Fields, int], Event]]] = {
    Kind.STARTED: _started,
    Kind.ROLLED: _rolled,
    Kind.MOVED: _moved,
    Kind.TURN_CHANGED: _turn_changed,
    Kind.ENDED: _ended,
}
