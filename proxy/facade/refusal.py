"""Whether a move can be refused without asking upstream: only if the mirror proves it illegal."""

from collections.abc import Mapping
from typing import Any, Final

from ludo.mirror.body import from_body
from ludo.mirror.mirror import Referee, Strictness
from ludo.rules import Moved, Violation, judge
from ludo.rules.board import Due
from ludo.store.games import Stored
from ludo.store.writes import Standing

PROVABLE: Final = frozenset({"R2", "R6", "R7", "R8"})
"""Clauses that follow from the piece and the roll alone (design section 9)."""


def is_current(stored: Stored, standing: Standing, referee: Referee) -> bool:
    """Whether the mirror stands for the present, and our rules for upstream's.

    Not if a write passed through us since its last event, if something waits for it or is owed
    to it, or if this game is not judged by the rules any more.
    """
    strict = referee.strictness_for(standing.divergences) is Strictness.ENFORCE
    unwritten = standing.written_at is None or standing.written_at < stored.seq
    return strict and unwritten and stored.settled and not stored.stale


def refusal(body: Mapping[str, Any], move: Mapping[str, Any], referee: Referee) -> Violation | None:
    """The clause that a move breaks in every game that fits the state; None if it may be legal.

    `move` is a request body: pieceId, targetPosition and playerId.
    """
    event = _event(body, move)
    if event is None or body["diceValue"] is None:
        return None
    games = from_body(body, referee.rules).games
    if not games or any(game.board.due is not Due.MOVE for game in games):
        return None
    rulings = [judge(game, event, referee.rules) for game in games]
    broken = [each for each in rulings if isinstance(each, Violation) and each.clause in PROVABLE]
    return broken[0] if len(broken) == len(rulings) else None


def _event(body: Mapping[str, Any], move: Mapping[str, Any]) -> Moved | None:
    piece, position, player = (
        move.get("pieceId"),
        move.get("targetPosition"),
        move.get("playerId", body["currentPlayerId"]),
    )
    if not (isinstance(piece, str) and isinstance(player, str)):
        return None
    if not isinstance(position, int) or isinstance(position, bool):
        return None
    return Moved(body["sequence"] + 1, player, piece, position)
