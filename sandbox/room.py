"""A room: who sits at which colour, and the game that is played there."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from ludo.rules.events import Player
from ludo.rules.ruleset import GameMode
from ludo.rules.track import COLORS
from sandbox.clock import iso
from sandbox.table import Table


class RoomStatus(StrEnum):
    """How far a room is; upstream documents the first two."""

    WAITING = "waiting"
    PLAYING = "playing"
    CLOSED = "closed"


@dataclass(slots=True)
class Seat:
    """A taken seat. A bot's is played by the sandbox, anybody else's after the turn timer only."""

    player: Player
    bot: bool
    connected: bool = True


@dataclass(frozen=True, slots=True)
class News:
    """The nth thing that is announced about a room; its body carries no sequence."""

    number: int
    kind: str
    at: int
    data: Mapping[str, Any]


@dataclass(slots=True, eq=False)
class Room:
    """One room from its opening to its closing; everything random in it follows from `seed`.

    `changed` is set whenever something happened in the game.
    """

    code: str
    game_id: str
    seed: str
    capacity: int
    mode: GameMode
    speed: float
    autostart: bool
    created_at: int
    status: RoomStatus = RoomStatus.WAITING
    seats: dict[int, Seat] = field(default_factory=dict)
    table: Table | None = None
    told: int = 0
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def full(self) -> bool:
        """Whether every seat is taken."""
        return len(self.seats) >= self.capacity

    @property
    def players(self) -> tuple[Player, ...]:
        """Who sits here, in seat order."""
        return tuple(self.seats[seat].player for seat in sorted(self.seats))

    @property
    def connected(self) -> frozenset[str]:
        """The ids of those who have not left."""
        return frozenset(each.player.id for each in self.seats.values() if each.connected)

    def seat_of(self, player_id: str) -> int | None:
        """Where a player sits, if here."""
        for seat, taken in self.seats.items():
            if taken.player.id == player_id:
                return seat
        return None

    def free_seat(self) -> int | None:
        """The next seat to take: two players sit opposite each other."""
        order = (0, 2, 1, 3) if self.capacity == 2 else range(len(COLORS))
        return None if self.full else next(seat for seat in order if seat not in self.seats)

    def body(self) -> dict[str, Any]:
        """The room as `GET /rooms/{code}` tells it."""
        return {
            "code": self.code,
            "status": self.status.value,
            "gameMode": self.mode.value,
            "maxPlayers": self.capacity,
            "playerCount": len(self.seats),
            "players": [player_body(player) for player in self.players],
            "gameId": self.game_id if self.table else None,
            "createdAt": iso(self.created_at),
        }


def player_body(player: Player) -> dict[str, Any]:
    """A player at a table, as rooms and their events name one."""
    return {"playerId": player.id, "playerName": player.name, "color": player.color.value}
