"""One connection, without a socket."""

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.relay.callers import Caller, Refused
from proxy.relay.codes import Code
from proxy.relay.effects import Authenticate, Close, Join, Leave
from proxy.relay.listener import Fresh, Resume
from proxy.relay.session import Own
from tests.relay.builders import (
    WALL,
    Talk,
    caught_up,
    delta,
    greeted,
    place,
    renewed,
    talk,
)


def test_a_hello_is_welcomed_and_its_games_are_joined() -> None:
    """One frame is enough to be where one left off."""
    talking = talk()
    welcome, *rest = talking.say(
        t="hello", v=1, subs=[{"game": "g", "epoch": "e", "seq": 4}, {"game": "h"}]
    )

    assert welcome["t"] == "welcome"
    assert (welcome["conn"], welcome["v"], welcome["now"], welcome["ping"]) == ("c1", 1, WALL, 20)
    assert rest == []
    assert talking.effects == [Join("g", Resume(place(4))), Join("h", Resume(None))]


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ('{"t":"sub","id":1,"game":"g"}', 4501),
        ('{"t":"unheard-of"}', 4501),
        ("hello", 4501),
        ('{"t":"hello","v":2}', 4506),
        (json.dumps({"t": "hello", "v": 1, "x": "x" * 16384}), 4502),
        (json.dumps({"t": "sub", "game": "x" * 4096}), 4502),
    ],
)
def test_the_first_frame_is_a_hello(message: str, code: int) -> None:
    """Anything else ends the connection for good, with a farewell."""
    talking = talk()
    (bye,) = talking.send(message)

    assert (bye["t"], bye["code"], bye["reconnect"], bye["after"]) == ("bye", code, False, 0)
    assert talking.effects == [Close(Code(code))]
    assert talking.session.closing == code


def test_a_hello_is_waited_for_five_seconds() -> None:
    """Then 4007; who was greeted in time is not bothered."""
    (bye,) = talk().pass_time(5.0)
    assert (bye["code"], bye["reconnect"]) == (4007, True)

    assert greeted().pass_time(5.0) == []


def test_a_farewell_that_nobody_takes_rings_no_clock() -> None:
    """A closed session looks at no stuck write: its driver would be woken for ever."""
    talking = greeted(subs=[{"game": "g"}])
    talking.session.tell("g", renewed(7), 0.0)
    talking.session.next_item(0.0)
    talking.session.end(Code.DRAIN, "over", 1.0)

    assert not talking.session.watch_write()
    talking.session.tick(9.0)
    assert talking.session.due > 9.0


def test_a_second_hello_is_a_fault() -> None:
    """One connection, one greeting."""
    (bye,) = greeted().say(t="hello", v=1)

    assert bye["code"] == 4501


def test_a_bad_token_is_final_and_an_expired_one_is_not() -> None:
    """4500 and 4005; nothing is welcomed."""
    codes = []
    for outcome in (Refused("forged"), Caller("ann", WALL)):
        talking = talk()
        talking.session.receive('{"t":"hello","v":1,"token":"x"}', 0.0)
        (bye,) = talking.did(talking.session.authenticated(outcome, 0.0))
        codes.append((bye["code"], bye["reconnect"]))

    assert codes == [(4500, False), (4005, True)]


def test_a_token_ends_on_a_live_connection() -> None:
    """At its expiry, unless a fresh one came before."""
    ann = Caller("ann", WALL + 9000)
    talking = talk()
    (welcome,) = talking.send('{"t":"hello","v":1,"token":"x"}', ann)
    assert welcome["exp"] == WALL + 9000
    talking.pass_time(8.0)
    fresh = replace(ann, exp=WALL + 12_000)
    assert talking.send('{"t":"auth","id":7,"token":"y"}', fresh) == [{"t": "ok", "id": 7}]

    assert talking.pass_time(3.0) == []
    assert [frame["code"] for frame in talking.pass_time(2.0)] == [4005]


def test_a_fresh_token_of_somebody_else_is_refused() -> None:
    """A connection does not change hands; an anonymous one may get a name."""
    talking = greeted()
    talking.send('{"t":"auth","id":1,"token":"x"}', Caller("ann"))
    (bye,) = talking.send('{"t":"auth","id":2,"token":"y"}', Caller("bob"))

    assert bye["code"] == 4500


def test_a_fresh_token_may_cover_less() -> None:
    """Games that it does not name any more are taken away."""
    talking = greeted(subs=[{"game": "g"}, {"game": "h"}])
    frames = talking.send('{"t":"auth","id":1}', Caller("ann", games=frozenset({"h"})))

    assert frames[0] == {"t": "unsub", "game": "g", "code": "forbidden", "retry": False}
    assert talking.effects[-1] == Leave("g")
    assert talking.session.games() == ("h",)


def test_subscriptions_are_bounded() -> None:
    """The 33rd game is refused; a game that is there already may be asked for again."""
    talking = greeted(subs=[{"game": f"g{n}"} for n in range(33)])
    again = talking.say(t="sub", id=1, game="g0")
    refused = talking.say(t="sub", id=2, game="g99")

    assert len(talking.session.games()) == 32
    assert again == []
    assert refused == [
        {
            "t": "err",
            "id": 2,
            "code": "too_many_subs",
            "msg": "expected at most 32 subscriptions",
            "retry": False,
            "game": "g99",
        }
    ]


def test_leaving_is_always_confirmed() -> None:
    """Whether one was there or not."""
    talking = greeted(subs=[{"game": "g"}])

    assert talking.say(t="unsub", id=1, game="g") == [{"t": "ok", "id": 1}]
    assert talking.say(t="unsub", id=2, game="g") == [{"t": "ok", "id": 2}]
    assert talking.session.games() == ()


def test_a_resync_is_served_once_in_two_seconds() -> None:
    """The next is told when; one for a game that is not followed is refused."""
    talking = greeted(subs=[{"game": "g"}])
    assert talking.say(t="resync", id=1, game="g", why="hash") == []
    assert talking.effects[-1] == Join("g", Fresh("resync"))
    talking.now += 0.5
    (rate,) = talking.say(t="resync", id=2, game="g")
    (unknown,) = talking.say(t="resync", id=3, game="h")

    assert (rate["code"], rate["retry"], rate["after"]) == ("rate", True, 1.5)
    assert (unknown["code"], unknown["retry"]) == ("not_found", False)


def test_120_frames_a_minute_are_enough() -> None:
    """The 121st ends the connection and is told when to come back."""
    talking = greeted()
    for n in range(119):
        assert talking.say(t="ping", n=n) == [{"t": "pong", "n": n, "now": WALL}]
    talking.now = 0.5
    (bye,) = talking.say(t="pong", n=1)

    assert (bye["code"], bye["reconnect"], bye["after"]) == (4006, True, 60)


def test_what_is_unknown_later_is_ignored() -> None:
    """A frame of a later version does no harm; what is not JSON does."""
    talking = greeted()
    assert talking.say(t="sing", id=1, game="g", text="hi") == []
    (bye,) = talking.send("{")

    assert bye["code"] == 4501


def test_a_silent_client_is_gone_ten_seconds_after_a_ping() -> None:
    """The heartbeat names the tips of live games only."""
    talking = greeted(subs=[{"game": "g"}, {"game": "waiting"}])
    talking.session.tell("g", renewed(7), 0.0)
    talking.read()
    assert talking.pass_time(20.0) == [{"t": "ping", "n": 1, "tips": {"g": 7}}]
    assert talking.pass_time(9.9) == []
    (bye,) = talking.pass_time(0.2)

    assert (bye["code"], bye["reconnect"]) == (4003, True)


def test_any_frame_answers_a_ping() -> None:
    """Whoever speaks is there."""
    talking = greeted(subs=[{"game": "g"}])
    talking.pass_time(20.0)
    talking.say(t="unheard-of")

    assert [frame["t"] for frame in talking.pass_time(19.0)] == []


def test_who_follows_nothing_is_idle_after_five_minutes() -> None:
    """Heartbeats alone are not worth a connection."""
    talking = greeted()
    ends = []
    for _ in range(31):
        ends += [frame for frame in talking.pass_time(10.0) if frame["t"] == "bye"]
        talking.say(t="pong", n=1)

    assert [bye["code"] for bye in ends] == [4009]


def test_a_path_that_names_a_game_needs_no_hello() -> None:
    """The game is joined at once; a hello may still say where the client stands."""
    talking = talk(own=Own("g", "g"))
    (welcome,) = talking.did(talking.session.begin(Caller(), 0.0))
    (again,) = talking.say(t="hello", v=1, subs=[{"game": "g", "epoch": "e", "seq": 4}])

    assert welcome == again
    assert talking.effects == [Join("g", Resume(None)), Join("g", Resume(place(4)))]


def test_a_room_without_a_game_is_told() -> None:
    """It may be asked for again."""
    talking = talk(own=Own("R1", None))
    _, err = talking.did(talking.session.begin(Caller(), 0.0))

    assert (err["code"], err["retry"], err["after"]) == ("not_found", True, 2)


def test_a_write_that_makes_no_progress_for_five_seconds_ends_it() -> None:
    """What was queued is given up; only the farewell is left."""
    talking = greeted(subs=[{"game": "g"}])
    session = talking.session
    session.tell("g", caught_up(0), 0.0)
    assert session.next_item(0.0) is not None
    session.advance("g", delta(1), 0.0)
    session.receive('{"t":"ping"}', 0.0)
    assert session.watch_write()
    (bye,) = talking.pass_time(5.0)

    assert (bye["code"], bye["reconnect"]) == (4002, True)


def test_a_drain_says_bye_and_goes_on_delivering() -> None:
    """Deltas still come after `bye`; the close comes when it must."""
    talking = greeted(subs=[{"game": "g"}])
    session = talking.session
    session.tell("g", caught_up(0), 0.0)
    talking.did(session.drain(2.0, 6.0, 0.0))
    *_, bye = talking.pass_time(2.0)
    session.advance("g", delta(1), talking.now)
    after = talking.read()
    talking.pass_time(4.0)

    assert (bye["t"], bye["code"], bye["reconnect"]) == ("bye", 4000, True)
    assert [frame["t"] for frame in after] == ["d"]
    assert session.closing == 4000


def test_a_drain_does_not_let_anybody_in_without_a_hello() -> None:
    """Who has not greeted yet is sent away at once."""
    talking = talk()
    (bye,) = talking.did(talking.session.drain(0.0, 9.0, 0.0))

    assert bye["code"] == 4000
    assert talking.session.closing == 4000


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)
kinds = st.sampled_from(["hello", "sub", "unsub", "auth", "resync", "ping", "pong", "say", "x"])
names = st.sampled_from(["g", "h", ""]) | json_values
fields = st.fixed_dictionaries(
    {"t": kinds | json_values},
    optional={
        "v": st.just(1) | json_values,
        "id": json_values,
        "game": names,
        "epoch": st.just("e") | json_values,
        "seq": st.integers(-1, 9) | json_values,
        "n": json_values,
        "token": st.none() | json_values,
        "subs": st.lists(st.fixed_dictionaries({"game": names}), max_size=4) | json_values,
    },
).map(json.dumps)
happenings = st.one_of(
    fields.map(lambda text: ("send", text)),
    (st.text(max_size=20) | st.binary(max_size=20)).map(lambda junk: ("send", junk)),
    st.floats(0, 30).map(lambda seconds: ("wait", seconds)),
    st.integers(0, 9).map(lambda seq: ("snap", seq)),
    st.integers(0, 9).map(lambda seq: ("delta", seq)),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(happenings, max_size=30))
def test_nothing_that_a_client_does_is_an_exception(story: list[tuple[str, object]]) -> None:
    """Arbitrary frames at arbitrary times: answers, or a farewell and then silence."""
    talking = talk()
    talking.say(t="hello", v=1, subs=[{"game": "g"}])
    for kind, value in story:
        frames = happen(talking, kind, value)
        if talking.session.closing is not None:
            assert frames[-1]["t"] == "bye"
            assert happen(talking, kind, value) == []
            return


def happen(talking: Talk, kind: str, value: object) -> list[dict[str, object]]:
    """Let one thing happen, and read what comes of it."""
    match kind, value:
        case "send", str() | bytes():
            return talking.send(value)
        case "wait", float():
            return talking.pass_time(value)
        case "snap", int():
            talking.session.tell("g", renewed(value), talking.now)
        case "delta", int():
            talking.session.advance("g", delta(value), talking.now)
    return talking.read()


def test_no_frame_is_taken_while_the_token_is_looked_at() -> None:
    """The driver asks who it is before it reads on."""
    outcome = talk().session.receive('{"t":"hello","v":1,"token":"x"}', 0.0)

    assert outcome == Authenticate("x")
