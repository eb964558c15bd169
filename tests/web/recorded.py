"""Whole games as the relay would tell them: the state and the delta at every sequence."""

from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from ludo.mirror.body import to_body
from ludo.mirror.mirror import Referee
from ludo.mirror.settle import Waiting, settle
from ludo.rules.events import Event, Started
from ludo.rules.ruleset import GameMode
from ludo.upstream.wire.events import event_body, game_event
from tests.rules.builders import play_game

Json = dict[str, Any]
NAMES = ("Asha", "Benedikt", "Chidi", "Dalia")


@dataclass(frozen=True, slots=True)
class Recording:
    """A game; `states[n]` is the `data` of GET state and `deltas[n]` the `d` frame at sequence n.

    Index 0 of both is unused, and so is the delta of sequence 1, which is a snapshot.
    """

    game_id: str
    states: tuple[Json, ...]
    deltas: tuple[Json, ...]

    @property
    def last(self) -> int:
        """The sequence of `game:ended`."""
        return len(self.states) - 1

    def find(self, kind: str, start: int = 2, **fields: object) -> int:
        """The first sequence from `start` whose event is of that kind and has those fields."""
        for seq in range(start, self.last + 1):
            told = self.deltas[seq]["ev"]
            if told["type"] == kind and all(told.get(k) == v for k, v in fields.items()):
                return seq
        raise LookupError(f"no {kind} with {fields} from {start} on")

    def first_meeting(self) -> int:
        """The first sequence at which two pieces of one colour share a square."""
        for seq, state in enumerate(self.states[1:], 1):
            places = [(p["color"], p["position"]) for p in state["pieces"] if p["position"] > 0]
            if len(places) != len(set(places)):
                return seq
        raise LookupError("no two pieces meet")

    def first_capture(self, start: int = 2) -> int:
        """The first sequence from `start` at which a piece is captured."""
        seq = start
        while not self.deltas[seq]["ev"]["captured"]:
            seq += 1
        return seq


@cache
def recorded(
    seed: int,
    mode: GameMode = GameMode.QUICK,
    game_id: str = "gm_recorded",
    room_code: str = "K7QX2M",
    seats: int = 4,
    names: tuple[str, ...] = NAMES,
) -> Recording:
    """A seeded legal game, played to its end."""
    states: list[Json] = [{}]
    deltas: list[Json] = [{}]
    mirror = None
    for event in play_game(seed, mode, seats):
        event = _named(event, names)
        told = game_event(game_id, event, room_code=room_code, at=_time(event.sequence))
        waiting = Waiting("1-0", 1, "webhook", "msg_1", told)
        settled = settle(mirror, [waiting], {}, Referee(), "epoch")
        mirror = settled.mirror
        assert mirror is not None
        states.append(to_body(mirror.snapshot))
        ev = {"type": event_body(told)["type"], **event_body(told)["data"], "captured": []}
        patch = []
        for change in settled.changes:
            ev["captured"], patch = list(change.captured), change.patch
        deltas.append({"t": "d", "game": game_id, "seq": event.sequence, "ev": ev, "patch": patch})
    return Recording(game_id, tuple(states), tuple(deltas))


def _named(event: Event, names: tuple[str, ...]) -> Event:
    if not isinstance(event, Started):
        return event
    players = (replace(p, name=names[n]) for n, p in enumerate(event.players))
    return replace(event, players=tuple(players))


def _time(sequence: int) -> str:
    minutes, seconds = divmod(sequence, 60)
    return f"2026-11-21T{8 + minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}Z"
