"""State bodies: a snapshot, or a structure that no game can have."""

from typing import Any

import pytest

from ludo.mirror.body import to_body
from ludo.mirror.snapshot import Status
from ludo.rules.board import Due
from ludo.rules.ruleset import RuleSet
from ludo.upstream.wire import MalformedState, parse_state
from ludo.upstream.wire.fields import snake
from tests.upstream.builders import ABSENT, PLAYERS, encoded, state_of


def refusal(state: Any) -> str:
    """Why a body is no state."""
    with pytest.raises(MalformedState) as refused:
        parse_state(state)
    return str(refused.value)


def pieces_with(index: int, **changes: Any) -> list[dict[str, Any]]:
    """The pieces of the usual state, one of them changed."""
    pieces: list[dict[str, Any]] = state_of()["pieces"]
    pieces[index] = {**pieces[index], **changes}
    return pieces


def test_a_state_becomes_a_snapshot_and_back() -> None:
    """Nothing that the body says is lost on the way."""
    assert to_body(parse_state(state_of())) == state_of()


def test_the_envelope_and_bytes_are_taken_too() -> None:
    """A whole answer of upstream is as good as its data."""
    assert parse_state(encoded({"success": True, "data": state_of()})) == parse_state(state_of())


def test_snake_case_is_the_same_state() -> None:
    """Both casings of upstream's field names are understood."""

    def snaked(value: Any) -> Any:
        if isinstance(value, dict):
            return {snake(name): snaked(inner) for name, inner in value.items()}
        return [snaked(each) for each in value] if isinstance(value, list) else value

    assert parse_state(snaked(state_of())) == parse_state(state_of())


@pytest.mark.parametrize("field", ["phase", "consecutiveSixes"])
def test_what_upstream_leaves_out_makes_it_provisional(field: str) -> None:
    """Absent and null are the same: every value that fits stays possible."""
    left_out, null = (
        parse_state(state_of(**{field: ABSENT})),
        parse_state(state_of(**{field: None})),
    )
    assert left_out == null
    assert left_out.provisional


def test_a_waiting_game_needs_no_pieces_and_nobody_in_turn() -> None:
    """Before the start there is only who sits there."""
    state = state_of(
        status="waiting", sequence=0, pieces=[], currentPlayerId=None, diceValue=None, phase=None
    )
    snapshot = parse_state(state)
    assert (snapshot.status, snapshot.sequence, snapshot.games) == (Status.WAITING, 0, ())


def test_a_finished_game_has_nothing_due() -> None:
    """Its phase is null, and that leaves nothing open."""
    snapshot = parse_state(
        state_of(
            status="finished", phase=None, diceValue=None, winnerId="plr_1", finishOrder=["plr_1"]
        )
    )
    assert [game.board.due for game in snapshot.games] == [None]


def test_the_rules_do_not_judge_a_state() -> None:
    """A position that no game could reach is taken as it is."""
    snapshot = parse_state(
        state_of(pieces=pieces_with(0, position=55), diceValue=3, consecutiveSixes=0)
    )
    assert snapshot.games[0].board.due is Due.MOVE


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"gameId": ""}, "gameId to be a text of 1 to 128 characters"),
        ({"status": "paused"}, "status to be one of waiting, playing, finished, abandoned"),
        ({"gameMode": None}, "gameMode to be one of classic, quick, ranked; found null"),
        ({"sequence": -1}, "sequence to be a whole number from 1"),
        ({"sequence": 0}, "sequence to be a whole number from 1"),
        ({"players": PLAYERS[:1]}, "players to be a list of 2 to 4 objects; found an array of 1"),
        ({"players": [PLAYERS[0], PLAYERS[0]]}, "players to differ in playerId and color"),
        ({"pieces": ABSENT}, "pieces to be a list of 8 to 8 objects; found nothing"),
        (
            {"pieces": pieces_with(0)[1:]},
            "pieces to be a list of 8 to 8 objects; found an array of 7",
        ),
        ({"pieces": pieces_with(0, pieceId="red-1")}, "pieces to be the four of each player"),
        ({"pieces": pieces_with(0, pieceId="green-0")}, "pieces to be the four of each player"),
        (
            {"pieces": pieces_with(3, position=57)},
            "pieces[3].position to be a whole number from -1 to 56",
        ),
        (
            {"pieces": pieces_with(3, position=-2)},
            "pieces[3].position to be a whole number from -1 to 56",
        ),
        ({"currentPlayerId": "plr_9"}, 'currentPlayerId to be one of the players; found "plr_9"'),
        ({"currentPlayerId": None}, "currentPlayerId to be a text"),
        ({"diceValue": 7}, "diceValue to be a whole number from 1 to 6; found 7"),
        ({"phase": "think"}, "phase to be one of roll, move, pass, end"),
        ({"consecutiveSixes": 3}, "consecutiveSixes to be a whole number from 0 to 2; found 3"),
        ({"winnerId": "plr_9"}, 'winnerId to be one of the players; found "plr_9"'),
        ({"finishOrder": ["plr_9"]}, 'finishOrder to be one of the players; found "plr_9"'),
        ({"finishOrder": ["plr_1", "plr_1"]}, "finishOrder to name each player once"),
        ({"phase": "roll"}, "phase, diceValue and consecutiveSixes to fit together"),
    ],
)
def test_an_impossible_structure_is_named(changes: dict[str, Any], complaint: str) -> None:
    """The refusal says which field cannot be so."""
    assert refusal(state_of(**changes)).startswith(f"expected {complaint}")


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b'{"success": false, "error": "x"}', encoded({"success": False, "data": {}})],
)
def test_an_answer_without_a_state_is_refused(body: bytes) -> None:
    """An error body is not mistaken for a state."""
    assert refusal(body).startswith("expected a ")


def test_the_third_six_depends_on_the_rules() -> None:
    """With more sixes allowed in a row, more may have been thrown."""
    snapshot = parse_state(state_of(consecutiveSixes=3), RuleSet(max_consecutive_sixes=5))
    assert snapshot.games[0].board.sixes == 3
