"""The clauses a second time, told by walking instead of by arithmetic.

The properties compare the referee with this table. It shares nothing with `ludo.rules` but the
events: pieces walk a written-out path of cells, what a turn may still do is read off its rolls,
and the clause that an event breaks is looked up in a list in the order of R17.
"""

from collections.abc import Iterator
from itertools import takewhile

from ludo.rules.board import Game
from ludo.rules.events import Ended, Event, Moved, Player, Rolled, Started, TurnChanged
from ludo.rules.ruleset import RuleSet

Cell = tuple[str, int]
COLOURS = ["red", "green", "blue", "yellow"]
SAFE = {("track", square) for square in (0, 8, 13, 21, 26, 34, 39, 47)}


def _path(colour: str) -> list[Cell]:
    """The cells that a piece walks, from its yard to its home."""
    square, track = [0, 13, 26, 39][COLOURS.index(colour)], []
    for _ in range(51):
        track.append(("track", square))
        square = 0 if square == 51 else square + 1
    column = [(f"{colour} column", step) for step in range(5)]
    return [(f"{colour} yard", 0), *track, *column, (f"{colour} home", 0)]


PATHS = {colour: _path(colour) for colour in COLOURS}


class Table:
    """A game at a table: it plays events and tells which ones may come next."""

    def __init__(self, mode: str, players: list[Player], current: str, rules: RuleSet) -> None:
        self.rules = rules
        self.needed = 1 if mode == "quick" else 4
        self.colour = {player.id: player.color.value for player in players}
        order = sorted(players, key=lambda player: COLOURS.index(player.color.value))
        self.ids = [player.id for player in order]
        self.steps = {f"{colour}-{n}": 0 for colour in self.colour.values() for n in range(4)}
        if mode == "quick":
            self.steps.update({f"{colour}-0": 1 for colour in self.colour.values()})
        self.current = current
        self.sequence = 1
        self.rolls: list[int] = []
        self.moved = False
        self.earned = True
        self.finished: list[str] = []
        self.closed = False

    @classmethod
    def opened(cls, event: Started, rules: RuleSet) -> "Table":
        """The table at which this game starts."""
        return cls(event.mode.value, list(event.players), event.current, rules)

    @classmethod
    def resumed(cls, game: Game, rules: RuleSet) -> "Table":
        """The table of a game in which a turn is about to begin."""
        board = game.board
        table = cls(board.mode.value, list(game.players), game.player_at(board.turn).id, rules)
        table.sequence = game.sequence
        for piece in table.steps:
            colour, number = piece.split("-")
            table.steps[piece] = board.pieces[4 * COLOURS.index(colour) + int(number)] + 1
        return table

    def cell(self, piece: str) -> Cell:
        return PATHS[piece.split("-")[0]][self.steps[piece]]

    def position(self, piece: str) -> int:
        return self.steps[piece] - 1

    def own(self, player: str) -> list[str]:
        return [piece for piece in self.steps if piece.split("-")[0] == self.colour[player]]

    def home(self, player: str) -> int:
        return sum(self.cell(piece)[0].endswith("home") for piece in self.own(player))

    def is_block(self, cell: Cell, mover: str) -> bool:
        if cell[0] != "track" or cell in SAFE:
            return False
        here = [piece.split("-")[0] for piece in self.steps if self.cell(piece) == cell]
        return any(here.count(colour) > 1 for colour in set(here) - {mover.split("-")[0]})

    @property
    def roll(self) -> int | None:
        """The roll that waits for its move or for the turn to pass."""
        return self.rolls[-1] if self.rolls and not self.moved and not self.earned else None

    @property
    def sixes(self) -> int:
        """The 6s in a row that count: none behind a void one, none when they are not limited."""
        if self.void or not self.rules.max_consecutive_sixes:
            return 0
        return len(list(takewhile(lambda value: value == 6, reversed(self.rolls))))

    @property
    def phase(self) -> str | None:
        """The kind of event that is due, as `GET state` calls it."""
        if self.closed:
            return None
        kinds = {Rolled: "roll", Moved: "move", TurnChanged: "pass", Ended: "end"}
        return kinds[type(self.allowed()[0])]

    @property
    def void(self) -> bool:
        limit = self.rules.max_consecutive_sixes
        return 0 < limit <= len(self.rolls) and self.rolls[-limit:] == [6] * limit

    @property
    def decided(self) -> bool:
        """Whether only the end is to be announced."""
        left = len(self.ids) - len(self.finished)
        return left <= 1 if self.rules.play_on else bool(self.finished)

    def target(self, piece: str, roll: int) -> int | None:
        """How many steps along its path the roll brings the piece, blocks left aside."""
        if self.steps[piece] == 0:
            return 1 if roll == 6 else None
        path = PATHS[piece.split("-")[0]]
        reached = self.steps[piece] + roll
        return reached if reached < len(path) else None

    def hindered(self, piece: str, target: int) -> bool:
        way = PATHS[piece.split("-")[0]][self.steps[piece] + 1 : target + 1]
        return self.rules.blocks and any(self.is_block(cell, piece) for cell in way)

    def options(self) -> dict[str, int]:
        """The pieces that may move by the roll, with their new positions."""
        if self.roll is None or self.void:
            return {}
        targets = {piece: self.target(piece, self.roll) for piece in self.own(self.current)}
        return {
            piece: target - 1
            for piece, target in targets.items()
            if target is not None and not self.hindered(piece, target)
        }

    def follower(self) -> str:
        place = self.ids.index(self.current)
        circle = self.ids[place + 1 :] + self.ids[:place]
        return next(player for player in circle if player not in self.finished)

    def ranking(self) -> list[str]:
        def strength(player: str) -> tuple[int, int]:
            return self.home(player), sum(self.position(piece) for piece in self.own(player))

        others = [player for player in self.ids if player not in self.finished]
        return self.finished + sorted(others, key=strength, reverse=True)

    def allowed(self) -> list[Event]:
        """Every event that may come next; sixes are listed first."""
        number = self.sequence + 1
        if self.closed:
            return []
        if self.decided:
            order = self.ranking()
            return [Ended(number, order[0], tuple(order))]
        if self.earned:
            return [Rolled(number, self.current, value) for value in (6, 5, 4, 3, 2, 1)]
        moves = self.options()
        if moves:
            return [Moved(number, self.current, piece, moves[piece]) for piece in moves]
        return [TurnChanged(number, self.follower())]

    def broken(self, event: Event) -> str:
        """The clause by which R17 names an event that is not allowed."""
        for clause, holds in self._charges(event):
            if holds:
                return clause
        return "none"

    def _charges(self, event: Event) -> Iterator[tuple[str, bool]]:
        """Each clause that can name this kind of event, in the order of R17; does it hold?"""
        yield "R16", event.sequence != self.sequence + 1 or self.closed
        match event:
            case Started():
                yield "R16", True
            case Rolled():
                yield "R4", event.player != self.current
                yield "R5", event.value not in (1, 2, 3, 4, 5, 6) or bool(self.options())
                yield "R10", not self.decided and not self.earned
                yield "R13", self.decided
            case TurnChanged():
                yield "R4", event.current != self.follower()
                yield "R5", bool(self.options())
                yield "R10", self.earned and not self.decided
                yield "R13", self.decided
            case Ended():
                yield "R13", not self.decided or event.winner != self.ranking()[0]
                yield "R14", list(event.placements) != self.ranking()
            case Moved():
                yield from self._charges_of_move(event)

    def _charges_of_move(self, event: Moved) -> Iterator[tuple[str, bool]]:
        yield "R2", event.piece not in self.steps or event.player not in self.colour
        yield "R2", not -1 <= event.position <= 56 or event.piece not in self.own(event.player)
        yield "R4", event.player != self.current
        roll, position = self.roll, self.position(event.piece)
        yield "R12", roll is not None and self.void
        yield "R11", roll is not None and not self.options()
        yield "R5", roll is None
        yield "R6", position == -1 and (roll != 6 or event.position != 0)
        right = roll is not None and position + roll == event.position <= 56
        yield "R7", position >= 0 and (position == 56 or not right)
        yield "R8", self.hindered(event.piece, event.position + 1)

    def play(self, event: Event) -> list[str]:
        """Take an allowed event; the pieces that it sends back are the answer."""
        self.sequence = event.sequence
        match event:
            case Rolled():
                self.rolls.append(event.value)
                self.earned, self.moved = False, False
            case TurnChanged():
                self.current, self.rolls, self.earned = event.current, [], True
            case Ended():
                self.closed = True
            case Moved():
                return self._move(event)
            case Started():
                raise AssertionError("a table opens once")
        return []

    def _move(self, event: Moved) -> list[str]:
        self.steps[event.piece] = event.position + 1
        cell = self.cell(event.piece)
        sent = [
            piece
            for piece in self.steps
            if self.cell(piece) == cell and piece not in self.own(event.player)
        ]
        sent = sent if cell[0] == "track" and cell not in SAFE else []
        self.steps.update(dict.fromkeys(sent, 0))
        if self.home(event.player) >= self.needed:
            self.finished.append(event.player)
        rules, self.moved = self.rules, True
        self.earned = event.player not in self.finished and any(
            [
                rules.extra_turn_on_six and self.rolls[-1] == 6,
                rules.extra_turn_on_capture and bool(sent),
                rules.extra_turn_on_finish and cell[0].endswith("home"),
            ]
        )
        return sent
