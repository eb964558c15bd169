"""Bodies as upstream sends them, for tests to change one thing of."""

import json
from typing import Any

Json = dict[str, Any]

PLAYERS: list[Json] = [
    {"playerId": "plr_1", "playerName": "Ada", "color": "red"},
    {"playerId": "plr_2", "playerName": "Bob", "color": "blue"},
]
DATA: dict[str, Json] = {
    "room:created": {"roomCode": "ABCD12", "maxPlayers": 4, "gameMode": "classic"},
    "room:player-joined": {"roomCode": "ABCD12", **PLAYERS[0]},
    "room:player-left": {"roomCode": "ABCD12", **PLAYERS[0]},
    "room:closed": {"roomCode": "ABCD12", "reason": "empty"},
    "game:started": {
        "gameId": "g1",
        "roomCode": "ABCD12",
        "sequence": 1,
        "gameMode": "classic",
        "players": PLAYERS,
        "currentPlayerId": "plr_1",
    },
    "game:dice-rolled": {"gameId": "g1", "sequence": 2, "playerId": "plr_1", "value": 6},
    "game:piece-moved": {
        "gameId": "g1",
        "sequence": 3,
        "playerId": "plr_1",
        "pieceId": "red-0",
        "position": 0,
    },
    "game:turn-change": {"gameId": "g1", "sequence": 4, "currentPlayerId": "plr_2"},
    "game:ended": {
        "gameId": "g1",
        "sequence": 5,
        "winnerId": "plr_1",
        "placements": ["plr_1", "plr_2"],
    },
}
ABSENT = object()


def body_of(kind: str, **changes: Any) -> bytes:
    """A webhook body of that type; `changes` replace fields of its data, ABSENT removes one."""
    data = {**DATA[kind], **changes}
    kept = {name: value for name, value in data.items() if value is not ABSENT}
    return encoded({"type": kind, "timestamp": "2026-01-31T12:00:00.000Z", "data": kept})


def encoded(value: object) -> bytes:
    """A value as JSON."""
    return json.dumps(value).encode()


def state_of(**changes: Any) -> Json:
    """The `data` of a game in which red has just rolled a 6."""
    pieces = [
        {
            "pieceId": f"{player['color']}-{number}",
            "playerId": player["playerId"],
            "color": player["color"],
            "position": -1,
            "finished": False,
        }
        for player in PLAYERS
        for number in range(4)
    ]
    state = {
        "gameId": "g1",
        "roomCode": "ABCD12",
        "gameMode": "classic",
        "status": "playing",
        "sequence": 2,
        "players": [{**player, "connected": True, "finishedPieces": 0} for player in PLAYERS],
        "pieces": pieces,
        "currentPlayerId": "plr_1",
        "diceValue": 6,
        "phase": "move",
        "consecutiveSixes": 1,
        "finishOrder": [],
        "winnerId": None,
        "updatedAt": "2026-01-31T12:00:00.000Z",
    } | changes
    return {name: value for name, value in state.items() if value is not ABSENT}
