"""`/sandbox`: the truth for whoever compares, and the faults. No part of upstream; keyless."""

from typing import Any, Final

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from ludo.mirror.body import to_body
from ludo.upstream.wire.events import event_body, game_event
from sandbox.answers import Refusal
from sandbox.clock import iso
from sandbox.errors import FaultsError
from sandbox.faults import parse_rates
from sandbox.herald import Herald
from sandbox.lobby import Lobby
from sandbox.progress import Progress
from sandbox.replies import Asked, Reply, granted, reply
from sandbox.requests import SetFaults, parse
from sandbox.room import Room
from sandbox.table import Table


@get(["/health", "/v1/health"])
async def health() -> Reply:
    """The sandbox answers."""
    return reply({"status": "ok"})


@get("/sandbox/games")
async def list_games(lobby: NamedDependency[Lobby]) -> Reply:
    """Every game that is remembered, in the order of their rooms' opening."""
    return reply([_line(room, table) for room, table in lobby.rooms.games()])


@get("/sandbox/games/{game_id:str}/state")
async def show_game(lobby: NamedDependency[Lobby], game_id: FromPath[str]) -> Reply:
    """A game's true state: as `/v1/games/{id}/state`, without limit or faults."""
    room, table = granted(lobby.rooms.find_game(game_id))
    return reply(to_body(table.snapshot(game_id, room.code, room.connected)))


@get("/sandbox/games/{game_id:str}/events")
async def list_events(lobby: NamedDependency[Lobby], game_id: FromPath[str]) -> Reply:
    """The bodies of a game's events as they truly happened."""
    room, table = granted(lobby.rooms.find_game(game_id))
    told = (
        game_event(game_id, each.event, room_code=room.code, at=iso(each.at)) for each in table.log
    )
    return reply([event_body(event) for event in told])


@get("/sandbox/deliveries/stats")
async def show_deliveries(progress: NamedDependency[Progress]) -> Reply:
    """What became of the events so far (see tally.Tally)."""
    return reply(progress.deliveries())


@get("/sandbox/idle")
async def show_idle(progress: NamedDependency[Progress]) -> Reply:
    """Whether every delivery is settled (`idle`), and nothing more will happen (`done`)."""
    return reply(progress.idle())


@get("/sandbox/faults")
async def show_faults(herald: NamedDependency[Herald]) -> Reply:
    """The rates in force, and the seed."""
    return reply(_faults(herald))


@post("/sandbox/faults")
async def set_faults(herald: NamedDependency[Herald], request: Asked) -> Reply:
    """Put other rates in force, for what happens from now on."""
    asked = granted(parse(SetFaults, await request.body()))
    try:
        herald.faults = herald.faults.with_rates(parse_rates(asked.faults))
    except FaultsError as error:
        granted(Refusal(400, "BAD_REQUEST", f"faults: {error}"))
    return reply(_faults(herald))


def _line(room: Room, table: Table) -> dict[str, Any]:
    return {
        "gameId": room.game_id,
        "roomCode": room.code,
        "gameMode": room.mode.value,
        "seed": room.seed,
        "status": "finished" if table.over else "playing",
        "sequence": table.sequence,
        "events": len(table.log),
        "winnerId": table.winner,
    }


def _faults(herald: Herald) -> dict[str, Any]:
    return {"seed": herald.faults.seed, "rates": dict(herald.faults.rates)}


CONTROL: Final = (
    health,
    list_games,
    show_game,
    list_events,
    show_deliveries,
    show_idle,
    show_faults,
    set_faults,
)
