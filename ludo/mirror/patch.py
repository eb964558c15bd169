"""The difference between two state bodies as an RFC 6902 patch.

Bodies of one game have the same keys and lists of the same length except `finishOrder`, which
is small: it is replaced whole, as is every other list whose length changes.
"""

from typing import Any, Final

from ludo.mirror.body import to_body, winner_id
from ludo.mirror.snapshot import Snapshot
from ludo.rules.board import Board, Game
from ludo.rules.track import HOME, PIECES_PER_SEAT

Operation = dict[str, Any]
Patch = list[Operation]
_NUMBERS: Final = range(PIECES_PER_SEAT)


def patch_of(before: Snapshot, after: Snapshot) -> Patch:
    """The operations that turn the body of one snapshot into that of another, in document order.

    For a step of a game it looks at what a step can change and makes no body, which is most of
    the work; it is what `patch_between` says of the bodies.
    """
    if not _is_step(before, after):
        return patch_between(to_body(before), to_body(after))
    was, now = before.games[0], after.games[0]
    patch: Patch = []
    if before.status is not after.status:
        patch.append(_replace("/status", after.status.value))
    if was.sequence != now.sequence:
        patch.append(_replace("/sequence", now.sequence))
    patch += _moved(was.board, now.board)
    patch += _turned(was, now)
    if winner_id(before) != winner_id(after):
        patch.append(_replace("/winnerId", winner_id(after)))
    if before.updated_at != after.updated_at:
        patch.append(_replace("/updatedAt", after.updated_at))
    return patch


def _is_step(before: Snapshot, after: Snapshot) -> bool:
    """Whether both bodies leave nothing open and tell of the same people and the same mode."""
    if len(before.games) != 1 or len(after.games) != 1:
        return False
    was, now = before.games[0], after.games[0]
    return (
        was.players == now.players
        and was.board.seats == now.board.seats
        and was.board.mode is now.board.mode
        and before.connected == after.connected
        and before.game_id == after.game_id
        and before.room_code == after.room_code
    )


def _moved(was: Board, now: Board) -> Patch:
    if was.pieces == now.pieces:
        return []
    patch: Patch = []
    for place, seat in enumerate(now.seats):
        if was.home_count(seat) != now.home_count(seat):
            patch.append(_replace(f"/players/{place}/finishedPieces", now.home_count(seat)))
    for place, seat in enumerate(now.seats):
        old, new = was.of(seat), now.of(seat)
        if old == new:
            continue
        for number in _NUMBERS:
            if old[number] != new[number]:
                piece = f"/pieces/{PIECES_PER_SEAT * place + number}"
                patch.append(_replace(f"{piece}/position", new[number]))
                if HOME in (old[number], new[number]):
                    patch.append(_replace(f"{piece}/finished", new[number] == HOME))
    return patch


def _turned(was: Game, now: Game) -> Patch:
    """Who is in turn, and what is due of him."""
    old, new = was.board, now.board
    patch: Patch = []
    if old.turn != new.turn:
        patch.append(_replace("/currentPlayerId", now.player_at(new.turn).id))
    if old.dice != new.dice:
        patch.append(_replace("/diceValue", new.dice))
    if old.due is not new.due:
        patch.append(_replace("/phase", None if new.due is None else new.due.value))
    if old.sixes != new.sixes:
        patch.append(_replace("/consecutiveSixes", new.sixes))
    if old.finishers != new.finishers:
        patch += patch_between(
            [was.player_at(seat).id for seat in old.finishers],
            [now.player_at(seat).id for seat in new.finishers],
            "/finishOrder",
        )
    return patch


def _replace(path: str, value: object) -> Operation:
    return {"op": "replace", "path": path, "value": value}


def patch_between(before: Any, after: Any, path: str = "") -> Patch:
    """The operations that turn `before` into `after`, in document order."""
    if before == after:
        return []
    if isinstance(before, dict) and isinstance(after, dict) and before.keys() == after.keys():
        places = [(key, _escaped(key)) for key in before if before[key] != after[key]]
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        places = [(i, str(i)) for i, value in enumerate(before) if value != after[i]]
    else:
        return [{"op": "replace", "path": path, "value": after}]
    # Equal parts are passed over at the speed of `==`, which is most of every body.
    return [
        operation
        for key, token in places
        for operation in patch_between(before[key], after[key], f"{path}/{token}")
    ]


def _escaped(key: str) -> str:
    """The key as a JSON pointer token (RFC 6901 §3)."""
    return key.replace("~", "~0").replace("/", "~1")
