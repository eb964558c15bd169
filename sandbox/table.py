"""One game: the dice are thrown here, and what happens is written down in order (R16)."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from ludo.mirror.snapshot import Snapshot, Status
from ludo.rules.board import Due, Game
from ludo.rules.engine import next_seat
from ludo.rules.events import Ended, Event, Moved, Player, Rolled, Started, TurnChanged
from ludo.rules.moves import Move, legal_moves
from ludo.rules.placements import placements
from ludo.rules.referee import Ruling, Violation, judge
from ludo.rules.ruleset import GameMode, RuleSet
from ludo.rules.track import PIECE_IDS
from sandbox.clock import iso
from sandbox.errors import RuleBroken


@dataclass(frozen=True, slots=True)
class Happened:
    """An event and when it happened, Unix milliseconds."""

    at: int
    event: Event


@dataclass(frozen=True, slots=True)
class Turn:
    """What a roll or a move led to: its own event first, then those that follow from it."""

    happened: tuple[Happened, ...]
    captured: tuple[str, ...] = ()


class Table:
    """A game from its start to its end; every event passes the referee.

    `now` gives Unix milliseconds; an event is never dated before the one it follows.
    """

    def __init__(
        self,
        players: tuple[Player, ...],
        mode: GameMode,
        rules: RuleSet,
        dice: Random,
        now: Callable[[], int],
    ) -> None:
        self._rules = rules
        self._dice = dice
        self._now = now
        self.log: list[Happened] = []
        started = Started(1, mode, players, dice.choice(players).id)
        self.game = self._certain(judge(None, started, rules)).game
        self._write(started)
        self._upcoming = dice.randint(1, 6)

    @property
    def sequence(self) -> int:
        """The number of the last event."""
        return self.game.sequence

    @property
    def over(self) -> bool:
        """Whether the last event was `game:ended`."""
        return self.game.board.due is None

    @property
    def current(self) -> Player:
        """Who is in turn."""
        return self.game.player_at(self.game.board.turn)

    @property
    def must_roll(self) -> bool:
        """Whether the player in turn is to roll, rather than to move."""
        return self.game.board.due is Due.ROLL

    @property
    def winner(self) -> str | None:
        """Who won, once the game is over."""
        event = self.log[-1].event
        return event.winner if isinstance(event, Ended) else None

    def moves(self) -> tuple[Move, ...]:
        """What the player in turn may move; nothing unless a move is due."""
        return legal_moves(self.game.board, self._rules)

    def roll(self, player: str) -> Turn | Violation:
        """Throw the dice for a player; a throw that the rules refuse is kept for the next."""
        ruling = self._take(Rolled(self.sequence + 1, player, self._upcoming))
        if isinstance(ruling, Violation):
            return ruling
        self._upcoming = self._dice.randint(1, 6)
        return self._turn(ruling)

    def move(self, player: str, piece: str, position: int) -> Turn | Violation:
        """Move a player's piece to a position (R2)."""
        ruling = self._take(Moved(self.sequence + 1, player, piece, position))
        return ruling if isinstance(ruling, Violation) else self._turn(ruling)

    def why_not(self, player: str, piece: str, position: int) -> Violation | None:
        """The clause that this move would break now, if any; nothing happens."""
        ruling = judge(self.game, Moved(self.sequence + 1, player, piece, position), self._rules)
        return ruling if isinstance(ruling, Violation) else None

    def snapshot(self, game_id: str, room_code: str, connected: frozenset[str]) -> Snapshot:
        """The whole truth about the game as it stands."""
        return Snapshot(
            game_id=game_id,
            room_code=room_code,
            status=Status.FINISHED if self.over else Status.PLAYING,
            games=(self.game,),
            updated_at=iso(self.log[-1].at),
            connected=connected,
        )

    def _turn(self, ruling: Ruling) -> Turn:
        first = len(self.log) - 1
        while (event := _consequence(self.game)) is not None:
            self._certain(self._take(event))
        return Turn(tuple(self.log[first:]), ruling.captured)

    def _take(self, event: Event) -> Ruling | Violation:
        ruling = judge(self.game, event, self._rules)
        if isinstance(ruling, Ruling):
            self.game = ruling.game
            self._write(event)
        return ruling

    def _write(self, event: Event) -> None:
        earliest = self.log[-1].at if self.log else 0
        self.log.append(Happened(max(self._now(), earliest), event))

    @staticmethod
    def _certain(ruling: Ruling | Violation) -> Ruling:
        if isinstance(ruling, Violation):
            raise RuleBroken(ruling.sentence)
        return ruling


def _consequence(game: Game) -> Event | None:
    """The event that follows without anybody's doing: the turn passes, or the game ends."""
    board, sequence = game.board, game.sequence + 1
    match board.due:
        case Due.PASS:
            return TurnChanged(sequence, game.player_at(next_seat(board)).id)
        case Due.END:
            order = tuple(game.player_at(seat).id for seat in placements(board))
            return Ended(sequence, order[0], order)
        case _:
            return None


def piece_name(move: Move) -> str:
    """The name of the piece that a move is about."""
    return PIECE_IDS[move.piece]
