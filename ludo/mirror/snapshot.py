"""The whole state of a game at one sequence, as a `GET /games/{id}/state` body tells it."""

from dataclasses import dataclass, replace
from enum import StrEnum

from ludo.rules.board import Board, Due, Game


class Status(StrEnum):
    """How far a game is (design section 5)."""

    WAITING = "waiting"
    PLAYING = "playing"
    FINISHED = "finished"
    ABANDONED = "abandoned"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A game's state with everything that a body may leave open.

    `games` are the games that fit the body: exactly one when the body names phase,
    consecutiveSixes and finishOrder; more when it leaves some of them out, and the snapshot is
    *provisional*; none while the game is waiting to start. All share sequence and players.
    `connected` holds the ids of the players said to be connected; it is no part of equality.
    """

    game_id: str
    room_code: str
    status: Status
    games: tuple[Game, ...]
    updated_at: str
    connected: frozenset[str] = frozenset()

    @property
    def sequence(self) -> int:
        """The number of the last event in it; 0 before the game has started."""
        return self.games[0].sequence if self.games else 0

    @property
    def provisional(self) -> bool:
        """Whether the body left something open."""
        return len(self.games) > 1

    @property
    def over(self) -> bool:
        """Whether nothing more can happen in this game."""
        return self.status in (Status.FINISHED, Status.ABANDONED)


def abandoned(snapshot: Snapshot) -> Snapshot:
    """The same state of a game in which nothing more will happen."""
    games = (game._replace(board=game.board._replace(due=None)) for game in snapshot.games)
    return replace(snapshot, status=Status.ABANDONED, games=tuple(dict.fromkeys(games)))


def agree(one: Snapshot, other: Snapshot) -> bool:
    """Whether two snapshots of one sequence can be the same state.

    What a body leaves open agrees with anything; so does an unknown time.
    """
    return (
        one.sequence == other.sequence
        and one.status == other.status
        and one.room_code == other.room_code
        and (one.updated_at == other.updated_at or not (one.updated_at and other.updated_at))
        and not _essence(one).isdisjoint(_essence(other))
    )


def _essence(snapshot: Snapshot) -> frozenset[object]:
    return frozenset((game.players, _settled(game.board)) for game in snapshot.games)


def _settled(board: Board) -> Board:
    """The board without the values that decide nothing any more.

    The sixes of a turn matter only while a roll or a move is due (R12), the turn only until the
    end (R13).
    """
    if board.due in (Due.ROLL, Due.MOVE):
        return board
    turn = board.turn if board.due is not None else -1
    return board._replace(sixes=0, turn=turn)
