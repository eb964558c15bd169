"""What hypothesis draws: switches, positions and events, legal or not."""

from hypothesis import strategies as st

from ludo.rules.board import Board, Due, Game
from ludo.rules.events import Ended, Event, Moved, Rolled, TurnChanged
from ludo.rules.ruleset import GameMode, RuleSet
from ludo.rules.track import (
    HOME,
    PIECE_IDS,
    PIECES_PER_SEAT,
    SAFE_SQUARES,
    SEATS,
    TRACK_LENGTH,
    YARD,
    position_on,
    square_at,
)
from tests.rules.builders import game, player_id, started

SEAT_CHOICES = [(0, 1), (0, 2), (1, 3), (0, 1, 2), (1, 2, 3), (0, 1, 2, 3)]


@st.composite
def rule_sets(draw: st.DrawFn) -> RuleSet:
    """Any combination of the switches."""
    on = [draw(st.booleans()) for _ in range(5)]
    return RuleSet(on[0], draw(st.sampled_from([3, 0, 1, 2, 4])), *on[1:])


@st.composite
def games(draw: st.DrawFn) -> Game:
    """A game in which somebody is about to roll; anything that the clauses let stand may stand.

    Every seat is of a kind, so that blocks, stuck players and the end are as common as the rest.
    """
    mode = draw(st.sampled_from(list(GameMode)))
    seats = draw(st.sampled_from(SEAT_CHOICES))
    pieces = [YARD] * (SEATS * PIECES_PER_SEAT)
    owners: dict[int, int] = {}
    crowd = draw(st.integers(0, TRACK_LENGTH - 1))
    for seat in seats:
        for number, position in enumerate(draw(_positions(mode, seat, crowd))):
            square = square_at(seat, position)
            shared = square is None or square in SAFE_SQUARES
            if square is not None and not shared and owners.setdefault(square, seat) != seat:
                continue
            pieces[PIECES_PER_SEAT * seat + number] = position
    turn = draw(st.sampled_from(seats))
    return game(Board(mode, seats, tuple(pieces), turn, Due.ROLL), draw(st.integers(1, 900)))


@st.composite
def _positions(draw: st.DrawFn, mode: GameMode, seat: int, crowd: int) -> list[int]:
    """Four positions of one seat that has not finished; `crowd` is where the crowded ones meet."""
    kind = draw(st.sampled_from(["crowded", "crowded", "late", "stuck", "spread"]))
    if kind == "crowded":
        squares = [(crowd + draw(st.integers(0, 6))) % TRACK_LENGTH for _ in range(2)]
        one, other = (position_on(seat, square) for square in squares)
        return [YARD if position is None else position for position in (one, one, other, None)]
    if kind == "late":
        home = [HOME] * (mode.pieces_to_finish - 1)
        return (home + [draw(st.integers(50, HOME - 1)) for _ in range(4)])[:PIECES_PER_SEAT]
    if kind == "stuck":
        return draw(st.lists(st.sampled_from([YARD, HOME - 1]), min_size=4, max_size=4))
    return draw(st.lists(st.integers(YARD, HOME - 1), min_size=4, max_size=4))


def any_events() -> st.SearchStrategy[Event]:
    """Events as the wire may bring them, with no regard to what is due."""
    ids = st.sampled_from([*(player_id(seat) for seat in range(SEATS)), "stranger"])
    sequences = st.integers(1, 1000)
    pieces = st.sampled_from([*PIECE_IDS, "red-4", ""])
    return st.one_of(
        st.builds(Rolled, sequences, ids, st.integers(1, 6)),
        st.builds(Moved, sequences, ids, pieces, st.integers(YARD, HOME)),
        st.builds(TurnChanged, sequences, ids),
        st.builds(Ended, sequences, ids, st.lists(ids).map(tuple)),
        st.just(started()),
    )
