"""What the referee answers: a ruling, or the clause that an event breaks."""

from dataclasses import dataclass
from typing import NamedTuple

from ludo.rules.board import Game


@dataclass(frozen=True, slots=True)
class Violation:
    """An event that the clauses do not allow next.

    `clause` is the first clause broken in the order of R17, such as "R6"; `sentence` says it to
    people, clause first, and is the same wherever it is shown.
    """

    clause: str
    sentence: str


class Ruling(NamedTuple):
    """The game after an event, and the names of the pieces that it sent back (R9)."""

    game: Game
    captured: tuple[str, ...] = ()
