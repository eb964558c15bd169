"""Which answers of upstream are kept: under which key, with which tags, for how long.

| route               | scope  | soft | hard  | tags            |
|---------------------|--------|------|-------|-----------------|
| GET /rooms          | public | 2 s  | 30 s  | rooms           |
| GET /rooms/{code}   | public | 2 s  | 60 s  | room:<code>     |
| GET /players/{id}   | public | 60 s | 600 s | player:<id>     |
| GET /games/{id}/state (without a mirror) | public | 1 s | 10 s | game:<id> |

All for 600 s more if upstream fails; a refusal (4xx) for 2 s. Upstream is asked with our key and
never with a caller's, so its answers are the same for everybody.
"""

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from ludo.store.cache import Lifetimes
from ludo.upstream.call import Call

REFUSED: Final = Lifetimes(soft=2, hard=2, on_error=0)
_ROOMS: Final = Lifetimes(soft=2, hard=30)
_ROOM: Final = Lifetimes(soft=2, hard=60)
_PLAYER: Final = Lifetimes(soft=60, hard=600)
_STATE: Final = Lifetimes(soft=1, hard=10)


@dataclass(frozen=True, slots=True)
class Plan:
    """One cached read: what to ask upstream, and how its answer is kept."""

    call: Call
    tags: tuple[str, ...]
    lifetimes: Lifetimes

    @property
    def key(self) -> str:
        """The entry's name: the path and the allow-listed query, and nothing a caller sends."""
        query = urlencode(sorted(self.call.query.items()))
        return f"{self.call.path}?{query}"


def rooms(status: str | None) -> Plan:
    """All rooms, or those of a status."""
    query = {} if status is None else {"status": status}
    return Plan(Call("GET", "/rooms", query=query), ("rooms",), _ROOMS)


def room(code: str) -> Plan:
    """One room."""
    return Plan(Call("GET", "/rooms/{code}", {"code": code}), (f"room:{code}",), _ROOM)


def player(player_id: str) -> Plan:
    """One player."""
    call = Call("GET", "/players/{playerId}", {"playerId": player_id})
    return Plan(call, (f"player:{player_id}",), _PLAYER)


def state(game_id: str) -> Plan:
    """The state of a game that has no mirror."""
    call = Call("GET", "/games/{gameId}/state", {"gameId": game_id})
    return Plan(call, (f"game:{game_id}",), _STATE)
