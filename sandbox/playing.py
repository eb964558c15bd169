"""The sandbox at the tables: it plays for its bots, and for whoever lets the turn timer run out."""

import asyncio
from random import Random
from typing import Final

import structlog

from sandbox import chance
from sandbox.bots import choose
from sandbox.errors import RuleBroken
from sandbox.lobby import Lobby
from sandbox.outbox import Outbox
from sandbox.room import Room
from sandbox.table import Table, Turn, piece_name

_AHEAD: Final = 16
"""How far an unpaced game runs ahead of the deliveries of its events."""
_log = structlog.get_logger(__name__)


class Playing:
    """One task a running game. `turn_timer` is seconds; `outbox` slows games down to delivery."""

    def __init__(self, lobby: Lobby, outbox: Outbox, turn_timer: float) -> None:
        self._lobby = lobby
        self._outbox = outbox
        self._turn_timer = turn_timer
        self._tasks: dict[str, asyncio.Task[None]] = {}

    @property
    def games(self) -> int:
        """How many games are running."""
        return len(self._tasks)

    def attend(self, room: Room) -> None:
        """Play in a room's game until it ends."""
        task = asyncio.create_task(self._play(room), name=f"play {room.game_id}")
        self._tasks[room.game_id] = task
        task.add_done_callback(lambda done: self._left(room, done))

    async def ended(self, room: Room) -> None:
        """Wait for the end of a room's game."""
        task = self._tasks.get(room.game_id)
        if task is not None:
            await asyncio.wait({task})

    async def aclose(self) -> None:
        """Get up from every table."""
        tasks = tuple(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _play(self, room: Room) -> None:
        table, choices = _table(room), Random(chance.number(room.seed, "choices"))
        absent: int | None = None
        while not table.over:
            sequence, seat = table.sequence, table.game.board.turn
            if seat == absent or room.seats[seat].bot:
                await self._pace(room)
            elif await self._timed_out(room):
                absent = seat
            else:
                continue
            # A player who came back while we waited has acted: then it is looked at anew.
            if table.sequence == sequence:
                self._lobby.played(room, _act(table, choices))
            absent = absent if table.game.board.turn == absent else None

    async def _pace(self, room: Room) -> None:
        if room.speed:
            await asyncio.sleep(1 / room.speed)
            await self._outbox.ready()
        else:
            await asyncio.sleep(0)
            await self._outbox.ready(room.game_id, _AHEAD)

    async def _timed_out(self, room: Room) -> bool:
        """Whether nothing happens in the room for as long as the turn timer runs."""
        room.changed.clear()
        try:
            async with asyncio.timeout(self._turn_timer):
                await room.changed.wait()
        except TimeoutError:
            return True
        return False

    def _left(self, room: Room, task: asyncio.Task[None]) -> None:
        del self._tasks[room.game_id]
        if not task.cancelled() and task.exception() is not None:
            _log.error("game.broken", game=room.game_id, exc_info=task.exception())


def _table(room: Room) -> Table:
    if room.table is None:
        raise RuntimeError(f"the game of room {room.code} has not started")
    return room.table


def _act(table: Table, choices: Random) -> Turn:
    """The roll or the move that is due, by the player in turn."""
    player = table.current.id
    if table.must_roll:
        turn = table.roll(player)
    else:
        move = choose(table.game.board, table.moves(), choices)
        turn = table.move(player, piece_name(move), move.position)
    if not isinstance(turn, Turn):
        raise RuleBroken(turn.sentence)
    return turn
