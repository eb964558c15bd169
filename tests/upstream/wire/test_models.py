"""Rooms, players and refusals of upstream's REST answers."""

import pytest

from ludo.upstream.errors import UpstreamMalformed
from ludo.upstream.wire.models import (
    PlayerAccount,
    Refusal,
    Room,
    RoomPlayer,
    parse_data,
    parse_refusal,
)
from tests.upstream.builders import encoded

ROOM = {"code": "ABCD12", "status": "waiting"}


def test_a_room_is_what_upstream_tells_of_it() -> None:
    """The documented minimum is enough; the rest is taken when it is there."""
    assert parse_data(encoded({"success": True, "data": ROOM}), Room) == Room("ABCD12", "waiting")
    players = [{"playerId": "p", "playerName": "Ada", "color": "red"}]
    whole = {
        **ROOM,
        "playerCount": 1,
        "maxPlayers": 2,
        "gameMode": "quick",
        "gameId": "g",
        "players": players,
    }
    expected = Room("ABCD12", "waiting", 1, 2, "quick", "g", (RoomPlayer("p", "Ada", "red"),))
    assert parse_data(encoded({"success": True, "data": whole}), Room) == expected


def test_bare_bodies_and_snake_case_are_understood() -> None:
    """Upstream wraps some answers and not others, and mixes its casings."""
    bare = parse_data(encoded({**ROOM, "max_players": 3, "maxPlayers": 2}), Room)
    assert bare.max_players == 2
    assert parse_data(encoded({**ROOM, "max_players": 3}), Room).max_players == 3


def test_a_list_of_rooms_is_a_list() -> None:
    """List endpoints put the array straight into `data`."""
    assert parse_data(encoded({"success": True, "data": [ROOM]}), list[Room]) == [
        Room("ABCD12", "waiting")
    ]
    assert parse_data(encoded([ROOM]), list[Room]) == [Room("ABCD12", "waiting")]


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"success": true, "data": {"code": 5}}'])
def test_an_answer_that_cannot_be_read_is_malformed(body: bytes) -> None:
    """It is told from a refusal: upstream broke its contract."""
    with pytest.raises(UpstreamMalformed):
        parse_data(body, Room)


def test_a_session_token_does_not_show() -> None:
    """An account in a log line does not carry its token."""
    account = PlayerAccount("p", "Ada", session_token="eyJhbGciOi")
    assert "eyJ" not in repr(account)


def test_a_refusal_tells_its_sentence_code_and_clause() -> None:
    """What upstream says about its no is kept."""
    body = encoded(
        {"success": False, "error": "not your turn", "code": "NOT_YOUR_TURN", "clause": "R4"}
    )
    assert parse_refusal(body) == Refusal("not your turn", "NOT_YOUR_TURN", "R4")


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b'{"error": {"message": "x"}}', b"[" * 10_000]
)
def test_an_unreadable_refusal_is_an_empty_one(body: bytes) -> None:
    """The status alone is then all that is known."""
    assert parse_refusal(body) == Refusal()
