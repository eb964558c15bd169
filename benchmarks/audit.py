"""How many events a second does the audit judge, and how many moves does the engine make?

    make bench

One process, no terminal. The audit reads bodies from memory and does all that the command does
but print: split lines, parse, judge. The engine plays whole games for four with random dice and
random choices, and so does `ludo-king-engine` from the package index if it is installed: in its
own loop with its own random strategy, and by the fewest of its calls that make a whole game.
Rounds of all take turns, so that a busy machine is unfair to all alike. Medians are shown.
"""

import random
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from statistics import median
from typing import Final

import msgspec

from cli.audit.command import audited
from cli.audit.reading import Source, lines_of
from ludo.rules import engine
from ludo.rules.board import Due
from ludo.rules.moves import legal_moves
from ludo.rules.ruleset import GameMode, RuleSet
from ludo.upstream.wire import event_body, game_event
from tests.rules.builders import play_game

ROUNDS: Final = 9
GAMES: Final = 60
SEATS: Final = (0, 1, 2, 3)
RULES: Final = RuleSet()


def bodies() -> Iterator[bytes]:
    """The webhook bodies of some games, a line each."""
    for seed in range(GAMES):
        for event in play_game(seed):
            room = "K7QX2M" if event.sequence == 1 else None
            told = game_event(f"gm_{seed}", event, room_code=room, at="2026-11-21T08:00:00Z")
            yield msgspec.json.encode(event_body(told)) + b"\n"


def audit_round(text: bytes) -> int:
    """Audits the text; how many events that were."""
    audits = audited(lines_of(Source(BytesIO(text), len(text))), RULES)
    assert all(audit.violation is None for audit in audits.values())
    return sum(audit.events for audit in audits.values())


def our_moves(seed: int) -> int:
    """Plays one game with `ludo.rules`; how many moves were made."""
    dice, moves = random.Random(seed), 0
    board = engine.start(GameMode.CLASSIC, SEATS, 0, RULES)
    while board.due is not Due.END:
        if board.due is Due.ROLL:
            board = engine.roll(board, dice.randint(1, 6), RULES)
        elif board.due is Due.MOVE:
            choice = dice.choice(legal_moves(board, RULES))
            board, _ = engine.move(board, choice.piece, choice.position, RULES)
            moves += 1
        else:
            board = engine.pass_turn(board)
    return moves


def their_moves() -> dict[str, Callable[[int], int]]:
    """The same with `ludo-king-engine`, in two ways; nothing if it is not installed."""
    try:
        from ludo_engine import StrategyFactory
        from ludo_engine.core import LudoGame, PlayerColor
    except ImportError:
        return {}
    colors = [PlayerColor.RED, PlayerColor.GREEN, PlayerColor.YELLOW, PlayerColor.BLUE]

    def looped(seed: int) -> int:
        random.seed(seed)  # its dice are the module's
        game = LudoGame(colors)
        for player in game.players:
            player.set_strategy(StrategyFactory.create_strategy("random"))
        return sum(len(turn.moves) for turn in game.play_game(max_turns=100_000))

    def called(seed: int) -> int:
        random.seed(seed)
        game, moves = LudoGame(colors), 0
        while not game.game_over:
            player, value = game.get_current_player(), game.roll_dice()
            choices = game.get_valid_moves(player, value)
            again = False
            if choices:
                choice = random.choice(choices)
                again = game.execute_move(player, choice.token_id, value).extra_turn
                moves += 1
            if not again:
                game.next_turn()
        return moves

    return {"king, play_game()": looped, "king, fewest calls": called}


def rate(work: Callable[[], int]) -> float:
    """How many of what the work counts are done a second."""
    began = time.perf_counter()
    done = work()
    return done / (time.perf_counter() - began)


def games_round(play: Callable[[int], int], games: int) -> Callable[[], int]:
    """A round of that many games."""
    return lambda: sum(play(seed) for seed in range(games))


def shown(name: str, rates: list[float], unit: str) -> str:
    """A measurement as a line: the median, and how far the rounds were apart."""
    low, high = min(rates), max(rates)
    return f"{name:20} {median(rates):>9,.0f} {unit}   ({low:,.0f} to {high:,.0f})"


def main() -> None:
    """Measures in interleaved rounds and prints the medians."""
    text, theirs = b"".join(bodies()), their_moves()
    works = {"audit": lambda: audit_round(text), "ludo.rules": games_round(our_moves, 20)}
    works |= {name: games_round(play, 4) for name, play in theirs.items()}
    rates: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(ROUNDS):
        for name, work in works.items():
            rates[name].append(rate(work))
    for name, measured in rates.items():
        print(shown(name, measured, "events/s" if name == "audit" else "moves/s"))
    for name in theirs:
        pairs = zip(rates["ludo.rules"], rates[name], strict=True)
        print(f"ludo.rules : {name} = {median(ours / other for ours, other in pairs):.1f}")
    if not theirs:
        print("ludo-king-engine is not installed, so nothing is compared")


if __name__ == "__main__":
    main()
