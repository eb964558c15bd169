"""What hypothesis draws: switches, positions and events, legal or not."""

from hypothesis import strategies as st

from ludo.rules.board import Board, Due, Game
from ludo.rules.events import Ended, Event, Moved, Rolled, TurnChanged
from ludo.rules.ruleset import GameMode, RuleSet
from ludo.rules.track import HOME, PIECE_IDS, PIECES_PER_SEAT, SAFE_SQUARES, SEATS, YARD, square_at
from tests.rules.builders import game, player_id, started

SEAT_CHOICES = [(0, 1), (0, 2), (1, 3), (0, 1, 2), (1, 2, 3), (0, 1, 2, 3)]


@st.composite
def rule_sets(draw: st.DrawFn) -> RuleSet:
    """Any combination of the switches."""
    on = [draw(st.booleans()) for _ in range(5)]
    return RuleSet(on[0], draw(st.sampled_from([3, 0, 1, 2, 4])), *on[1:])


@st.composite
def games(draw: st.DrawFn) -> Game:
    """A game in which somebody is about to roll; anything that the clauses let stand may stand."""
    mode = draw(st.sampled_from(list(GameMode)))
    seats = draw(st.sampled_from(SEAT_CHOICES))
    pieces = [YARD] * (SEATS * PIECES_PER_SEAT)
    owners: dict[int, int] = {}
    for seat in seats:
        for number in range(PIECES_PER_SEAT):
            position = draw(st.one_of(st.integers(YARD, HOME), st.integers(46, HOME)))
            square = square_at(seat, position)
            alone = square is None or square in SAFE_SQUARES or owners.get(square, seat) == seat
            if not alone or _finishes(pieces, seat, position, mode):
                continue
            if square is not None:
                owners[square] = seat
            pieces[PIECES_PER_SEAT * seat + number] = position
    turn = draw(st.sampled_from(seats))
    return game(Board(mode, seats, tuple(pieces), turn, Due.ROLL), draw(st.integers(1, 900)))


def _finishes(pieces: list[int], seat: int, position: int, mode: GameMode) -> bool:
    first = PIECES_PER_SEAT * seat
    home = pieces[first : first + PIECES_PER_SEAT].count(HOME)
    return position == HOME and home + 1 >= mode.pieces_to_finish


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
