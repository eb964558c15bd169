"""Events from bytes: parsed, or refused with what was expected and found."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ludo.rules.events import Ended, Event, Moved, Player, Rolled, Started, TurnChanged
from ludo.rules.ruleset import GameMode
from ludo.rules.track import PIECE_IDS, Color
from ludo.upstream.wire import (
    GameEvent,
    Hint,
    MalformedEvent,
    RoomEvent,
    Told,
    UnknownEvent,
    event_body,
    game_event,
    parse_event,
    parse_told,
)
from ludo.upstream.wire.fields import snake
from tests.upstream.builders import ABSENT, DATA, PLAYERS, body_of, encoded

ADA, BOB = Player("plr_1", "Ada", Color.RED), Player("plr_2", "Bob", Color.BLUE)
AT = "2026-01-31T12:00:00.000Z"

ids = st.text(min_size=1, max_size=128).filter(lambda text: text.isprintable())
sequences = st.integers(1, 2**53 - 1)
players = st.permutations(list(Color)).flatmap(
    lambda colors: st.lists(ids, min_size=2, max_size=4, unique=True).map(
        lambda names: tuple(
            Player(name, name[:9], color)
            for name, color in zip(
                names, sorted(colors[: len(names)], key=list(Color).index), strict=True
            )
        )
    )
)
happenings: st.SearchStrategy[Event] = st.one_of(
    st.builds(Started, sequences, st.sampled_from(GameMode), players, ids),
    st.builds(Rolled, sequences, ids, st.integers(1, 6)),
    st.builds(Moved, sequences, ids, st.sampled_from(PIECE_IDS), st.integers(-1, 56)),
    st.builds(TurnChanged, sequences, ids),
    st.builds(Ended, sequences, ids, st.lists(ids, max_size=4).map(tuple)),
)


def parsed(kind: str, **changes: Any) -> GameEvent:
    """A game's event of that type, with these fields changed."""
    event = parse_event(body_of(kind, **changes))
    assert isinstance(event, GameEvent)
    return event


def refusal(body: bytes) -> str:
    """Why a body is no event."""
    with pytest.raises(MalformedEvent) as refused:
        parse_event(body)
    return str(refused.value)


@pytest.mark.parametrize(
    ("kind", "event"),
    [
        ("game:started", Started(1, GameMode.CLASSIC, (ADA, BOB), "plr_1")),
        ("game:dice-rolled", Rolled(2, "plr_1", 6)),
        ("game:piece-moved", Moved(3, "plr_1", "red-0", 0)),
        ("game:turn-change", TurnChanged(4, "plr_2")),
        ("game:ended", Ended(5, "plr_1", ("plr_1", "plr_2"))),
    ],
)
def test_each_type_becomes_its_event(kind: str, event: Event) -> None:
    """Game, time and content of every type arrive as values."""
    told = parsed(kind)
    assert (told.game_id, told.at, told.event) == ("g1", AT, event)
    assert told.room_code == ("ABCD12" if kind == "game:started" else None)


@given(event=happenings, game_id=ids, at=st.text(max_size=30))
def test_what_is_told_is_understood(event: Event, game_id: str, at: str) -> None:
    """A body made from an event parses into the same event, digest included."""
    room_code = "R1" if isinstance(event, Started) else None
    told = game_event(game_id, event, room_code=room_code, at=at)
    assert parse_event(encoded(event_body(told))) == told


@pytest.mark.parametrize("kind", [kind for kind in DATA if kind.startswith("game:")])
def test_snake_case_is_the_same_event(kind: str) -> None:
    """Both casings of upstream's field names give one value and one digest."""

    def snaked(value: Any) -> Any:
        if isinstance(value, dict):
            return {snake(name): snaked(inner) for name, inner in value.items()}
        return [snaked(each) for each in value] if isinstance(value, list) else value

    whole = snaked(json.loads(body_of(kind)))
    assert parse_event(encoded(whole)) == parsed(kind)


def test_a_digest_names_the_content_only() -> None:
    """Neither the time of sending, unknown fields, nor the order of players change it."""
    plain = parsed("game:started")
    other = parsed("game:started", players=PLAYERS[::-1], extra={"a": 1})
    assert other.digest == plain.digest
    whole = json.loads(body_of("game:started")) | {"timestamp": "2030-01-01T00:00:00Z"}
    later = parse_event(encoded(whole))
    assert isinstance(later, GameEvent)
    assert (later.digest, len(later.digest)) == (plain.digest, 32)


def test_the_order_of_players_is_no_content() -> None:
    """Whoever builds the event need not sort them (R4)."""
    one, other = (
        game_event("g", Started(1, GameMode.QUICK, order, "plr_1"), room_code="R")
        for order in ((ADA, BOB), (BOB, ADA))
    )
    assert one.digest == other.digest
    assert event_body(one) == event_body(other)


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("game:dice-rolled", {"value": 5}),
        ("game:dice-rolled", {"sequence": 3}),
        ("game:dice-rolled", {"gameId": "g2"}),
        ("game:dice-rolled", {"playerId": "plr_2"}),
        ("game:piece-moved", {"position": 1}),
        ("game:piece-moved", {"pieceId": "red-1"}),
        ("game:ended", {"placements": ["plr_2", "plr_1"]}),
        ("game:started", {"roomCode": "OTHER1"}),
    ],
)
def test_a_digest_tells_contents_apart(kind: str, change: dict[str, Any]) -> None:
    """Another value in any known field is another digest."""
    assert parsed(kind, **change).digest != parsed(kind).digest


def test_types_that_share_their_fields_do_not_share_digests() -> None:
    """The type is part of the digest."""
    assert game_event("g", TurnChanged(2, "a")).digest != game_event("g", Rolled(2, "a", 1)).digest


@pytest.mark.parametrize("kind", [kind for kind in DATA if kind.startswith("room:")])
def test_a_room_event_names_its_room(kind: str) -> None:
    """Room events carry no sequence; what they purge is all that matters."""
    assert parse_event(body_of(kind)) == RoomEvent(kind, "ABCD12")


@pytest.mark.parametrize("kind", [kind for kind in DATA if kind.startswith("game:")])
def test_a_game_event_without_a_sequence_is_a_hint(kind: str) -> None:
    """It says that something happened, and nothing that could be put in order."""
    told = parse_event(encoded({"type": kind, "data": {"game_id": "g1"}}))
    assert told == Hint(kind, "g1")


@pytest.mark.parametrize("kind", ["chat:said", "game:paused", "", "room:renamed", "GAME:ENDED"])
def test_an_unknown_type_is_kept(kind: str) -> None:
    """A type of a later version is no error, whatever it carries."""
    assert parse_event(encoded({"type": kind, "data": 7})) == UnknownEvent(kind)


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (b"", "expected a JSON object; found no JSON"),
        (b"{", "expected a JSON object; found no JSON"),
        (b"[" * 100_000, "expected a JSON object; found no JSON"),
        (b'{"type": "\xff"}', "expected a JSON object; found no JSON"),
        (b'{"type": NaN}', "expected a JSON object; found no JSON"),
        (b"[1]", "expected a JSON object; found an array of 1"),
        (b'"game:ended"', 'expected a JSON object; found "game:ended"'),
        (b"{}", "expected type to be a text; found nothing"),
        (b'{"type": 5}', "expected type to be a text; found 5"),
        (b'{"type": "game:ended"}', "expected data to be an object; found nothing"),
        (
            b'{"type": "room:closed", "data": []}',
            "expected data to be an object; found an array of 0",
        ),
    ],
)
def test_a_body_that_is_no_envelope_is_refused(body: bytes, complaint: str) -> None:
    """The refusal says what a body has to be, and what this one was."""
    assert refusal(body).startswith(complaint)


@pytest.mark.parametrize(
    ("kind", "field", "value", "complaint"),
    [
        ("game:dice-rolled", "sequence", 0, "a whole number from 1 to 9007199254740991; found 0"),
        ("game:dice-rolled", "sequence", 2**53, "a whole number from 1 to 9007199254740991; found"),
        (
            "game:dice-rolled",
            "sequence",
            None,
            "a whole number from 1 to 9007199254740991; found null",
        ),
        (
            "game:dice-rolled",
            "sequence",
            "2",
            'a whole number from 1 to 9007199254740991; found "2"',
        ),
        ("game:dice-rolled", "value", 0, "a whole number from 1 to 6; found 0"),
        ("game:dice-rolled", "value", 7, "a whole number from 1 to 6; found 7"),
        ("game:dice-rolled", "value", True, "a whole number from 1 to 6; found true"),
        ("game:dice-rolled", "value", 5.0, "a whole number from 1 to 6; found 5.0"),
        ("game:piece-moved", "position", -2, "a whole number from -1 to 56; found -2"),
        ("game:piece-moved", "position", 57, "a whole number from -1 to 56; found 57"),
        ("game:piece-moved", "pieceId", 0, "a text of 1 to 128 characters; found 0"),
        ("game:turn-change", "currentPlayerId", "", 'a text of 1 to 128 characters; found ""'),
        ("game:turn-change", "gameId", "g" * 129, "a text of 1 to 128 characters; found"),
        ("game:ended", "placements", "plr_1", "a list of 0 to 16 texts; found"),
        ("game:ended", "placements", [1], "texts of 1 to 128 characters; found 1"),
        ("game:started", "gameMode", "blitz", "one of classic, quick, ranked; found"),
        ("game:started", "players", PLAYERS[:1], "a list of 2 to 4 objects; found an array of 1"),
        ("game:started", "players", PLAYERS * 3, "a list of 2 to 4 objects; found an array of 6"),
        ("game:started", "players", ["a", "b"], "a list of objects; found an array of 2"),
        ("room:created", "maxPlayers", 5, "a whole number from 2 to 4; found 5"),
        ("room:player-left", "color", "pink", "one of red, green, blue, yellow; found"),
        ("room:closed", "roomCode", ["A"], "a text of 1 to 128 characters; found an array of 1"),
    ],
)
def test_a_field_out_of_range_is_named(kind: str, field: str, value: Any, complaint: str) -> None:
    """The refusal names the field, what was expected and what was found."""
    said = refusal(body_of(kind, **{field: value}))
    assert said.startswith(f"expected data.{field} to be {complaint}")


@pytest.mark.parametrize(
    ("kind", "field"),
    [(kind, field) for kind, data in DATA.items() for field in data if field != "sequence"],
)
def test_every_field_of_a_known_type_is_needed(kind: str, field: str) -> None:
    """A field that is missing is said to be."""
    said = refusal(body_of(kind, **{field: ABSENT}))
    assert said.startswith(f"expected data.{field} to be ")
    assert said.endswith("; found nothing")


def test_a_field_deep_inside_is_named_with_its_path() -> None:
    """Which of the players is wrong is part of the message."""
    said = refusal(body_of("game:started", players=[PLAYERS[0], {**PLAYERS[1], "color": 2}]))
    assert said == "expected data.players[1].color to be one of red, green, blue, yellow; found 2"


def test_impossible_numbers_may_be_left_to_the_referee() -> None:
    """An audit wants the clause that such an event breaks, not a refusal."""
    told = parse_told(body_of("game:piece-moved", position=99), in_range=False)
    assert isinstance(told, Told)
    assert told.event == Moved(3, "plr_1", "red-0", 99)


@pytest.mark.parametrize("timestamp", [ABSENT, None, 1_700_000_000])
def test_an_event_without_a_time_has_an_empty_one(timestamp: object) -> None:
    """The time is told to people; no event is refused for it."""
    whole = {"type": "game:turn-change", "data": DATA["game:turn-change"]}
    if timestamp is not ABSENT:
        whole["timestamp"] = timestamp  # type: ignore[assignment]
    told = parse_event(encoded(whole))
    assert isinstance(told, GameEvent)
    assert told.at == ""


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(sorted(DATA["game:started"])), inner)
    ),
    max_leaves=12,
)


@given(
    body=st.binary()
    | st.builds(
        lambda kind, data: encoded({"type": kind, "data": data}),
        st.sampled_from(list(DATA)),
        json_values,
    )
)
def test_nothing_but_malformed_event_is_raised(body: bytes) -> None:
    """Whatever a sender signs, parsing ends in a value or in that one error."""
    with suppress(MalformedEvent):
        parse_event(body)
