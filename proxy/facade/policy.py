"""Which answers of upstream are kept: under which key, with which tags, for how long.

| route               | scope  | soft | hard  | tags            |
|---------------------|--------|------|-------|-----------------|
| GET /rooms          | public | 2 s  | 30 s  | rooms           |
| GET /rooms/{code}   | public | 2 s  | 60 s  | room:<code>     |
| GET /players/{id}   | public | 60 s | 600 s | player:<id>     |
| GET /games/{id}/state (without a mirror) | public | 1 s | 10 s | game:<id> |

The lifetimes hold where upstream's headers say nothing. All for 600 s more if upstream fails; a
refusal (4xx) for 2 s. docs/cache.md tells what happens when.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final
from urllib.parse import urlencode

from ludo.store.cache import Lifetimes
from ludo.upstream.call import Call

REFUSED: Final = Lifetimes(soft=2, hard=2, on_error=0)
REVALIDATED: Final = "private, no-cache"
"""Callers ask each time; with an ETag that costs them, and nobody else, next to nothing."""
TOLD: Final = frozenset({"content-type", "content-language", "last-modified"})
"""What of upstream's headers callers are told; all others concern upstream and us."""
NEVER_TOLD: Final = frozenset({"set-cookie", "set-cookie2"})
_ROOMS: Final = Lifetimes(soft=2, hard=30)
_ROOM: Final = Lifetimes(soft=2, hard=60)
_PLAYER: Final = Lifetimes(soft=60, hard=600)
_STATE: Final = Lifetimes(soft=1, hard=10)


class Scope(StrEnum):
    """Whose an answer is."""

    PUBLIC = "public"
    """Asked for with our key and nothing of the caller: the same for everybody."""
    CALLER = "caller"
    """It depends on who asks: an authorised caller's is shared only if upstream says so itself
    (`public`, `must-revalidate` or `s-maxage`, RFC 9111 §3.5)."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One cached read: what to ask upstream, and how its answer is kept.

    `fields` are the header fields of the caller's that go to upstream, so the only ones that its
    answer can vary on. `lifetimes` of None leave everything to upstream's headers. `passed` are
    the headers that callers are told, None for all that may be; `told` is their Cache-Control
    instead of upstream's.
    """

    call: Call
    tags: tuple[str, ...]
    lifetimes: Lifetimes | None
    scope: Scope = Scope.PUBLIC
    fields: Mapping[str, str] = field(default_factory=dict)
    passed: frozenset[str] | None = TOLD
    told: str | None = REVALIDATED
    key: str = field(init=False)
    """The entry's name: the path and the allow-listed query, and nothing else a caller sends.

    A HEAD shares the entry of its GET.
    """
    slot: str = field(init=False)
    """The key with the fields that go to upstream: who has the same one may share a flight."""

    def __post_init__(self) -> None:
        # Made once: a miss asks for them a dozen times.
        key = f"{self.call.path}?{urlencode(sorted(self.call.query.items()))}"
        slot = "\n".join((key, *(f"{name}:{value}" for name, value in self.fields.items())))
        object.__setattr__(self, "key", key)
        object.__setattr__(self, "slot", slot)

    def tells(self, name: str) -> bool:
        """Whether callers are told this header of upstream's; `name` is in lower case."""
        if name in NEVER_TOLD or (name == "cache-control" and self.told is not None):
            return False
        return self.passed is None or name in self.passed


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
