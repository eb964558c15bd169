"""LudoKingAPI over REST, for anyone:

async with LudoClient(api_key="lk_live_…") as ludo:
    rooms = await ludo.get_rooms(status="waiting")
"""

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Final, Self, TypeVar
from uuid import uuid4

import httpx
import msgspec
from pydantic import SecretStr

from ludo.mirror.snapshot import Snapshot
from ludo.rules.ruleset import RuleSet
from ludo.upstream.budget import CallClass
from ludo.upstream.call import IDEMPOTENCY_HEADER, Call, UpstreamResponse
from ludo.upstream.config import DEFAULT_BASE_URL, UpstreamConfig
from ludo.upstream.deadline import Deadline
from ludo.upstream.errors import UpstreamRefused
from ludo.upstream.guard import Guard
from ludo.upstream.retry import IDEMPOTENT, Retries
from ludo.upstream.sender import Sender
from ludo.upstream.timeouts import Timeouts
from ludo.upstream.wire.models import (
    JoinedRoom,
    MoveResult,
    PlayerAccount,
    RollResult,
    Room,
    Verdict,
    parse_data,
    parse_refusal,
)
from ludo.upstream.wire.states import parse_state

_TIMEOUTS: Final = Timeouts()
_RULES: Final = RuleSet()
_REFUSED_MOVE: Final = frozenset({409, 422})
M = TypeVar("M")


def _fresh_key() -> str:
    return uuid4().hex


class LudoClient:
    """Upstream's endpoints as methods. Every call passes the guard.

    Alone it needs nothing but a key: it then retries and breaks the circuit by itself, and spends
    as much of the budget as it likes. A deployment gives it a `guard` that replicas share.

    Methods raise UpstreamError (see `errors`). Writes carry an idempotency key, a fresh one where
    the caller gives none, so they may be retried as well. `rules` are those that states are read
    by. Leave its `async with`, or `aclose` it, when done.
    """

    def __init__(
        self,
        base_url: str = DEFAULT_BASE_URL,
        api_key: str | SecretStr | None = None,
        *,
        guard: Guard | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        timeouts: Timeouts = _TIMEOUTS,
        rules: RuleSet = _RULES,
        new_key: Callable[[], str] = _fresh_key,
    ) -> None:
        self._guard = guard or Guard()
        self._timeouts = timeouts
        self._rules = rules
        self._new_key = new_key
        self._sender = Sender(
            base_url,
            api_key.get_secret_value() if isinstance(api_key, SecretStr) else api_key,
            learn=self._guard.budget.learn,
            timeouts=timeouts,
            transport=transport,
        )

    @classmethod
    def from_config(
        cls,
        config: UpstreamConfig,
        *,
        guard: Guard | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        rules: RuleSet = _RULES,
    ) -> Self:
        """The client that the settings describe."""
        return cls(
            config.base_url,
            config.api_key,
            guard=guard or Guard(retries=Retries.usual(config.attempts)),
            transport=transport,
            timeouts=config.timeouts,
            rules=rules,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close every connection."""
        await self._sender.aclose()

    @property
    def stretch(self) -> float:
        """What soft lifetimes are multiplied by now: 1.0, and more as the budget runs low."""
        return self._guard.budget.stretch

    async def request(
        self, call: Call, *, klass: CallClass | None = None, deadline: Deadline | None = None
    ) -> UpstreamResponse:
        """Upstream's answer as it is, a refusal (4xx) too; raises the other UpstreamErrors.

        Without a class, what is not idempotent is a write and the rest a read.
        """
        default = CallClass.READ if call.method in IDEMPOTENT else CallClass.WRITE
        return await self._guard.run(
            lambda left: self._sender.send(call, left),
            route=call.route,
            klass=klass or default,
            deadline=deadline or Deadline.after(self._timeouts.deadline),
            repeatable=call.repeatable,
        )

    async def get_rooms(
        self, status: str | None = None, *, klass: CallClass | None = None
    ) -> list[Room]:
        """The rooms of a status, `waiting` or `playing`, or all of them."""
        query = {} if status is None else {"status": status}
        return await self._ask(Call("GET", "/rooms", query=query), list[Room], klass)

    async def get_room(self, code: str) -> Room:
        """One room."""
        return await self._ask(Call("GET", "/rooms/{code}", {"code": code}), Room)

    async def create_room(
        self,
        max_players: int = 4,
        game_mode: str = "classic",
        *,
        idempotency_key: str | None = None,
    ) -> Room:
        """A new room for 2–4 players."""
        body = {"maxPlayers": max_players, "gameMode": game_mode}
        return await self._ask(self._write("/rooms", {}, body, idempotency_key), Room)

    async def join_room(
        self,
        code: str,
        player_name: str,
        *,
        color: str | None = None,
        player_id: str | None = None,
        idempotency_key: str | None = None,
    ) -> JoinedRoom:
        """A seat in a room; the answer says who the caller is there."""
        body = {"playerName": player_name, "color": color, "playerId": player_id}
        call = self._write("/rooms/{code}/join", {"code": code}, body, idempotency_key)
        return await self._ask(call, JoinedRoom)

    async def start_room(self, code: str, *, idempotency_key: str | None = None) -> Room:
        """Start the game with those who are in the room."""
        call = self._write("/rooms/{code}/start", {"code": code}, {}, idempotency_key)
        return await self._ask(call, Room)

    async def create_player(
        self,
        player_name: str,
        *,
        device_id: str | None = None,
        platform: str | None = None,
        idempotency_key: str | None = None,
    ) -> PlayerAccount:
        """Register a player; only this answer carries the session token."""
        body = {"playerName": player_name, "deviceId": device_id, "platform": platform}
        return await self._ask(self._write("/players", {}, body, idempotency_key), PlayerAccount)

    async def get_player(self, player_id: str) -> PlayerAccount:
        """A registered player."""
        call = Call("GET", "/players/{playerId}", {"playerId": player_id})
        return await self._ask(call, PlayerAccount)

    async def get_game_state(
        self,
        game_id: str,
        *,
        klass: CallClass = CallClass.READ,
        deadline: Deadline | None = None,
    ) -> Snapshot:
        """The whole state of a game; raises MalformedState if it cannot be one."""
        call = Call("GET", "/games/{gameId}/state", {"gameId": game_id})
        response = await self.request(call, klass=klass, deadline=deadline)
        return parse_state(_accepted(response), self._rules)

    async def roll(
        self, game_id: str, player_id: str | None = None, *, idempotency_key: str | None = None
    ) -> RollResult:
        """Roll the dice; without a player, for whoever is in turn."""
        body = {"playerId": player_id}
        call = self._write("/games/{gameId}/roll", {"gameId": game_id}, body, idempotency_key)
        return await self._ask(call, RollResult)

    async def move(
        self,
        game_id: str,
        piece_id: str,
        target_position: int,
        player_id: str | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> MoveResult:
        """Move a piece to a position as its own seat counts it (R2)."""
        body = {"pieceId": piece_id, "targetPosition": target_position, "playerId": player_id}
        call = self._write("/games/{gameId}/move", {"gameId": game_id}, body, idempotency_key)
        return await self._ask(call, MoveResult)

    async def validate(
        self, game_id: str, player_id: str, token_index: int, dice_value: int
    ) -> Verdict:
        """Whether this move would be accepted now.

        Only upstream's own no makes it invalid; whatever else goes wrong is raised.
        """
        # Upstream has these three names in snake_case, unlike all others.
        body = {"player_id": player_id, "token_index": token_index, "dice_value": dice_value}
        call = self._write("/games/{gameId}/validate", {"gameId": game_id}, body, None)
        response = await self.request(call, klass=CallClass.READ)
        if response.status in _REFUSED_MOVE:
            said = parse_refusal(response.body)
            return Verdict(valid=False, clause=said.clause, error=said.error or None)
        return parse_data(_accepted(response), Verdict)

    def _write(
        self, route: str, params: Mapping[str, str], body: Mapping[str, object], key: str | None
    ) -> Call:
        given = {name: value for name, value in body.items() if value is not None}
        headers = {IDEMPOTENCY_HEADER: key or self._new_key()}
        return Call("POST", route, params, body=msgspec.json.encode(given), headers=headers)

    async def _ask(self, call: Call, model: type[M], klass: CallClass | None = None) -> M:
        return parse_data(_accepted(await self.request(call, klass=klass)), model)


def _accepted(response: UpstreamResponse) -> bytes:
    """The body of a success; raises UpstreamRefused for a refusal."""
    if not response.refused:
        return response.body
    said = parse_refusal(response.body)
    message = said.error or f"no reason given (status {response.status})"
    raise UpstreamRefused(response.status, said.code, message, response.body, said.clause)
