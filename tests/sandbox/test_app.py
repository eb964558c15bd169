"""The whole sandbox, served and spoken to over HTTP."""

import asyncio
from collections import Counter
from typing import Any

import httpx
import msgspec
import pytest

from ludo.config import Rate
from ludo.mirror.snapshot import Status
from ludo.rules.referee import Ruling, judge
from ludo.rules.ruleset import RuleSet
from ludo.upstream.signing import Verified
from ludo.upstream.wire import GameEvent, RoomEvent, parse_event, parse_state
from ludo.upstream.wire.models import PlayerAccount, Room, parse_data
from sandbox.faults import parse_rates
from tests.sandbox.builders import (
    SECRET,
    Receiver,
    a_receiver,
    a_sandbox,
    data,
)
from tests.waiting import wait_until

BOTS = {"maxPlayers": 2, "gameMode": "quick", "bots": 2, "seed": 5, "autostart": True}


def to(receiver: Receiver, **settings: Any) -> dict[str, Any]:
    """Settings of a sandbox that delivers there."""
    return {"webhook_url": receiver.url, "webhook_secret": SECRET, **settings}


def game_events(receiver: Receiver) -> list[GameEvent]:
    """The games' events that were delivered under a valid signature, as they arrived."""
    parsed = [parse_event(body) for body in receiver.bodies]
    return [each for each in parsed if isinstance(each, GameEvent)]


async def done(http: httpx.AsyncClient) -> bool:
    """Whether nothing more will happen."""
    return bool((await data(http, "GET", "/sandbox/idle"))["done"])


async def played(http: httpx.AsyncClient) -> str:
    """The id of a game that bots have played to its end, every delivery settled."""
    room = await data(http, "POST", "/v1/rooms", **BOTS)
    await wait_until(lambda: done(http), 20)
    return str(room["gameId"])


async def true_events(http: httpx.AsyncClient, game_id: str) -> list[Any]:
    """A game's events as they happened."""
    bodies = await data(http, "GET", f"/sandbox/games/{game_id}/events")
    return [parse_event(msgspec.json.encode(body)) for body in bodies]


async def test_a_person_plays_a_whole_game_over_http() -> None:
    """Create, join, start, roll and move until somebody has won; the truth is legal throughout."""
    async with a_sandbox() as http:
        room = await data(http, "POST", "/v1/rooms", maxPlayers=2, gameMode="quick", seed=1)
        code = room["code"]
        for name in ("Ann", "Ben"):
            await data(http, "POST", f"/v1/rooms/{code}/join", playerName=name)
        game = f"/v1/games/{(await data(http, 'POST', f'/v1/rooms/{code}/start'))['gameId']}"
        standing: dict[str, Any] = {"winnerId": None}
        while standing["winnerId"] is None:
            standing = await data(http, "POST", f"{game}/roll")
            if standing["legalMoves"]:
                standing = await data(http, "POST", f"{game}/move", **standing["legalMoves"][-1])

        state = parse_state((await http.get(f"{game}/state")).content)
        truth = await true_events(http, game.split("/")[-1])
        closed = await data(http, "GET", f"/v1/rooms/{code}")

    replayed = None
    for each in truth:
        ruling = judge(replayed, each.event, RuleSet())
        assert isinstance(ruling, Ruling), ruling
        replayed = ruling.game
    assert (state.status, state.games) == (Status.FINISHED, (replayed,))
    assert closed["status"] == "closed"


async def test_every_event_is_delivered_in_order() -> None:
    """Without faults the receiver gets the truth, signed, with the room's events around it."""
    async with a_receiver() as receiver, a_sandbox(**to(receiver)) as http:
        game_id = await played(http)
        truth = await true_events(http, game_id)
        stats = await data(http, "GET", "/sandbox/deliveries/stats")

    assert game_events(receiver) == truth
    assert all(isinstance(verdict, Verified) for _, _, verdict in receiver.arrived)
    rooms = [each for each in map(parse_event, receiver.bodies) if isinstance(each, RoomEvent)]
    assert [each.kind for each in rooms] == [
        "room:created", "room:player-joined", "room:player-joined", "room:closed"
    ]  # fmt: skip
    assert stats["announced"] == stats["acknowledged"] == len(truth) + 4
    assert stats["retried"] == stats["dropped"] == stats["pending"] == 0


async def test_the_same_seed_sends_the_same() -> None:
    """Ids, bodies but for their times, and faults are the same in another run."""
    runs = []
    for _ in range(2):
        rates = parse_rates("dropped=0.1,forged=0.1,twice=0.1")
        async with (
            a_receiver() as receiver,
            a_sandbox(**to(receiver, faults=rates, longest_delay=0.1)) as http,
        ):
            await played(http)
        runs.append(
            Counter(
                (headers["webhook-id"], msgspec.json.encode(msgspec.json.decode(body)["data"]))
                for headers, body, _ in receiver.arrived
            )
        )

    assert runs[0] == runs[1]


async def test_lossless_faults_lose_nothing() -> None:
    """Late, twice, swapped and tampered: everything true arrives in the end, and nothing else."""
    rates = parse_rates("late=0.1,twice=0.1,out_of_order=0.1,tampered=0.1")
    async with (
        a_receiver() as receiver,
        a_sandbox(**to(receiver, faults=rates, longest_delay=0.2)) as http,
    ):
        truth = await true_events(http, await played(http))
        stats = await data(http, "GET", "/sandbox/deliveries/stats")

    arrived = game_events(receiver)
    refused = [verdict for *_, verdict in receiver.arrived if not isinstance(verdict, Verified)]
    assert sorted(set(arrived), key=lambda e: e.event.sequence) == truth
    assert arrived != truth
    assert len(arrived) - len(truth) == stats["faults"]["twice"] == stats["repeated"]
    assert len(refused) == stats["retried"] > 0
    assert stats["faults"]["tampered"] >= len(refused)


@pytest.mark.parametrize("fault", ["dropped", "forged", "forged_lost"])
async def test_lossy_faults_show_at_the_receiver(fault: str) -> None:
    """What is dropped is missing, what is forged is wrong under a valid signature."""
    rates = parse_rates(f"{fault}=0.2")
    async with a_receiver() as receiver, a_sandbox(**to(receiver, faults=rates)) as http:
        truth = await true_events(http, await played(http))
        stats = await data(http, "GET", "/sandbox/deliveries/stats")

    arrived, hit = set(game_events(receiver)), stats["faults"][fault]
    missing, wrong = set(truth) - arrived, arrived - set(truth)
    assert hit > 0
    assert len(missing) == (0 if fault == "forged" else hit)
    assert len(wrong) == (0 if fault == "dropped" else hit)
    assert stats["announced"] == stats["acknowledged"] + stats["dropped"]


async def test_a_receiver_that_was_down_gets_everything() -> None:
    """Deliveries are tried again until they are accepted, in order."""
    async with a_receiver() as receiver, a_sandbox(**to(receiver)) as http:
        receiver.answer = lambda _: 503
        room = await data(http, "POST", "/v1/rooms", **BOTS)
        await wait_until(lambda: len(receiver.arrived) > 3)
        receiver.arrived.clear()
        receiver.answer = lambda _: 202
        await wait_until(lambda: done(http), 20)

        assert game_events(receiver) == await true_events(http, room["gameId"])


async def test_faults_change_while_it_runs() -> None:
    """The state can be taken away and given back; the sandbox' own paths always tell the truth."""
    async with a_sandbox() as http:
        game_id = await played(http)
        state = f"/v1/games/{game_id}/state"
        before = (await http.get(state)).json()

        await data(http, "POST", "/sandbox/faults", faults="state_down=1")
        down = [(await http.get(state)).status_code for _ in range(3)]
        rooms = (await http.get("/v1/rooms")).status_code
        truth = (await http.get(f"/sandbox/games/{game_id}/state")).json()
        await data(http, "POST", "/sandbox/faults", faults="none")

        assert down == [503, 503, 503]
        assert rooms == 200
        assert (await http.get(state)).json() == before == truth
        assert (await http.post("/sandbox/faults", json={"faults": "bad"})).status_code == 400


async def test_the_limit_holds_on_the_wire() -> None:
    """100 requests and then 429, until the window ends."""
    async with a_sandbox(limit=Rate(3, 60)) as http:
        answers = [await http.get("/v1/rooms") for _ in range(4)]

    assert [a.status_code for a in answers] == [200, 200, 200, 429]
    assert [a.headers["x-ratelimit-remaining"] for a in answers] == ["2", "1", "0", "0"]


async def test_a_roll_can_be_retried_safely() -> None:
    """The same Idempotency-Key rolls once."""
    async with a_sandbox() as http:
        room = await data(http, "POST", "/v1/rooms", maxPlayers=2)
        for name in ("Ann", "Ben"):
            await data(http, "POST", f"/v1/rooms/{room['code']}/join", playerName=name)
        started = await data(http, "POST", f"/v1/rooms/{room['code']}/start")
        path, key = f"/v1/games/{started['gameId']}/roll", {"idempotency-key": "once"}

        first, again = [await http.post(path, headers=key) for _ in range(2)]

        assert first.json() == again.json()
        assert len(await true_events(http, started["gameId"])) <= 3
        other = await http.post(path, headers=key, json={"playerId": "x"})
        assert other.status_code == 422


async def test_an_absent_player_is_played_for() -> None:
    """Somebody who joined and does nothing does not stop the game."""
    async with a_sandbox(turn_timer=0.001) as http:
        room = await data(http, "POST", "/v1/rooms", **{**BOTS, "bots": 1})
        joined = await data(http, "POST", f"/v1/rooms/{room['code']}/join", playerName="Eve")
        await wait_until(lambda: done(http), 10)

        state = await data(http, "GET", f"/v1/games/{joined['gameId']}/state")

    assert state["status"] == "finished"


async def test_continuous_games_are_played_and_listed() -> None:
    """The total is played, and the list tells how each ended."""
    async with a_sandbox(games=2, total=3) as http:
        await wait_until(lambda: done(http), 10)
        games = await data(http, "GET", "/sandbox/games")

    assert [game["seed"] for game in games] == ["7:game:1", "7:game:2", "7:game:3"]
    assert all(game["status"] == "finished" and game["winnerId"] for game in games)
    assert all(game["events"] == game["sequence"] for game in games)


async def test_players_are_registered_and_found() -> None:
    """The session token is told once."""
    async with a_sandbox() as http:
        made = await http.post("/v1/players", json={"playerName": "Eve"})
        registered = made.json()["data"]
        found = await data(http, "GET", f"/v1/players/{registered['playerId']}")

    assert made.status_code == 201
    assert registered.pop("sessionToken").count(".") == 2
    assert found == registered


async def test_our_client_reads_its_rooms_and_players() -> None:
    """The bodies are those that `ludo.upstream` has models for."""
    async with a_sandbox() as http:
        opened = await http.post("/v1/rooms", json={**BOTS, "speed": 1})
        room = parse_data(opened.content, Room)
        account = await http.get(f"/v1/players/{room.players[0].player_id}")
        listed = parse_data((await http.get("/v1/rooms?status=playing")).content, list[Room])

    assert (room.status, room.player_count, room.max_players) == ("playing", 2, 2)
    assert listed == [room]
    name = parse_data(account.content, PlayerAccount).player_name
    assert name == room.players[0].player_name


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/nothing", 404, "NOT_FOUND"),
        ("GET", "/v1/rooms/NOWHER", 404, "NOT_FOUND"),
        ("GET", "/v1/games/gm_x/state", 404, "NOT_FOUND"),
        ("GET", "/v1/players/plr_x", 404, "NOT_FOUND"),
        ("DELETE", "/v1/rooms", 405, "METHOD_NOT_ALLOWED"),
        ("POST", "/v1/players", 400, "BAD_REQUEST"),
        ("POST", "/v1/games/gm_x/move", 400, "BAD_REQUEST"),
    ],
)
async def test_refusals_are_in_upstreams_envelope(
    method: str, path: str, status: int, code: str
) -> None:
    """`{success: false, error, code}` whatever went wrong."""
    async with a_sandbox() as http:
        answer = await http.request(method, path)

    assert answer.status_code == status
    assert answer.json()["success"] is False
    assert answer.json()["code"] == code
    assert answer.json()["error"]


async def test_it_ends_in_the_middle_of_everything() -> None:
    """Games running, deliveries pending, a receiver that does not answer: it ends at once."""
    async with a_receiver() as receiver:
        receiver.answer = lambda _: 500
        async with a_sandbox(**to(receiver, games=5, speed=50)) as http:
            await wait_until(lambda: receiver.arrived)
            assert (await http.get("/health")).json()["data"] == {"status": "ok"}
            ending = asyncio.get_running_loop().time()
        took = asyncio.get_running_loop().time() - ending

    assert took < 3
