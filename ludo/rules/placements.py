"""Who won, and in which order the others follow (R13, R14)."""

from ludo.rules.board import Board


def placements(board: Board) -> tuple[int, ...]:
    """All seats of the game, best first."""
    others = [seat for seat in board.seats if seat not in board.finishers]
    others.sort(key=lambda seat: (-board.home_count(seat), -sum(board.of(seat)), seat))
    return (*board.finishers, *others)


def winner(board: Board) -> int:
    """The seat that finished first; before anybody has, the one that is ahead."""
    return placements(board)[0]
