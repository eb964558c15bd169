"""Rooms and the people in them: opened, joined, left, started, closed."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any, Final, Protocol

from ludo.rules.events import Player
from ludo.rules.ruleset import GameMode, RuleSet
from ludo.rules.track import COLORS, SEAT_OF, Color
from ludo.upstream.wire.events import Kind
from sandbox import chance
from sandbox.accounts import Account, Accounts, bot_id
from sandbox.answers import Refusal, conflict, not_found
from sandbox.bots import BOTS
from sandbox.room import News, Room, RoomStatus, Seat, player_body
from sandbox.rooms import Rooms
from sandbox.table import Happened, Table, Turn

FEWEST: Final = 2
"""Players without whom no game starts (R4)."""
MOST_WAITING: Final = 1_000
"""Rooms that may wait for players; the one that waited longest is closed for the next."""


@dataclass(frozen=True, slots=True)
class Order:
    """How a room is wished for; everything from `bots` on is the sandbox' own.

    `seed` fixes all that is random in the room, `speed` is the bots' rolls and moves a second
    (0: as fast as deliveries allow), and `autostart` starts the game when the last seat is taken.
    """

    capacity: int = 4
    mode: GameMode = GameMode.CLASSIC
    bots: int = 0
    seed: str | None = None
    speed: float | None = None
    autostart: bool = False


class Witness(Protocol):
    """Who is told of everything that happens, in order and at once."""

    def room(self, room: Room, news: News) -> None:
        """Something happened to a room."""

    def game(self, room: Room, happened: Happened) -> None:
        """Something happened in a room's game."""


class Lobby:
    """What happens in rooms, and who is told of it; `attend` is called for every game that starts.

    Every method acts at once and whole: what is refused has changed nothing.
    """

    def __init__(
        self,
        witness: Witness,
        attend: Callable[[Room], None],
        now: Callable[[], int],
        *,
        seed: str,
        speed: float,
        rules: RuleSet,
        keep: int,
    ) -> None:
        self._witness = witness
        self._attend = attend
        self._now = now
        self._seed = seed
        self._speed = speed
        self._rules = rules
        self._opened = 0
        self.rooms = Rooms(keep)
        self.accounts = Accounts(seed, now())

    def register(self, name: str) -> Account:
        """A new player, who sits nowhere yet."""
        return self.accounts.register(name, self._now())

    def open(self, order: Order) -> Room:
        """A new room, its bots seated; started already if that filled it and it starts itself."""
        room = self._new_room(order)
        self.rooms.add(room)
        self._tell(room, Kind.ROOM_CREATED, maxPlayers=room.capacity, gameMode=room.mode.value)
        for name in Random(chance.number(room.seed, "bots")).sample(BOTS, order.bots):
            self._seat(room, Player(bot_id(name), name, _color(room)), bot=True)
        self._close_longest_waiting()
        self._start_if_full(room)
        return room

    def join(
        self, code: str, name: str, color: Color | None = None, player_id: str | None = None
    ) -> tuple[Room, Player] | Refusal:
        """Take a seat, as a registered player or as a new one; who left may come back."""
        room = self.rooms.find(code)
        if isinstance(room, Refusal):
            return room
        taken = self._taken_by(room, player_id)
        if taken is not None:
            return self._come_back(room, taken)
        player = self._why_no_seat(room, color) or self._arriving(room, name, color, player_id)
        if isinstance(player, Refusal):
            return player
        self._seat(room, player, bot=False)
        self._start_if_full(room)
        return room, player

    def leave(self, code: str, player_id: str) -> Room | Refusal:
        """Leave a room: a waiting one is left for good, in a game the seat stays taken."""
        room = self.rooms.find(code)
        if isinstance(room, Refusal):
            return room
        taken = self._taken_by(room, player_id)
        if taken is None:
            return not_found("player of this room", player_id)
        if not taken.connected or room.status is RoomStatus.CLOSED:
            return room
        taken.connected = False
        if room.status is RoomStatus.WAITING:
            del room.seats[SEAT_OF[taken.player.color]]
        self._tell(room, Kind.PLAYER_LEFT, **player_body(taken.player))
        if not room.seats:
            self._close(room, "empty")
        return room

    def start(self, code: str) -> Room | Refusal:
        """Start the game of a waiting room with the players who are there."""
        room = self.rooms.find(code)
        if isinstance(room, Refusal):
            return room
        if room.status is not RoomStatus.WAITING:
            return conflict("ALREADY_STARTED", f"expected a waiting room; it is {room.status}")
        if len(room.seats) < FEWEST:
            found = len(room.seats)
            return conflict(
                "NOT_ENOUGH_PLAYERS", f"expected at least {FEWEST} players; found {found}"
            )
        self._start(room)
        return room

    def played(self, room: Room, turn: Turn) -> None:
        """Tell what a turn led to, and close the room of a game that ended with it."""
        for happened in turn.happened:
            self._witness.game(room, happened)
        room.changed.set()
        if room.table is not None and room.table.over:
            self.accounts.count(room.players, room.table.winner)
            self._close(room, "finished")

    def _new_room(self, order: Order) -> Room:
        self._opened += 1
        seed = order.seed if order.seed is not None else f"{self._seed}:{self._opened}"
        return Room(
            code=self.rooms.new_code(seed),
            game_id=self.rooms.new_game_id(seed),
            seed=seed,
            capacity=order.capacity,
            mode=order.mode,
            speed=self._speed if order.speed is None else order.speed,
            autostart=order.autostart,
            created_at=self._now(),
        )

    def _why_no_seat(self, room: Room, color: Color | None) -> Refusal | None:
        if room.status is not RoomStatus.WAITING:
            return conflict("ALREADY_STARTED", f"expected a waiting room; it is {room.status}")
        if room.full:
            return conflict("ROOM_FULL", f"expected a free seat; all {room.capacity} are taken")
        if color is not None and SEAT_OF[color] in room.seats:
            return conflict("COLOR_TAKEN", f"expected a free colour; {color} is taken")
        return None

    def _taken_by(self, room: Room, player_id: str | None) -> Seat | None:
        """The seat of somebody who is no bot."""
        seat = None if player_id is None else room.seat_of(player_id)
        return None if seat is None or room.seats[seat].bot else room.seats[seat]

    def _come_back(self, room: Room, seat: Seat) -> tuple[Room, Player]:
        if not seat.connected and room.status is RoomStatus.PLAYING:
            seat.connected = True
            self._tell(room, Kind.PLAYER_JOINED, **player_body(seat.player))
        return room, seat.player

    def _arriving(
        self, room: Room, name: str, color: Color | None, player_id: str | None
    ) -> Player | Refusal:
        if player_id is None:
            account = self.accounts.register(name, self._now(), room.seed, len(room.seats))
            player_id = account.id
        elif not self.accounts.is_person(player_id):
            return not_found("player", player_id)
        return Player(player_id, name, color or _color(room))

    def _seat(self, room: Room, player: Player, *, bot: bool) -> None:
        room.seats[SEAT_OF[player.color]] = Seat(player, bot)
        self._tell(room, Kind.PLAYER_JOINED, **player_body(player))

    def _start_if_full(self, room: Room) -> None:
        if room.autostart and room.full:
            self._start(room)

    def _start(self, room: Room) -> None:
        dice = Random(chance.number(room.seed, "dice"))
        room.table = Table(room.players, room.mode, self._rules, dice, self._now)
        room.status = RoomStatus.PLAYING
        self._witness.game(room, room.table.log[0])
        self._attend(room)

    def _close(self, room: Room, reason: str) -> None:
        self.rooms.close(room)
        self._tell(room, Kind.ROOM_CLOSED, reason=reason)

    def _close_longest_waiting(self) -> None:
        waiting = self.rooms.of(RoomStatus.WAITING.value)
        if len(waiting) > MOST_WAITING:
            self._close(waiting[0], "idle")

    def _tell(self, room: Room, kind: Kind, **data: Any) -> None:
        room.told += 1
        news = News(room.told, kind, self._now(), {"roomCode": room.code, **data})
        self._witness.room(room, news)


def _color(room: Room) -> Color:
    seat = room.free_seat()
    if seat is None:
        raise RuntimeError("a full room was given another player")
    return COLORS[seat]
