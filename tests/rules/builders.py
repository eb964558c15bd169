"""Games and boards for tests: seeded, legal, and said in as few words as possible."""

import random

from ludo.rules import engine
from ludo.rules.board import Board, Due, Game
from ludo.rules.events import Ended, Event, Moved, Player, Rolled, Started, TurnChanged
from ludo.rules.moves import legal_moves
from ludo.rules.placements import placements
from ludo.rules.ruleset import GameMode, RuleSet
from ludo.rules.track import COLORS, PIECE_IDS, PIECES_PER_SEAT, SEATS, YARD

DEFAULT = RuleSet()


def player_id(seat: int) -> str:
    """The id of the player that the builders put on a seat."""
    return f"player-{COLORS[seat].value}"


def player(seat: int) -> Player:
    """The player that the builders put on a seat."""
    return Player(player_id(seat), COLORS[seat].value.title(), COLORS[seat])


def started(
    seats: tuple[int, ...] = (0, 1, 2, 3), first: int = 0, mode: GameMode = GameMode.CLASSIC
) -> Started:
    """The first event of a game."""
    return Started(1, mode, tuple(player(seat) for seat in seats), player_id(first))


def board(
    *,
    red: tuple[int, ...] = (),
    green: tuple[int, ...] = (),
    blue: tuple[int, ...] = (),
    yellow: tuple[int, ...] = (),
    seats: tuple[int, ...] = (0, 1, 2, 3),
    turn: int = 0,
    due: Due | None = Due.ROLL,
    dice: int | None = None,
    sixes: int = 0,
    finishers: tuple[int, ...] = (),
    mode: GameMode = GameMode.CLASSIC,
) -> Board:
    """A board; pieces that are not named are in the yard."""
    pieces: list[int] = []
    for positions in (red, green, blue, yellow):
        pieces += [*positions, *[YARD] * (PIECES_PER_SEAT - len(positions))]
    return Board(mode, seats, tuple(pieces), turn, due, dice, sixes, finishers)


def game(on: Board, sequence: int = 10) -> Game:
    """A game in progress on a board."""
    return Game(sequence, tuple(player(seat) for seat in on.seats), on)


def play_game(
    seed: int,
    mode: GameMode = GameMode.CLASSIC,
    seats: int | tuple[int, ...] = SEATS,
    rules: RuleSet = DEFAULT,
    *,
    limit: int = 20_000,
) -> list[Event]:
    """The events of a legal game with random dice and random choices.

    `seats` is the seats in play, or how many of them (chosen by the seed). The list ends with
    `Ended`, unless the switches make a game that does not end: then it has `limit` events.
    """
    dice = random.Random(seed)
    if isinstance(seats, int):
        seats = tuple(dice.sample(range(SEATS), seats))
    first = dice.choice(seats)
    events: list[Event] = [started(seats, first, mode)]
    now = engine.start(mode, seats, first, rules)
    while now.due is not None and len(events) < limit:
        now, event = _step(now, len(events) + 1, dice, rules)
        events.append(event)
    return events


def _step(now: Board, sequence: int, dice: random.Random, rules: RuleSet) -> tuple[Board, Event]:
    mover = player_id(now.turn)
    if now.due is Due.ROLL:
        value = dice.randint(1, 6)
        return engine.roll(now, value, rules), Rolled(sequence, mover, value)
    if now.due is Due.MOVE:
        choice = dice.choice(legal_moves(now, rules))
        after, _ = engine.move(now, choice.piece, choice.position, rules)
        return after, Moved(sequence, mover, PIECE_IDS[choice.piece], choice.position)
    if now.due is Due.PASS:
        after = engine.pass_turn(now)
        return after, TurnChanged(sequence, player_id(after.turn))
    order = tuple(player_id(seat) for seat in placements(now))
    return engine.end(now), Ended(sequence, order[0], order)
