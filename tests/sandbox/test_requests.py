"""Bodies of requests."""

import pytest
from pydantic import BaseModel

from ludo.rules.ruleset import GameMode
from sandbox.answers import Refusal
from sandbox.lobby import Order
from sandbox.requests import CreateRoom, JoinRoom, Move, Validate, parse


def test_an_empty_body_takes_every_default() -> None:
    """A room is for four and classic unless it is wished otherwise."""
    asked = parse(CreateRoom, b"")

    assert isinstance(asked, CreateRoom)
    assert asked.order() == Order(4, GameMode.CLASSIC, 0, None, None, False)


@pytest.mark.parametrize(
    "raw",
    [
        b'{"player_id": "p", "token_index": 0, "dice_value": 6}',
        b'{"playerId": "p", "tokenIndex": 0, "diceValue": 6}',
    ],
)
def test_both_casings_are_read(raw: bytes) -> None:
    """Upstream's own pages use both."""
    assert parse(Validate, raw) == Validate(player_id="p", token_index=0, dice_value=6)


@pytest.mark.parametrize(
    ("model", "raw", "where"),
    [
        (CreateRoom, b'{"maxPlayers": 5}', "maxPlayers"),
        (CreateRoom, b'{"gameMode": "chess"}', "gameMode"),
        (CreateRoom, b'{"maxPlayers": 2, "bots": 3}', "body: expected at most 2 bots; found 3"),
        (JoinRoom, b"{}", "playerName"),
        (JoinRoom, b'{"playerName": "Eve", "color": "pink"}', "color"),
        (Move, b'{"pieceId": "red-0", "targetPosition": "5"}', "targetPosition"),
        (Move, b"[]", "body"),
        (Move, b"{", "body"),
    ],
)
def test_a_mistake_is_named(model: type[BaseModel], raw: bytes, where: str) -> None:
    """400 with the field that is wrong."""
    refused = parse(model, raw)

    assert isinstance(refused, Refusal)
    assert refused.status == 400
    assert refused.error.startswith(where)
