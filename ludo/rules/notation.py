"""A game as one line of text, for tests, bug reports and people.

    quick red*,blue 3.0 / 6.0 6.0 2.0 / 5 / #

The mode, then the colours in play, a star behind the one that begins. Then a step for each roll:
its value and, behind a point, the number of the piece that was moved by it. `/` is the turn going
to the next player and `#` the announced end. Whose turn it is and where a piece arrives follow
from the clauses.
"""

from collections.abc import Iterable, Iterator
from typing import assert_never

from ludo.rules.board import Game
from ludo.rules.engine import next_seat
from ludo.rules.events import Ended, Event, Moved, Player, Rolled, Started, TurnChanged
from ludo.rules.placements import placements
from ludo.rules.referee import judge
from ludo.rules.ruleset import GameMode, RuleSet
from ludo.rules.track import COLORS, PIECE_INDEX, PIECES_PER_SEAT, SEAT_OF, YARD, Color
from ludo.rules.verdict import Violation


class NotationError(ValueError):
    """A text that is no notation, or tells a step that the clauses forbid."""


def record(events: Iterable[Event]) -> str:
    """The notation of a legal game's events, from its start on."""
    steps: list[str] = []
    for event in events:
        match event:
            case Started():
                steps.append(f"{event.mode} {','.join(_seats(event))}")
            case Rolled():
                steps.append(str(event.value))
            case Moved():
                steps[-1] += f".{PIECE_INDEX[event.piece] % PIECES_PER_SEAT}"
            case TurnChanged():
                steps.append("/")
            case Ended():
                steps.append("#")
            case _:
                assert_never(event)
    return " ".join(steps)


def _seats(event: Started) -> Iterator[str]:
    for player in sorted(event.players, key=lambda player: SEAT_OF[player.color]):
        yield player.color + ("*" if player.id == event.current else "")


def replay(text: str, rules: RuleSet) -> Game:
    """The game that a notation tells; its players are named for their colours.

    Raises NotationError with the step (the start is step 1) and what is wrong with it.
    """
    head, steps = text.split()[:2], text.split()[2:]
    game = _judged(None, _start(head), rules, f"step 1 ({' '.join(head)})")
    for number, step in enumerate(steps, 2):
        where = f"step {number} ({step})"
        value, _, piece = step.partition(".")
        if value in ("/", "#") and step == value:
            game = _judged(game, _passed(game) if step == "/" else _ended(game), rules, where)
            continue
        rolled = Rolled(game.sequence + 1, _in_turn(game), _digit(value, where))
        game = _judged(game, rolled, rules, where)
        if step != value:
            game = _judged(game, _moved(game, _digit(piece, where)), rules, where)
    return game


def _judged(game: Game | None, event: Event, rules: RuleSet, where: str) -> Game:
    verdict = judge(game, event, rules)
    if isinstance(verdict, Violation):
        raise NotationError(f"{where}: {verdict.sentence}")
    return verdict.game


def _start(head: list[str]) -> Started:
    mode, seats = head if len(head) == 2 else ("", "")
    names = [name.removesuffix("*") for name in seats.split(",")]
    first = [name.removesuffix("*") for name in seats.split(",") if name.endswith("*")]
    if mode not in list(GameMode) or not set(names) <= set(COLORS) or len(first) != 1:
        raise NotationError(
            f"step 1: expected {'|'.join(GameMode)} and two to four of {','.join(COLORS)}, "
            f"a star behind the one that begins; found {' '.join(head)!r}"
        )
    players = tuple(Player(name, name.title(), Color(name)) for name in names)
    return Started(1, GameMode(mode), players, first[0])


def _passed(game: Game) -> TurnChanged:
    return TurnChanged(game.sequence + 1, game.player_at(next_seat(game.board)).id)


def _ended(game: Game) -> Ended:
    order = tuple(game.player_at(seat).id for seat in placements(game.board))
    return Ended(game.sequence + 1, order[0], order)


def _moved(game: Game, number: int) -> Moved:
    board, name = game.board, f"{_in_turn(game)}-{number}"
    start = board.pieces[PIECE_INDEX[name]] if name in PIECE_INDEX else YARD
    position = 0 if start == YARD else start + (board.dice or 0)
    return Moved(game.sequence + 1, _in_turn(game), name, position)


def _in_turn(game: Game) -> str:
    return game.player_at(game.board.turn).id


def _digit(text: str, where: str) -> int:
    if len(text) == 1 and text in "0123456789":
        return int(text)
    raise NotationError(f"{where}: expected a roll as 5, a move as 5.0, / or #")
