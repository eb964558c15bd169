"""State bodies of upstream: checked for structure, then taken as they are.

Whether the rules could lead to such a state is nobody's question here: a structurally valid
snapshot is always taken (design section 6).
"""

from collections.abc import Mapping
from typing import Any, Final

from ludo.mirror.body import from_body
from ludo.mirror.snapshot import Snapshot, Status
from ludo.rules.board import Due
from ludo.rules.ruleset import GameMode, RuleSet
from ludo.rules.track import HOME, PIECE_IDS, PIECES_PER_SEAT, SEAT_OF, SEATS, YARD, Color
from ludo.upstream.errors import MalformedState
from ludo.upstream.wire.fields import (
    MAX_NUMBER,
    Fields,
    Json,
    all_differ,
    camelized,
    decode,
    shown,
)

_DEFAULT_RULES: Final = RuleSet()


def parse_state(data: bytes | Mapping[str, Any], rules: RuleSet = _DEFAULT_RULES) -> Snapshot:
    """The snapshot in a `GET /games/{id}/state` body, in upstream's envelope or bare.

    Raises MalformedState for a body that no game can have: pieces that are missing, strange or off
    the board, somebody in turn who does not play.
    """
    whole = decode(data, MalformedState) if isinstance(data, bytes) else data
    body = _unwrapped(camelized(dict(whole)))
    fields = Fields(body, MalformedState)
    status = fields.one_of("status", Status)
    seats = _check_players(fields, status)
    _check_numbers(fields, status, rules)
    if status is not Status.WAITING:
        _check_pieces(fields, seats)
        _check_people(fields, seats, status)
    snapshot = from_body(_completed(body, fields), rules)
    if status is Status.PLAYING and not snapshot.games:
        raise fields.refuse(
            "phase, diceValue and consecutiveSixes to fit together", "a contradiction"
        )
    return snapshot


def _unwrapped(whole: Json) -> Json:
    if "gameId" in whole:
        return whole
    body = whole.get("data")
    if whole.get("success", True) is not True or not isinstance(body, dict):
        raise MalformedState("a state, bare or as the data of a success", shown(body))
    return body


def _completed(body: Json, fields: Fields) -> Json:
    return body | {
        "gameId": fields.text("gameId"),
        "roomCode": fields.text("roomCode") if fields.given("roomCode") else "",
        "updatedAt": fields.label("updatedAt") if fields.given("updatedAt") else "",
    }


def _check_players(fields: Fields, status: Status) -> Mapping[str, Color]:
    """The colour of each player, by id."""
    fewest = 2 if status in (Status.PLAYING, Status.FINISHED) else 0
    players = fields.objects("players", fewest, SEATS)
    for player in players:
        player.label("playerName")
    ids = [player.text("playerId") for player in players]
    colors = [player.one_of("color", Color) for player in players]
    if not (all_differ(ids) and all_differ(colors)):
        raise fields.refuse("players to differ in playerId and color", "a repetition")
    return dict(zip(ids, colors, strict=True))


def _check_numbers(fields: Fields, status: Status, rules: RuleSet) -> None:
    fields.one_of("gameMode", GameMode)
    begun = status in (Status.PLAYING, Status.FINISHED)
    fields.number("sequence", 1 if begun else 0, MAX_NUMBER)
    if fields.given("diceValue"):
        fields.number("diceValue", 1, 6)
    if fields.given("phase"):
        fields.one_of("phase", Due)
    if fields.given("consecutiveSixes"):
        most = rules.max_consecutive_sixes - 1
        fields.number("consecutiveSixes", 0, most if most >= 0 else MAX_NUMBER)


def _check_pieces(fields: Fields, colors: Mapping[str, Color]) -> None:
    count = PIECES_PER_SEAT * len(colors)
    pieces = fields.objects("pieces", count, count)
    for piece in pieces:
        piece.number("position", YARD, HOME)
    expected = {
        PIECE_IDS[PIECES_PER_SEAT * SEAT_OF[color] + number]
        for color in colors.values()
        for number in range(PIECES_PER_SEAT)
    }
    if {piece.text("pieceId") for piece in pieces} != expected:
        raise fields.refuse("pieces to be the four of each player", "other pieceIds")


def _check_people(fields: Fields, players: Mapping[str, Color], status: Status) -> None:
    if status is Status.PLAYING or fields.given("currentPlayerId"):
        _check_plays(fields, "currentPlayerId", fields.text("currentPlayerId"), players)
    if fields.given("winnerId"):
        _check_plays(fields, "winnerId", fields.text("winnerId"), players)
    if fields.given("finishOrder"):
        order = fields.texts("finishOrder", 0, SEATS)
        for player in order:
            _check_plays(fields, "finishOrder", player, players)
        if not all_differ(order):
            raise fields.refuse("finishOrder to name each player once", "a repetition")


def _check_plays(fields: Fields, name: str, player: str, players: Mapping[str, Color]) -> None:
    if player not in players:
        raise fields.refuse(f"{name} to be one of the players", shown(player))
