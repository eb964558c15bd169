"""The whole client without I/O: links, requests, and moving from one relay to the next."""

import json
from random import Random
from typing import Any

import jwt
import pytest

from ludo.relay.actions import Answer, NoAnswer, Ponged, Renew
from ludo.relay.changes import Connection, Place
from ludo.relay.conversation import QUEUE, Conversation
from tests.relay.follower_builders import Talk, bye, d, following, live, snap, welcome


def test_a_hello_names_every_game_with_its_place() -> None:
    """One frame is enough to be resumed."""
    talk, link = following("g", "h")
    talk.hear(link, d(6))
    talk.lose(link)
    talk.pass_time(1)
    talk.connect("secret")
    hello = talk.sent_of("hello")[-1]
    assert hello["token"] == "secret"
    assert hello["subs"] == [
        {"game": "g", "epoch": "e", "seq": 6},
        {"game": "h", "epoch": "e", "seq": 5},
    ]


def test_the_states_of_a_connection() -> None:
    """Connecting, live, reconnecting, live again, idle."""
    talk, link = following()
    talk.lose(link)
    talk.pass_time(1)
    talk.hear(talk.connect(), welcome())
    talk.did(talk.talk.close())
    states = [Connection.CONNECTING, Connection.LIVE, Connection.RECONNECTING]
    assert talk.became == [*states, Connection.LIVE, Connection.IDLE]


def test_attempts_are_spaced_out_until_one_lasts() -> None:
    """Failures double the wait up to ten seconds; a link that lasts makes them short again."""
    talk = Talk()
    talk.watch("g")
    talk.open()
    for _ in range(12):
        talk.lose(talk.dialled[-1])
        talk.pass_time(10)
    first = talk.talk
    talk.hear(talk.connect(), welcome())
    talk.pass_time(6)
    talk.lose(talk.dialled[-1])
    assert len(talk.dialled) == 13
    assert first.due - talk.now <= 0.25


@pytest.mark.parametrize("code", [1000, 1002, 4500, 4503, 4999])
def test_final_codes_stop(code: int) -> None:
    """After these nobody comes back."""
    talk, link = following()
    talk.lose(link, code)
    talk.pass_time(60)
    assert talk.became[-1] is Connection.STOPPED
    assert len(talk.dialled) == 1


@pytest.mark.parametrize("code", [0, 1001, 1006, 1012, 4000, 4003, 4499])
def test_other_codes_come_back(code: int) -> None:
    """After these one does."""
    talk, link = following()
    talk.lose(link, code)
    talk.pass_time(1)
    assert len(talk.dialled) == 2


def test_a_farewell_counts_more_than_the_code() -> None:
    """Proxies lose close codes: `bye` said what it was, and how long to stay away."""
    talk, link = following()
    talk.hear(link, bye(4006, after=7))
    talk.lose(link, 1006)
    talk.pass_time(6.9)
    assert len(talk.dialled) == 1
    talk.pass_time(0.2)
    assert len(talk.dialled) == 2
    talk.hear(talk.connect(), welcome(), bye(4503))
    talk.lose(talk.dialled[-1], 1006)
    assert talk.became[-1] is Connection.STOPPED


def test_a_relay_that_says_farewell_and_stays_is_left() -> None:
    """Its close is not waited for without end."""
    talk, link = following()
    talk.hear(link, bye(4001))
    talk.pass_time(5.1)
    assert talk.hung_up == [link]


def test_a_silent_link_is_given_up() -> None:
    """Nothing for the time between pings and ten seconds more."""
    talk, link = following()
    talk.pass_time(29)
    assert talk.hung_up == []
    talk.pass_time(2)
    assert talk.hung_up == [link]
    assert talk.became[-1] is not Connection.LIVE


def test_a_dial_has_a_deadline() -> None:
    """A socket that never opens, or never welcomes, is given up after ten seconds."""
    talk = Talk()
    talk.open()
    talk.pass_time(21)
    assert len(talk.dialled) >= 2
    assert 1 in talk.hung_up


def test_a_drain_makes_before_it_breaks() -> None:
    """The next link is dialled at once, and the old one delivers until all games are live again."""
    talk, old = following("g", "h")
    talk.hear(old, bye(4000))
    talk.pass_time(0.3)
    new = talk.connect()
    talk.hear(old, d(6))
    talk.hear(new, welcome(), live(5))
    talk.hear(old, d(7))
    assert talk.hung_up == []
    assert talk.talk.followers["g"].place == Place("e", 7)
    talk.hear(new, live(5, game="h"))
    assert talk.hung_up == [old]
    assert talk.became == [Connection.CONNECTING, Connection.LIVE]


def test_deltas_of_a_link_in_another_epoch_do_not_count() -> None:
    """A delta does not say its epoch: what the old link goes on to bring is of the old one."""
    talk, old = following()
    talk.hear(old, bye(4000))
    talk.pass_time(0.3)
    new = talk.connect()
    talk.hear(new, welcome(), snap(5, "f"))
    talk.hear(old, d(6))
    assert talk.talk.followers["g"].place == Place("f", 5)
    talk.hear(new, d(6))
    assert talk.talk.followers["g"].place == Place("f", 6)


def test_what_an_old_link_renewed_is_not_overtaken() -> None:
    """A live of another epoch than mine is asked about, not believed."""
    talk, old = following()
    talk.hear(old, bye(4000))
    talk.pass_time(0.3)
    new = talk.connect()
    talk.hear(old, snap(2, "f"))
    talk.hear(new, welcome(), live(5, "e"), d(6))
    assert talk.talk.followers["g"].place == Place("f", 2)
    talk.pass_time(1)
    asked = talk.sent_of("sub")[-1]
    assert (asked["epoch"], asked["seq"]) == ("f", 2)


def test_a_second_link_that_is_refused_does_not_end_the_first() -> None:
    """At the connection limit the move has to wait until the old link is gone."""
    talk, old = following()
    talk.hear(old, bye(4000))
    talk.pass_time(0.3)
    talk.lose(talk.dialled[-1], 4504)
    assert talk.talk.connection is Connection.LIVE
    talk.hear(old, d(6))
    talk.lose(old, 4000)
    talk.pass_time(1)
    assert len(talk.dialled) == 3


def test_a_move_does_not_wait_for_a_game_without_an_answer() -> None:
    """After two seconds the old link is left anyhow."""
    talk, old = following()
    talk.hear(old, bye(4000))
    talk.pass_time(0.3)
    talk.hear(talk.connect(), welcome())
    talk.pass_time(2.1)
    assert talk.hung_up == [old]


def test_who_watches_nothing_stays_away_until_there_is_something() -> None:
    """Sent away as idle, a client comes back with the next game."""
    talk = Talk()
    talk.open()
    link = talk.connect()
    talk.hear(link, welcome(), bye(4009))
    talk.lose(link, 4009)
    talk.pass_time(60)
    assert (len(talk.dialled), talk.became[-1]) == (1, Connection.IDLE)
    talk.watch("g")
    assert len(talk.dialled) == 2


def test_requests_wait_for_a_connection_up_to_a_bound() -> None:
    """32 wait, in order; the next is refused."""
    talk = Talk()
    talk.open()
    numbers = [talk.talk.send({"t": "say", "text": str(n)})[0] for n in range(QUEUE + 1)]
    assert numbers[-1] is None
    talk.hear(talk.connect(), welcome())
    assert [frame["id"] for frame in talk.sent_of("say")] == numbers[:-1]


def test_requests_are_answered() -> None:
    """By `ok`, by `err`, by `pong`, or by the loss of the link that carried them."""
    talk, link = following()
    numbers = []
    for _ in range(3):
        number, actions = talk.talk.send({"t": "say", "text": "hi"})
        numbers.append(number)
        talk.did(actions)
    pinged, actions = talk.talk.ping()
    talk.did(actions)
    refusal = {"t": "err", "id": numbers[1], "code": "rate", "msg": "slowly", "retry": True}
    talk.hear(link, {"t": "ok", "id": numbers[0]}, refusal, {"t": "pong", "n": pinged, "now": 1})
    talk.lose(link)
    assert talk.others[0] == Answer(numbers[0] or 0)
    refused = talk.others[1]
    assert isinstance(refused, Answer)
    assert refused.refused is not None
    assert talk.others[2:] == [Ponged(pinged or 0), NoAnswer(numbers[2] or 0)]


def test_a_token_is_renewed_on_the_live_link() -> None:
    """Before it ends a fresh one is fetched, and shown with `auth`."""
    talk = Talk(Conversation(Random(1), renewable=True))
    talk.open()
    talk.hear(talk.connect("first"), welcome(now=0, exp=100_000))
    stay(talk, 79)
    assert talk.others == []
    stay(talk, 2)
    assert talk.others == [Renew()]
    token = jwt.encode({"exp": 1_000 + int(talk.now) + 100}, "k" * 32)
    talk.did(talk.talk.renewed(token, talk.now, 1_000 + talk.now))
    assert talk.sent_of("auth")[-1]["token"] == token
    stay(talk, 85)
    assert talk.others == [Renew(), Renew()]


def stay(talk: Talk, seconds: int) -> None:
    """Time passes, and the relay pings."""
    for _ in range(seconds):
        talk.pass_time(1)
        talk.hear(talk.dialled[-1], {"t": "ping", "n": 1})


def hostile(chance: Random) -> str:
    """A frame that no relay should send, or part of one that it might."""
    games, epochs = ("g", "h", "", "x"), ("e", "f", "", "e" * 40)
    game, epoch = chance.choice(games), chance.choice(epochs)
    seq = chance.choice((0, 1, 5, 6, 7, 2**53, -1, 1e300, "6", None))
    path = chance.choice(("/sequence", "/list/-", "/list/0", "", "/x", "/list", "bad"))
    step: dict[str, Any] = {
        "op": chance.choice(("add", "remove", "replace", "move", "copy", "test", "?")),
        "path": path,
        "value": chance.choice((1, [], {}, None, "x" * 1000)),
        "from": chance.choice(("/list", "", "/sequence", "?")),
    }
    frames: tuple[dict[str, Any], ...] = (
        welcome(ping=chance.choice((0, -1, 1e308, 20)), exp=chance.choice((None, 0, -5, 10**20))),
        {**snap(5, epoch, game), "seq": seq, "state": chance.choice(({}, [], {"list": [1]}, None))},
        {**d(6, game), "seq": seq, "patch": [step] * chance.choice((0, 1, 50))},
        live(5, epoch, game, id=chance.choice((None, 1, 2, "x", []))),
        {"t": "err", "code": "rate", "retry": chance.random() < 0.8, "after": 0, "id": 3},
        {"t": "err", "code": "x", "retry": True, "game": game},
        {"t": "unsub", "game": game, "code": "x", "retry": chance.random() < 0.8},
        {"t": "ended", "game": game, "epoch": epoch, "seq": seq, "result": {}},
        {"t": "ping", "n": 1, "tips": {game: seq, "g": 2**53}},
        {"t": "said", "game": game, "text": "x"},
        {"t": "mirror", "game": game, "asOf": seq, "stale": True},
        bye(chance.choice((4000, 4001, 0, -1)), reconnect=True, after=chance.choice((0, 0.01))),
    )
    text = json.dumps(chance.choice(frames))
    if chance.random() < 0.1:
        cut = chance.randrange(len(text))
        text = text[:cut] + chance.choice(("", "\ud800", "[" * 2000, "\x00")) + text[cut + 1 :]
    return text


@pytest.mark.parametrize(
    "frames", [4_000, pytest.param(200_000, marks=pytest.mark.prove)], ids=["some", "many"]
)
def test_a_hostile_relay_breaks_nothing(frames: int) -> None:
    """Any frames in any order: nothing is raised, nothing asked in a storm, nothing grows."""
    chance = Random(4)
    talk = Talk(Conversation(Random(1), renewable=True))
    talk.watch("g", "h")
    talk.open()
    for _ in range(frames):
        if talk.talk._dialled is not None and chance.random() < 0.5:
            talk.connect("token")
        link = chance.choice([*talk.dialled[-3:]])
        talk.did(talk.talk.received(link, hostile(chance), talk.now))
        if chance.random() < 0.01:
            talk.lose(link, chance.choice((0, 1006, 4000)))
        talk.pass_time(chance.choice((0, 0.01, 0.5)))
        for game in ("g", "h"):
            talk.watch(game)
        for kept in (talk.told, talk.sent, talk.others):
            del kept[:-10]  # type: ignore[attr-defined]
    assert len(list(talk.talk._all_links())) <= 3
    assert len(talk.talk.followers) <= 2
    assert len(talk.talk._waiting) <= 256
    for link in talk.talk._all_links():
        assert len(link.epochs) <= 2
