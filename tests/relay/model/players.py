"""A client: the real conversation, driven over wires, and checked at every step."""

import asyncio
from collections.abc import Callable
from random import Random
from typing import Any

from ludo.relay.actions import Action, Dial, HangUp, Renew, Send, Tell
from ludo.relay.changes import Change, Delayed, Delta, Gone, Place, Snapshot
from ludo.relay.conversation import Conversation
from tests.relay.model.shelf import state_at
from tests.relay.model.wires import Wire

Connect = Callable[[Wire], bool]
Token = Callable[[], str]


class Player:
    """Follows games, and fails the run at the first thing that is not the truth."""

    def __init__(self, name: str, chance: Random, connect: Connect, token: Token) -> None:
        self.name = name
        self.talk = Conversation(chance, renewable=True)
        self.at: dict[str, Place] = {}
        self.applied = 0
        self.snapshots = 0
        self._chance = chance
        self._connect = connect
        self._token = token
        self._wires: dict[int, Wire] = {}
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None

    def open(self, games: list[str]) -> None:
        """Come in."""
        for game in games:
            self.watch(game)
        self._do(self.talk.open(self._loop.time()))

    def watch(self, game: str) -> None:
        """Follow a game."""
        self._do(self.talk.watch(game, self._loop.time()))

    def unwatch(self, game: str) -> None:
        """Follow a game no longer."""
        self.at.pop(game, None)
        self._do(self.talk.unwatch(game))

    def close(self) -> None:
        """Leave."""
        self._do(self.talk.close())

    def wires(self) -> list[Wire]:
        """The sockets that are open."""
        return list(self._wires.values())

    def copy(self, game: str) -> tuple[Place | None, dict[str, Any] | None]:
        """What this client has."""
        follower = self.talk.followers[game]
        return follower.place, follower.state

    # ---- the driver

    def _do(self, actions: list[Action]) -> None:
        for action in actions:
            match action:
                case Dial(number):
                    self._loop.call_later(self._chance.uniform(0.001, 0.1), self._dial, number)
                case Send(number, text):
                    if number in self._wires:
                        self._wires[number].send(text)
                case HangUp(number):
                    wire = self._wires.pop(number, None)
                    if wire is not None:
                        wire.hang_up()
                case Renew():
                    actions_after = self.talk.renewed(self._token(), *self._times())
                    self._loop.call_soon(self._do, actions_after)
                case Tell(change):
                    self._check(change)
                case _:
                    pass
        if self._timer is not None:
            self._timer.cancel()
        due = self.talk.due
        if due != float("inf"):
            self._timer = self._loop.call_at(due, self._tick)

    def _times(self) -> tuple[float, float]:
        return self._loop.time(), 1_700_000_000 + self._loop.time()

    def _tick(self) -> None:
        self._timer = None
        self._do(self.talk.tick(self._loop.time()))

    def _dial(self, number: int) -> None:
        wire = Wire(
            self._chance,
            lambda text: self._do(self.talk.received(number, text, self._loop.time())),
            lambda code: self._lost(number, code),
        )
        if not self._connect(wire):
            self._lost(number, 0)
            return
        self._wires[number] = wire
        self._do(self.talk.connected(number, self._token(), *self._times()))

    def _lost(self, number: int, code: int) -> None:
        self._wires.pop(number, None)
        self._do(self.talk.lost(number, code, "", self._loop.time()))

    # ---- the truth

    def _check(self, change: Change) -> None:
        match change:
            case Snapshot(game=game, place=place, state=state):
                assert state == state_at(game, place.epoch, place.seq)
                self.snapshots += 1
                self.at[game] = place
            case Delta(game=game, seq=seq, state=state):
                before = self.at[game]
                assert seq == before.seq + 1, f"{self.name}: {seq} after {before.seq}"
                assert state == state_at(game, before.epoch, seq)
                self.applied += 1
                self.at[game] = Place(before.epoch, seq)
            case Gone():
                raise AssertionError(f"{self.name} was refused: {change}")
            case Delayed():
                pass
            case _:
                pass
