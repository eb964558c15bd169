"""Upstream's endpoints as methods."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import respx
from pydantic import SecretStr

from ludo.upstream.budget import CallClass
from ludo.upstream.call import Call
from ludo.upstream.client import LudoClient
from ludo.upstream.config import UpstreamConfig
from ludo.upstream.errors import (
    MalformedState,
    UpstreamFailed,
    UpstreamMalformed,
    UpstreamRefused,
    UpstreamThrottled,
)
from ludo.upstream.guard import Guard
from ludo.upstream.wire import parse_state
from ludo.upstream.wire.models import LegalMove, Room, Verdict
from tests.upstream.builders import state_of
from tests.upstream.fakes import Clock, Permits, retries

BASE = "https://upstream.test/v1"
ROOM = {"code": "ABCD12", "status": "waiting"}


@pytest.fixture
def upstream() -> respx.MockRouter:
    """Upstream's answers, by route."""
    return respx.MockRouter(base_url=BASE, assert_all_called=False)


@pytest.fixture
def permits() -> Permits:
    """The budget that calls are taken from."""
    return Permits()


@pytest.fixture
async def ludo(upstream: respx.MockRouter, permits: Permits) -> AsyncIterator[LudoClient]:
    """A client of that upstream; its retries take no time."""
    guard = Guard(budget=permits, retries=retries(Clock()))
    transport = httpx.MockTransport(upstream.async_handler)
    async with LudoClient(BASE, "lk_1", guard=guard, transport=transport) as client:
        yield client


def data(value: object) -> httpx.Response:
    """A success with that data."""
    return httpx.Response(200, json={"success": True, "data": value})


def sent(route: respx.Route) -> Any:
    """The body of the last request of a route."""
    return json.loads(route.calls.last.request.content)


async def test_rooms_are_listed_by_status(upstream: respx.MockRouter, ludo: LudoClient) -> None:
    """The query is upstream's own; the answer is a list of values."""
    upstream.get("/rooms", params={"status": "waiting"}).mock(return_value=data([ROOM]))
    assert await ludo.get_rooms(status="waiting") == [Room("ABCD12", "waiting")]


async def test_a_room_is_created_joined_and_started(
    upstream: respx.MockRouter, ludo: LudoClient
) -> None:
    """Bodies are camelCase and leave out what was not given."""
    create = upstream.post("/rooms").mock(return_value=data(ROOM))
    join = upstream.post("/rooms/ABCD12/join").mock(
        return_value=data({**ROOM, "playerId": "plr_1"})
    )
    start = upstream.post("/rooms/ABCD12/start").mock(return_value=data({**ROOM, "gameId": "g1"}))
    room = await ludo.create_room(2, "quick")
    joined = await ludo.join_room(room.code, "Ada")
    started = await ludo.start_room(room.code)
    assert (joined.player_id, started.game_id) == ("plr_1", "g1")
    assert sent(create) == {"maxPlayers": 2, "gameMode": "quick"}
    assert (sent(join), sent(start)) == ({"playerName": "Ada"}, {})


async def test_players_are_registered_and_found(
    upstream: respx.MockRouter, ludo: LudoClient
) -> None:
    """Only the registration tells the session token."""
    player = {"playerId": "plr_1", "playerName": "Ada"}
    upstream.post("/players").mock(return_value=data({**player, "sessionToken": "eyJ"}))
    upstream.get("/players/plr_1").mock(return_value=data(player))
    registered = await ludo.create_player("Ada")
    found = await ludo.get_player(registered.player_id)
    assert (registered.session_token, found.session_token) == ("eyJ", None)


async def test_a_state_is_a_snapshot(
    upstream: respx.MockRouter, ludo: LudoClient, permits: Permits
) -> None:
    """Asked for in the class that its reader has."""
    upstream.get("/games/g1/state").mock(return_value=data(state_of()))
    assert await ludo.get_game_state("g1", klass=CallClass.RESYNC) == parse_state(state_of())
    assert permits.taken == [CallClass.RESYNC]


async def test_an_impossible_state_is_malformed(
    upstream: respx.MockRouter, ludo: LudoClient
) -> None:
    """A worker can tell it from a game that is unknown."""
    upstream.get("/games/g1/state").mock(return_value=data(state_of(sequence=-1)))
    with pytest.raises(MalformedState):
        await ludo.get_game_state("g1")


async def test_a_game_is_played(upstream: respx.MockRouter, ludo: LudoClient) -> None:
    """What fell and what may be moved; where the piece stands and whom it sent back."""
    fell = {"diceValue": 6, "legalMoves": [{"pieceId": "red-0", "targetPosition": 0}]}
    upstream.post("/games/g1/roll").mock(return_value=data(fell))
    stands = {"pieceId": "red-0", "position": 0, "captured": ["blue-1"]}
    move = upstream.post("/games/g1/move").mock(return_value=data(stands))
    rolled = await ludo.roll("g1", "plr_1")
    moved = await ludo.move("g1", "red-0", 0, "plr_1")
    assert (rolled.dice_value, rolled.legal_moves) == (6, (LegalMove("red-0", 0),))
    assert (moved.position, moved.captured) == (0, ("blue-1",))
    assert sent(move) == {"pieceId": "red-0", "targetPosition": 0, "playerId": "plr_1"}


async def test_a_valid_move_is_said_to_be(upstream: respx.MockRouter, ludo: LudoClient) -> None:
    """Asked in upstream's own snake_case."""
    answer = {"valid": True, "pieceId": "red-0", "targetPosition": 0}
    route = upstream.post("/games/g1/validate").mock(return_value=data(answer))
    assert (await ludo.validate("g1", "plr_1", 0, 6)).valid
    assert sent(route) == {"player_id": "plr_1", "token_index": 0, "dice_value": 6}


async def test_an_invalid_move_is_told_with_its_clause(
    upstream: respx.MockRouter, ludo: LudoClient
) -> None:
    """Upstream's no is an answer, not an error."""
    refusal = {"success": False, "error": "needs a 6", "code": "ILLEGAL_MOVE", "clause": "R6"}
    upstream.post("/games/g1/validate").respond(409, json=refusal)
    verdict = await ludo.validate("g1", "plr_1", 0, 5)
    assert verdict == Verdict(valid=False, clause="R6", error="needs a 6")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (429, UpstreamThrottled),
        (500, UpstreamFailed),
        (404, UpstreamRefused),
        (401, UpstreamRefused),
    ],
)
async def test_no_other_failure_is_an_illegal_move(
    upstream: respx.MockRouter, ludo: LudoClient, status: int, kind: type[Exception]
) -> None:
    """Nor a legal one: what is not known is raised."""
    upstream.post("/games/g1/validate").respond(status, headers={"Retry-After": "60"})
    with pytest.raises(kind):
        await ludo.validate("g1", "plr_1", 0, 5)


async def test_a_refusal_tells_all_that_upstream_said(
    upstream: respx.MockRouter, ludo: LudoClient
) -> None:
    """Status, code, sentence, clause and the body itself."""
    body = {"success": False, "error": "no", "code": "NOT_YOUR_TURN", "clause": "R4"}
    upstream.post("/games/g1/roll").respond(409, json=body)
    with pytest.raises(UpstreamRefused) as refused:
        await ludo.roll("g1")
    error = refused.value
    assert (error.status, error.code, error.message, error.clause) == (
        409,
        "NOT_YOUR_TURN",
        "no",
        "R4",
    )
    assert json.loads(error.body) == body


async def test_an_unreadable_success_is_malformed(
    upstream: respx.MockRouter, ludo: LudoClient
) -> None:
    """A 200 without what it promises is no success."""
    upstream.get("/rooms/ABCD12").mock(return_value=data({"status": "waiting"}))
    with pytest.raises(UpstreamMalformed, match="code"):
        await ludo.get_room("ABCD12")


async def test_a_read_is_tried_again(upstream: respx.MockRouter, ludo: LudoClient) -> None:
    """One bad answer is not the caller's business."""
    route = upstream.get("/rooms/ABCD12")
    route.side_effect = [httpx.Response(503), httpx.ConnectError("x"), data(ROOM)]
    assert (await ludo.get_room("ABCD12")).code == "ABCD12"


async def test_a_write_is_tried_again_under_its_key(
    upstream: respx.MockRouter, ludo: LudoClient, permits: Permits
) -> None:
    """The key is the same for every attempt, and another for the next write."""
    route = upstream.post("/rooms")
    route.side_effect = [httpx.Response(503), data(ROOM), data(ROOM)]
    await ludo.create_room()
    await ludo.create_room(idempotency_key="mine")
    first, second, third = (call.request.headers["Idempotency-Key"] for call in route.calls)
    assert (first == second, third) == (True, "mine")
    assert permits.taken == [CallClass.WRITE] * 3


async def test_a_request_without_a_key_is_sent_once(
    upstream: respx.MockRouter, ludo: LudoClient
) -> None:
    """The low-level door makes no key up."""
    route = upstream.post("/rooms").respond(503)
    with pytest.raises(UpstreamFailed):
        await ludo.request(Call("POST", "/rooms", body=b"{}"))
    assert route.call_count == 1


async def test_a_request_passes_refusals_on(upstream: respx.MockRouter, ludo: LudoClient) -> None:
    """Whoever relays answers gets them as they are."""
    upstream.get("/rooms/NOPE").respond(404, headers={"X-Own": "1"}, content=b"whatever")
    response = await ludo.request(Call("GET", "/rooms/{code}", {"code": "NOPE"}))
    assert (response.status, response.body, response.refused) == (404, b"whatever", True)
    assert response.headers["x-own"] == "1"


async def test_it_works_with_a_key_alone(upstream: respx.MockRouter) -> None:
    """No budget, no shared circuits, nothing to set up."""
    route = respx.MockRouter(base_url="https://api.ludokingapi.site/v1")
    rooms = route.get("/rooms").mock(return_value=data([]))
    transport = httpx.MockTransport(route.async_handler)
    async with LudoClient(api_key=SecretStr("lk_1"), transport=transport) as client:
        assert await client.get_rooms() == []
    assert rooms.calls.last.request.headers["Authorization"] == "Bearer lk_1"


async def test_without_a_key_none_is_sent(upstream: respx.MockRouter) -> None:
    """Upstream then says no; we do not make one up."""
    route = upstream.get("/rooms").respond(401, json={"success": False, "error": "no key"})
    transport = httpx.MockTransport(upstream.async_handler)
    async with LudoClient(BASE, transport=transport) as client:
        with pytest.raises(UpstreamRefused, match="no key"):
            await client.get_rooms()
    assert "Authorization" not in route.calls.last.request.headers


async def test_settings_make_a_client(upstream: respx.MockRouter) -> None:
    """Attempts are those of the settings."""
    config = UpstreamConfig.from_env({"LUDO_API_BASE_URL": BASE, "LUDO_UPSTREAM_ATTEMPTS": "1"})
    route = upstream.get("/rooms").respond(503)
    transport = httpx.MockTransport(upstream.async_handler)
    async with LudoClient.from_config(config, transport=transport) as client:
        with pytest.raises(UpstreamFailed):
            await client.get_rooms()
    assert route.call_count == 1
