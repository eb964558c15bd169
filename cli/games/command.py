"""The four subcommands: which games are meant, and how they are shown."""

import os
from typing import Annotated, Any

import typer

from cli.printing import json_line, moment, printable

games = typer.Typer(
    no_args_is_help=True,
    help="Games, live and archived: list and show them, play them again, fetch them anew.",
)

_GameId = Annotated[str, typer.Argument(metavar="ID", help="As `list` shows it.")]
_AsJson = Annotated[bool, typer.Option("--json", help="JSON, one object a line.")]


@games.command("list")
def list_games(
    status: Annotated[
        str | None, typer.Option(help="Only these: playing, finished or abandoned.")
    ] = None,
    player: Annotated[str | None, typer.Option(help="Only games of this player's id.")] = None,
    limit: Annotated[int, typer.Option(help="At most so many, the last.", min=1)] = 20,
    as_json: _AsJson = False,
) -> None:
    """Show games, the last first: when they were begun or over, and who plays."""
    from cli.games.work import listed, on_library

    found = on_library(os.environ, lambda shelf: listed(shelf, status, player, limit))
    for game in found:
        typer.echo(json_line(game) if as_json else printable(_line(game)))
    if not as_json and not found:
        typer.echo("no games")


@games.command("show")
def show_game(game_id: _GameId, as_json: _AsJson = False) -> None:
    """Show one game as it stands. Exits with 1 if nobody knows it."""
    from cli.games.work import on_library, shown

    game = on_library(os.environ, lambda shelf: shown(shelf, game_id))
    _print(game, as_json=as_json)


@games.command()
def replay(
    game_id: _GameId,
    at: Annotated[int | None, typer.Option(help="Only the state at this sequence.", min=1)] = None,
    as_json: _AsJson = False,
) -> None:
    """Play a game again: each event with what it did, or the state at a sequence.

    A resync is a line of its own. Exits with 1 for a sequence that a resync went past.
    """
    from cli.games.work import on_library, replayed, state_of

    if at is not None:
        state = on_library(os.environ, lambda shelf: state_of(shelf, game_id, at))
        _print(state, as_json=as_json)
        return
    for step in on_library(os.environ, lambda shelf: replayed(shelf, game_id)):
        typer.echo(json_line(step) if as_json else printable(_step(step)))


@games.command()
def resync(game_id: _GameId, as_json: _AsJson = False) -> None:
    """Have a game's state fetched from upstream; a worker does it. Not for archived games."""
    from cli.games.work import on_library, resynced

    on_library(os.environ, lambda shelf: resynced(shelf, game_id))
    typer.echo(
        json_line({"game": game_id, "owed": "asked"}) if as_json else f"{game_id}: asked for"
    )


def _line(game: dict[str, Any]) -> str:
    players = ", ".join(player["playerName"] for player in game["players"])
    where = "archived" if game["archived"] else "hot"
    return f"{game['gameId']}  {game['status']:9} {game['sequence']:>5}  {where:8}  {players}"


def _step(step: dict[str, Any]) -> str:
    at = moment(step["at"])
    if step["kind"] == "resync":
        return f"{at}  {step['sequence']:>5}  resync ({step['why']})"
    data = step["data"]
    told = " ".join(
        f"{name}={value}" for name, value in data.items() if not isinstance(value, list)
    )
    return f"{at}  {step['sequence']:>5}  {step['type']}  {told}"


def _print(value: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json_line(value))
        return
    width = max(len(name) for name in value)
    for name, each in value.items():
        text = each if isinstance(each, str) else json_line(each)
        typer.echo(printable(f"{name:{width}}  {text}"))
