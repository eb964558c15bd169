"""The rooms that are remembered, by code and by game."""

from collections import deque
from collections.abc import Callable, Container

from sandbox import chance
from sandbox.answers import Refusal, not_found
from sandbox.room import Room, RoomStatus
from sandbox.table import Table


class Rooms:
    """All rooms in the order of their opening; of the closed ones only the last `keep`."""

    def __init__(self, keep: int) -> None:
        self._keep = keep
        self._by_code: dict[str, Room] = {}
        self._by_game: dict[str, Room] = {}
        self._closed: deque[Room] = deque()

    def add(self, room: Room) -> None:
        """Remember a room; its code and its game's id are new."""
        self._by_code[room.code] = self._by_game[room.game_id] = room

    def close(self, room: Room) -> None:
        """Count a room among the closed ones, and forget the oldest of too many."""
        room.status = RoomStatus.CLOSED
        self._closed.append(room)
        while len(self._closed) > self._keep:
            oldest = self._closed.popleft()
            del self._by_code[oldest.code], self._by_game[oldest.game_id]

    def find(self, code: str) -> Room | Refusal:
        """The room of a code, in any casing."""
        return self._by_code.get(code.upper()) or not_found("room", code)

    def find_game(self, game_id: str) -> tuple[Room, Table] | Refusal:
        """A game that has started, with its room."""
        room = self._by_game.get(game_id)
        if room is None or room.table is None:
            return not_found("game", game_id)
        return room, room.table

    def of(self, status: str | None = None) -> list[Room]:
        """The rooms of a status; without one, those that are not closed."""
        return [
            room
            for room in self._by_code.values()
            if (room.status.value == status if status else room.status is not RoomStatus.CLOSED)
        ]

    def games(self) -> list[tuple[Room, Table]]:
        """The games that have started, with their rooms."""
        return [(room, room.table) for room in self._by_game.values() if room.table is not None]

    def new_code(self, seed: str) -> str:
        """A code that no room has; it follows from the seed unless that was used before."""
        return _unused(self._by_code, lambda n: chance.room_code(seed, "room", n))

    def new_game_id(self, seed: str) -> str:
        """A game's id that no game has, in the same way."""
        return _unused(self._by_game, lambda n: chance.name("gm", seed, "game", n))


def _unused(taken: Container[str], draw: Callable[[int], str]) -> str:
    attempt = 0
    while (found := draw(attempt)) in taken:
        attempt += 1
    return found
