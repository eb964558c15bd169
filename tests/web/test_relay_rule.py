"""The client for browsers follows the same rule as the one for Python, frame by frame."""

from pathlib import Path
from random import Random
from typing import Any

import pytest
from playwright.async_api import Page

from ludo.relay.changes import Caught, Delta, Ended, Snapshot
from tests.relay.follower_builders import Talk, bye, d, ended, live, snap, welcome

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

Step = tuple[str, int, Any]
"""`open`, `hear` or `close`, the number of a link, and what with."""

PLAY = Path(__file__).with_name("playing.js").read_text(encoding="utf-8")
RUNS = 100


async def played(modules: Page, scripts: list[list[Step]], token: str | None = None) -> list[Any]:
    """What the browser's client makes of scripts, each from the beginning."""
    return list(await modules.evaluate(PLAY, [scripts, token]))


def told(script: list[Step]) -> dict[str, Any]:
    """What the Python client makes of a script."""
    talk = Talk()
    talk.watch("g", "h")
    talk.open()
    links: list[int] = []
    for kind, number, what in script:
        if kind == "open":
            talk.pass_time(0.3)
            links.append(talk.connect())
        elif kind == "hear":
            talk.hear(links[number], what)
        else:
            talk.lose(links[number], what)
    return {
        "games": {
            name: [each.place and each.place.epoch, each.seq, each.state, each.over]
            for name, each in talk.talk.followers.items()
        },
        "events": [event for change in talk.told if (event := _event(change)) is not None],
        "connection": talk.talk.connection.value,
    }


def _event(change: object) -> list[Any] | None:
    match change:
        case Snapshot(game=game, place=place):
            return ["snap", game, place.seq]
        case Delta(game=game, seq=seq):
            return ["delta", game, seq]
        case Caught(game=game):
            return ["live", game, None]
        case Ended(game=game):
            return ["ended", game, None]
        case _:
            return None


def script(chance: Random) -> list[Step]:
    """Two games on one link, then a move to a second one, with everything that may cross."""
    steps: list[Step] = [("open", 0, None), ("hear", 0, welcome())]
    steps += [("hear", 0, frame) for _ in range(20) for frame in _some(chance)]
    steps += [("hear", 0, bye(4000)), ("open", 1, None)]
    steps += [("hear", 0, frame) for _ in range(3) for frame in _some(chance)]
    steps.append(("hear", 1, welcome()))
    for _ in range(20):
        number = chance.choice((0, 1, 1))
        steps += [("hear", number, frame) for frame in _some(chance)]
    return steps


def _some(chance: Random) -> list[dict[str, Any]]:
    game, epoch, seq = chance.choice("gh"), chance.choice("eef"), chance.randint(4, 8)
    frames = [
        [snap(seq, epoch, game), live(seq, epoch, game)],
        [snap(seq, epoch, game)],
        [live(seq, epoch, game)],
        [d(seq, game)],
        [d(seq, game), d(seq + 1, game), d(seq + 2, game)],
        [d(seq, game, patch=[{"op": "remove", "path": "/nothing"}])],
        [{"t": "from the future", "game": game}],
        [{"t": "ping", "n": 1, "tips": {game: seq}}],
        [ended(seq, epoch, game)] if chance.random() < 0.2 else [],
    ]
    return chance.choices(frames, [2, 2, 2, 4, 6, 1, 1, 1, 1])[0]


async def test_both_clients_make_the_same_of_the_same_frames(modules: Page) -> None:
    """Seeded frames of two links that cross while a client moves: every place, state and event."""
    scripts = [script(Random(seed)) for seed in range(RUNS)]
    answers = await played(modules, scripts)
    for seed, (steps, answer) in enumerate(zip(scripts, answers, strict=True)):
        expected = told(steps)
        for name in ("games", "events", "connection"):
            assert answer[name] == expected[name], f"seed {seed}"


def following() -> list[Step]:
    """A client that is live on both games."""
    frames = [welcome(), snap(5), live(5), snap(5, game="h"), live(5, game="h")]
    return [("open", 0, None), *(("hear", 0, frame) for frame in frames)]


async def test_a_move_makes_before_it_breaks(modules: Page) -> None:
    """The old link is closed after both games are live on the new one, and not before."""
    moving: list[Step] = [
        *following(),
        ("hear", 0, bye(4000)),
        ("open", 1, None),
        ("hear", 1, welcome()),
        ("hear", 1, live(5)),
        ("hear", 0, d(6, "h")),
    ]
    half, whole = await played(modules, [moving, [*moving, ("hear", 1, live(5, game="h"))]])
    assert half["closed"] == [False, False]
    assert half["games"]["h"][1] == 6
    assert whole["closed"] == [True, False]
    assert half["connection"] == whole["connection"] == "live"


async def test_a_second_link_that_is_refused_does_not_end_the_first(modules: Page) -> None:
    """At the connection limit one goes on with what one has."""
    steps: list[Step] = [
        *following(),
        ("hear", 0, bye(4000)),
        ("open", 1, None),
        ("close", 1, 4504),
        ("hear", 0, d(6)),
    ]
    [answer] = await played(modules, [steps])
    assert answer["connection"] == "live"
    assert answer["games"]["g"][1] == 6


async def test_requests_wait_up_to_a_bound_and_never_vanish(modules: Page) -> None:
    """32 wait for a link, one more is refused; what a lost link carried is told as unanswered."""
    steps: list[Step] = [("send", 40, None), *following(), ("close", 0, 1006)]
    [answer] = await played(modules, [steps])
    assert answer["numbers"].count(0) == 8
    sent = [frame["id"] for frame in answer["sent"] if frame["t"] == "say"]
    assert sent == [number for number in answer["numbers"] if number]
    assert answer["unanswered"] == sent


async def test_a_token_is_shown_and_renewed(modules: Page) -> None:
    """It is in the hello, and a fresh one goes over the live link before the first one ends."""
    steps: list[Step] = [
        ("open", 0, None),
        ("hear", 0, welcome(now=1_000, exp=2_000)),
        ("wait", 1_500, None),
    ]
    [answer] = await played(modules, [steps], token="secret")
    shown = [(frame["t"], frame["token"]) for frame in answer["sent"] if "token" in frame]
    assert shown == [("hello", "secret"), ("auth", "secret")]


async def test_rubbish_is_ignored(modules: Page) -> None:
    """What is no JSON, no object, or lacks what its kind needs does no harm."""
    rubbish = ["{", "null", "5", '"x"', "[]", '{"t":"d","game":"g","seq":6}', '{"t":"__proto__"}']
    rubbish += ['{"t":"ping","tips":null}', '{"t":"constructor"}', '{"t":"bye"}']
    steps: list[Step] = [*following(), *(("raw", 0, text) for text in rubbish)]
    steps += [("hear", 0, snap(7)), ("hear", 0, d(8))]
    [answer] = await played(modules, [steps])
    assert answer["games"]["g"][:2] == ["e", 8]
