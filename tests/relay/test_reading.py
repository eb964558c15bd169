"""What each frame does to a conversation."""

import pytest

from ludo.relay.changes import (
    Caught,
    Delayed,
    Delta,
    Ended,
    Freshness,
    Gone,
    Place,
    Presence,
    Said,
    Snapshot,
)
from tests.relay.follower_builders import Talk, d, ended, following, live, snap, welcome


def test_a_game_is_told_from_its_snapshot_to_its_end() -> None:
    """Snapshot, caught up, deltas, freshness, and the end, each as a value."""
    talk, link = following()
    fresh = {"t": "mirror", "game": "g", "asOf": 7, "stale": True}
    talk.hear(link, d(6), fresh, ended(6))
    assert [type(each) for each in talk.told] == [Snapshot, Caught, Delta, Freshness, Ended]
    assert talk.told[1] == Caught("g", recovered=True, replayed=0)
    assert talk.told[3] == Freshness("g", 7, stale=True)


def test_presence_and_talk_are_passed_on() -> None:
    """As they came."""
    talk, link = following()
    seats = {"ann": {"online": True, "since": 1}}
    said = {"t": "said", "game": "g", "from": "ann", "text": "hi"}
    talk.hear(link, {"t": "presence", "game": "g", "seats": seats}, said)
    assert talk.told[-2:] == [Presence("g", seats), Said("g", said)]


def test_a_hole_is_asked_about_once() -> None:
    """However much comes after it; the answer fills it."""
    talk, link = following()
    talk.hear(link, d(8), d(9))
    asked = talk.sent_of("sub")
    assert [(each["epoch"], each["seq"]) for each in asked] == [("e", 5)]
    talk.hear(link, d(6), d(7), d(8), d(9), live(9, id=asked[0]["id"]))
    assert talk.talk.followers["g"].place == Place("e", 9)


def test_a_patch_that_does_not_fit_asks_for_a_snapshot() -> None:
    """And nothing else is applied until it has come."""
    talk, link = following()
    wrong = [{"op": "remove", "path": "/nothing"}]
    talk.hear(link, d(6, patch=wrong), d(7))
    assert [frame["why"] for frame in talk.sent_of("resync")] == ["patch"]
    assert talk.talk.followers["g"].state == {"sequence": 5, "list": [5]}
    talk.hear(link, snap(7), live(7))
    assert talk.talk.followers["g"].place == Place("e", 7)


def test_a_tip_ahead_for_a_second_is_asked_about() -> None:
    """The last delta was lost, and nothing came after it."""
    talk, link = following()
    talk.hear(link, {"t": "ping", "n": 3, "tips": {"g": 6, "elsewhere": 9}})
    assert talk.sent_of("pong") == [{"t": "pong", "n": 3, "at": {"g": 5}}]
    talk.pass_time(0.9)
    assert talk.sent_of("sub") == []
    talk.pass_time(0.2)
    assert [frame["seq"] for frame in talk.sent_of("sub")] == [5]


def test_an_end_that_i_have_not_reached_is_asked_about() -> None:
    """A client must not end on a board that is not the last."""
    talk, link = following()
    talk.hear(link, ended(7))
    talk.pass_time(0.3)
    talk.hear(link, d(6), d(7), live(7), ended(7))
    assert len(talk.sent_of("sub")) == 1
    assert isinstance(talk.told[-1], Ended)


def test_a_finished_game_is_not_asked_for_again() -> None:
    """Neither by the next hello nor by a tip."""
    talk, link = following("g", "h")
    talk.hear(link, ended(5))
    talk.lose(link)
    talk.pass_time(1)
    talk.connect()
    assert [each["game"] for each in talk.sent_of("hello")[-1]["subs"]] == ["h"]


@pytest.mark.parametrize("by_id", [True, False])
def test_an_unknown_game_is_asked_for_until_it_is_known(by_id: bool) -> None:
    """`not_found` with retry: again after the time it names; the caller is told."""
    talk = Talk()
    talk.open()
    link = talk.connect()
    talk.hear(link, welcome())
    talk.watch("g")
    request = talk.sent_of("sub")[-1]["id"]
    whom = {"id": request} if by_id else {"game": "g"}
    talk.hear(link, {"t": "err", **whom, "code": "not_found", "msg": "", "retry": True, "after": 3})
    assert talk.told == [Delayed("g", "not_found", 3)]
    talk.pass_time(2.9)
    assert len(talk.sent_of("sub")) == 1
    talk.pass_time(0.2)
    assert len(talk.sent_of("sub")) == 2


def test_a_refusal_that_names_nobody_is_sorted_out_one_by_one() -> None:
    """An answer to hello without a name: each game asks by itself, and the refused one is gone."""
    talk = Talk()
    talk.watch("g", "h")
    talk.open()
    link = talk.connect()
    talk.hear(link, welcome(), {"t": "err", "code": "forbidden", "msg": "", "retry": False})
    talk.pass_time(2.1)
    asked = {frame["game"]: frame["id"] for frame in talk.sent_of("sub")}
    assert asked.keys() == {"g", "h"}
    talk.hear(link, {"t": "err", "id": asked["g"], "code": "forbidden", "msg": "", "retry": False})
    assert talk.told[-1] == Gone("g", "forbidden")
    assert list(talk.talk.followers) == ["h"]


@pytest.mark.parametrize("retry", [True, False])
def test_a_subscription_that_the_relay_ends(retry: bool) -> None:
    """With retry it is asked for again, without it the game is gone."""
    talk, link = following()
    talk.hear(link, {"t": "unsub", "game": "g", "code": "forbidden", "retry": retry})
    talk.pass_time(2.1)
    assert len(talk.sent_of("sub")) == retry
    assert (Gone("g", "forbidden") in talk.told) is not retry


def test_a_question_without_an_answer_is_asked_again() -> None:
    """Five seconds later, since answers may be lost too."""
    talk, link = following()
    talk.hear(link, d(8))
    talk.pass_time(5.1)
    assert len(talk.sent_of("sub")) == 2


def test_frames_of_games_that_are_not_followed_are_ignored() -> None:
    """Those of a subscription that has just been left are still under way."""
    talk, link = following()
    told = len(talk.told)
    talk.did(talk.talk.unwatch("g"))
    talk.hear(link, d(6), snap(7), live(7), ended(7))
    assert len(talk.told) == told
    assert talk.sent_of("unsub")[-1]["game"] == "g"
