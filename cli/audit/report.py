"""What an audit found, as a table for people and as JSON for scripts."""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.printing import printable
from ludo.rules.audit import Audit
from ludo.rules.board import Game
from ludo.rules.track import COLORS, PIECE_IDS, PIECES_PER_SEAT

Body = dict[str, Any]


def print_report(audits: Mapping[str, Audit], *, as_json: bool) -> None:
    """Each game on standard output, in the order given; with `as_json` one object a line."""
    with _reader_may_leave():
        _print(audits, as_json=as_json)


@contextmanager
def _reader_may_leave() -> Iterator[None]:
    """Nobody has to read to the end (`| head -1`): the exit code tells the verdict all the same."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        # Python flushes once more when it ends, and would fail on the same pipe.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Leaves the broken pipe to `_reader_may_leave`; a console would end the process with 1."""
        raise BrokenPipeError


def _print(audits: Mapping[str, Audit], *, as_json: bool) -> None:
    if as_json:
        for game_id, audit in audits.items():
            sys.stdout.write(msgspec.json.encode(finding(game_id, audit)).decode() + "\n")
        return
    console = _Console()
    if console.is_terminal and audits:
        console.print(_table(audits))
    elif audits:
        for game_id, audit in audits.items():
            console.print(Text(_line(game_id, audit)), soft_wrap=True)
    console.print(Text(_summary(audits)), soft_wrap=True)


def finding(game_id: str, audit: Audit) -> Body:
    """What `--json` prints of a game; `violations` has at most one entry."""
    game, violations = audit.game, []
    if audit.violation is not None:
        wrong = audit.violation
        violations.append(
            {"sequence": audit.broken_at, "clause": wrong.clause, "message": wrong.sentence}
        )
    return {
        "gameId": game_id,
        "events": audit.events,
        "sequence": 0 if game is None else game.sequence,
        "status": _status(game),
        "winnerId": _winner(game),
        "pieces": {} if game is None else _pieces(game),
        "violations": violations,
    }


def _status(game: Game | None) -> str:
    if game is None:
        return "waiting"
    return "finished" if game.board.due is None else "playing"


def _winner(game: Game | None) -> str | None:
    """Who won a game that has ended; the finishers of one that goes on have not won yet (R13)."""
    if game is None or game.board.due is not None:
        return None
    return game.player_at(game.board.finishers[0]).id


def _pieces(game: Game) -> dict[str, int]:
    """The position of every piece of the seats in play (R2), by seat and number."""
    board = game.board
    return {
        name: board.pieces[index]
        for index, name in enumerate(PIECE_IDS)
        if index // PIECES_PER_SEAT in board.seats
    }


def _table(audits: Mapping[str, Audit]) -> Table:
    table = Table("game", "events", "sequence", "status", "winner", "pieces", "verdict")
    for game_id, audit in audits.items():
        game = audit.game
        columns = (
            game_id,
            str(audit.events),
            str(0 if game is None else game.sequence),
            _status(game),
            _winner(game) or "",
            _standing(game),
            _verdict(audit),
        )
        table.add_row(*(Text(printable(column)) for column in columns))
    return table


def _line(game_id: str, audit: Audit) -> str:
    status, winner = _status(audit.game), _winner(audit.game)
    won = f", won by {winner}" if winner else ""
    at = 0 if audit.game is None else audit.game.sequence
    standing = _standing(audit.game)
    parts = (
        f"{game_id}: {audit.events} events",
        f"{status} at {at}{won}",
        *((standing,) if standing else ()),
        _verdict(audit),
    )
    return printable("; ".join(parts))


def _standing(game: Game | None) -> str:
    """Where the pieces stand, a colour after the other."""
    if game is None:
        return ""
    seats = ((COLORS[seat], game.board.of(seat)) for seat in game.board.seats)
    return ", ".join(f"{color} {' '.join(map(str, of))}" for color, of in seats)


def _verdict(audit: Audit) -> str:
    if audit.violation is None:
        return "legal"
    return f"event {audit.broken_at} breaks {audit.violation.sentence}"


def _summary(audits: Mapping[str, Audit]) -> str:
    wrong = sum(audit.violation is not None for audit in audits.values())
    events = sum(audit.events for audit in audits.values())
    return f"games {len(audits)}, events {events}, violations {wrong}"
