"""Frames of a relay, and a conversation to tell them to."""

import json
from dataclasses import dataclass, field
from random import Random
from typing import Any

from ludo.relay.actions import Action, Became, Dial, HangUp, Send, Tell
from ludo.relay.changes import Change, Connection
from ludo.relay.conversation import Conversation

Frame = dict[str, Any]


def welcome(**more: Any) -> Frame:
    """The hello was accepted."""
    return {"t": "welcome", "v": 1, "conn": "c", "now": 0, "ping": 20, "limits": {}, **more}


def snap(seq: int, epoch: str = "e", game: str = "g", **more: Any) -> Frame:
    """A snapshot whose state counts."""
    place = {"game": game, "epoch": epoch, "seq": seq}
    state = {"sequence": seq, "list": [seq]}
    return {"t": "snap", **place, "state": state, "why": "initial", "asOf": 1, **more}


def d(seq: int, game: str = "g", **more: Any) -> Frame:
    """The delta to a place; it fits only the state before it."""
    patch = [
        {"op": "test", "path": "/sequence", "value": seq - 1},
        {"op": "replace", "path": "/sequence", "value": seq},
    ]
    return {"t": "d", "game": game, "seq": seq, "at": 1, "ev": {}, "patch": patch, **more}


def live(seq: int, epoch: str = "e", game: str = "g", **more: Any) -> Frame:
    """The end of catching up."""
    place = {"game": game, "epoch": epoch, "seq": seq}
    return {"t": "live", **place, "recovered": True, "replayed": 0, **more}


def ended(seq: int, epoch: str = "e", game: str = "g") -> Frame:
    """The end of a game."""
    result = {"winnerId": "ann", "placements": ["ann", "bob"]}
    return {"t": "ended", "game": game, "epoch": epoch, "seq": seq, "result": result}


def bye(code: int, *, reconnect: bool | None = None, after: float = 0) -> Frame:
    """A farewell."""
    back = code < 4500 if reconnect is None else reconnect
    return {"t": "bye", "code": code, "reason": "why", "reconnect": back, "after": after}


@dataclass
class Talk:
    """A conversation at a time that a test moves; everything it does is kept."""

    talk: Conversation = field(default_factory=lambda: Conversation(Random(1)))
    now: float = 0.0
    sent: list[tuple[int, Frame]] = field(default_factory=list)
    told: list[Change] = field(default_factory=list)
    became: list[Connection] = field(default_factory=list)
    dialled: list[int] = field(default_factory=list)
    hung_up: list[int] = field(default_factory=list)
    others: list[Action] = field(default_factory=list)

    def did(self, actions: list[Action]) -> None:
        """Keep what is done."""
        for action in actions:
            match action:
                case Send(link, text):
                    self.sent.append((link, json.loads(text)))
                case Tell(change):
                    self.told.append(change)
                case Became(connection):
                    self.became.append(connection)
                case Dial(link):
                    self.dialled.append(link)
                case HangUp(link):
                    self.hung_up.append(link)
                case _:
                    self.others.append(action)

    def watch(self, *games: str) -> None:
        """Follow games."""
        for game in games:
            self.did(self.talk.watch(game, self.now))

    def open(self) -> None:
        """Begin."""
        self.did(self.talk.open(self.now))

    def connect(self, token: str | None = None) -> int:
        """The link that is being dialled is made."""
        link = self.dialled[-1]
        self.did(self.talk.connected(link, token, self.now, 1000.0 + self.now))
        return link

    def hear(self, link: int, *frames: Frame) -> None:
        """The relay says something."""
        for frame in frames:
            self.did(self.talk.received(link, json.dumps(frame), self.now))

    def lose(self, link: int, code: int = 1006) -> None:
        """A link ends."""
        self.did(self.talk.lost(link, code, "", self.now))

    def pass_time(self, seconds: float) -> None:
        """Let time pass as far as the conversation asks to be looked at."""
        end = self.now + seconds
        while self.talk.due <= end:
            self.now = max(self.now, self.talk.due)
            self.did(self.talk.tick(self.now))
        self.now = end

    def sent_of(self, kind: str) -> list[Frame]:
        """What was sent of one kind."""
        return [frame for _, frame in self.sent if frame["t"] == kind]


def following(*games: str, seq: int = 5) -> tuple[Talk, int]:
    """A conversation that is live on its games, and its link."""
    talk = Talk()
    talk.watch(*(games or ("g",)))
    talk.open()
    link = talk.connect()
    talk.hear(link, welcome())
    for game in games or ("g",):
        talk.hear(link, snap(seq, game=game), live(seq, game=game))
    return talk, link
