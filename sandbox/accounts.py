"""Registered players: who they are and how often they won."""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from ludo.rules.events import Player
from sandbox import chance
from sandbox.bots import BOTS
from sandbox.clock import iso

MOST: Final = 10_000
"""Accounts kept; beyond it the oldest is forgotten."""


@dataclass(slots=True)
class Account:
    """A player who registered, or was registered by joining a room."""

    id: str
    name: str
    created_at: int
    played: int = 0
    won: int = 0

    def body(self) -> dict[str, Any]:
        """The player as `GET /players/{id}` tells it."""
        return {
            "playerId": self.id,
            "playerName": self.name,
            "createdAt": iso(self.created_at),
            "gamesPlayed": self.played,
            "gamesWon": self.won,
        }


class Accounts:
    """All accounts by id. Bots have theirs from the start, and keep them."""

    def __init__(self, seed: str, now: int) -> None:
        self._seed = seed
        self._bots = {bot_id(name): Account(bot_id(name), name, now) for name in BOTS}
        self._registered = 0
        self._accounts: OrderedDict[str, Account] = OrderedDict()

    def find(self, player_id: str) -> Account | None:
        """The account of an id, if there is one."""
        return self._accounts.get(player_id) or self._bots.get(player_id)

    def is_person(self, player_id: str) -> bool:
        """Whether somebody registered under that id."""
        return player_id in self._accounts

    def register(self, name: str, now: int, *parts: object) -> Account:
        """A new account; its id follows from `parts`, or from how many there were before."""
        self._registered += 1
        parts = parts or (self._seed, self._registered)
        attempt = 0
        while (found := chance.name("plr", *parts, attempt)) in self._accounts:
            attempt += 1
        account = self._accounts[found] = Account(found, name, now)
        if len(self._accounts) > MOST:
            self._accounts.popitem(last=False)
        return account

    def count(self, players: Iterable[Player], winner: str | None) -> None:
        """Count a finished game for those of its players who have an account."""
        for player in players:
            account = self.find(player.id)
            if account is not None:
                account.played += 1
                account.won += player.id == winner


def bot_id(name: str) -> str:
    """A bot's player id, the same in every game."""
    return chance.name("plr", "bot", name)
