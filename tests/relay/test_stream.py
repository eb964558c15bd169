"""A game as server-sent events, on a whole proxy."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from redis.asyncio import Redis

from proxy.config import Access
from proxy.relay.relay import Relay
from proxy.relay.source import Place
from proxy.relay.stream import read_event_id
from tests.proxy.builders import a_token, bearer
from tests.relay.scribe import Scribe
from tests.relay.streams import Event, Stream, a_relay_proxy, streaming
from tests.waiting import wait_until


async def some(stream: Stream, number: int) -> list[Event]:
    """The next events that carry a frame."""
    found: list[Event] = []
    async with asyncio.timeout(10):
        async for event in stream:
            found += [event] if event.frame else []
            if len(found) == number:
                break
    return found


def kinds(events: list[Event]) -> list[str]:
    """What they are."""
    return [event.frame["t"] for event in events]


async def rest(stream: Stream) -> list[Event]:
    """All that comes until the end."""
    async with asyncio.timeout(10):
        return [event async for event in stream if event.frame]


async def test_a_stream_is_a_snapshot_and_every_change(redis: Redis, redis_url: str) -> None:
    """Nothing on the way may keep it back or store it; each place is an event id."""
    game = Scribe(redis, "g1")
    await game.advance(3)
    async with a_relay_proxy(redis_url) as (http, _), streaming(http) as stream:
        first = stream.__aiter__()
        retry = await anext(first)
        snap, live = await anext(first), await anext(first)
        await game.advance()
        delta = await anext(first)
        headers = stream.answer.headers

    assert 1000 <= (retry.retry or 0) <= 3000
    assert kinds([snap, live, delta]) == ["snap", "live", "d"]
    assert [e.id for e in (snap, live, delta)] == [f"{game.epoch}:{n}" for n in (3, 3, 4)]
    assert snap.frame["state"]["sequence"] == 3
    assert headers["content-type"] == "text/event-stream; charset=utf-8"
    assert headers["x-accel-buffering"] == "no"
    assert headers["cache-control"] == "no-store, no-transform"
    assert "content-length" not in headers


@pytest.mark.parametrize(
    ("seq", "expected"),
    [(5, ["live"]), (3, ["d", "d", "live"]), (9, ["snap", "live"]), (None, ["snap", "live"])],
)
async def test_a_stream_goes_on_where_it_was(
    redis: Redis, redis_url: str, seq: int | None, expected: list[str]
) -> None:
    """The same table as over a socket: nothing missed, replayed, ahead, another epoch."""
    game = Scribe(redis, "g1")
    await game.advance(5)
    last = f"other:{5}" if seq is None else f"{game.epoch}:{seq}"
    async with a_relay_proxy(redis_url) as (http, _), streaming(http, last=last) as stream:
        events = await some(stream, len(expected))

    assert kinds(events) == expected
    assert events[-1].id == f"{game.epoch}:5"


async def test_a_finished_game_ends_its_streams_for_good(redis: Redis, redis_url: str) -> None:
    """The end closes the stream; whoever comes back knowing it is told not to, with 204."""
    game = Scribe(redis, "g1")
    await game.advance(2)
    async with a_relay_proxy(redis_url) as (http, _):
        async with streaming(http) as stream:
            await some(stream, 2)
            await game.end()
            events = await rest(stream)
        async with streaming(http, last=events[0].id) as again:
            done = again.answer.status_code
        async with streaming(http) as fresh:
            whole = await rest(fresh)

    assert kinds(events) == ["d", "ended"]
    assert done == 204
    assert kinds(whole) == ["snap", "live", "ended"]


async def test_what_is_wrong_before_a_stream_begins_is_an_answer(
    redis: Redis, redis_url: str
) -> None:
    """With a status and a problem, as everywhere."""
    await Scribe(redis, "g1").advance()
    ann = bearer(a_token(games=["g1"]))
    cases: list[tuple[str, dict[str, Any], int]] = [
        ("g1", {}, 401),
        ("g1", {"headers": bearer("forged")}, 401),
        ("g1", {"headers": bearer(a_token(exp=1))}, 401),
        ("g1", {"params": {"ticket": "invented"}}, 401),
        ("g2", {"headers": ann}, 403),
        ("nope", {"headers": bearer(a_token())}, 404),
        ("g1", {"headers": {**ann, "Origin": "https://evil.example"}}, 403),
        ("g1", {"headers": ann}, 200),
    ]
    async with a_relay_proxy(redis_url, access=Access.REQUIRED) as (http, _):
        for game, options, status in cases:
            async with streaming(http, game, **options) as stream:
                assert stream.answer.status_code == status, (game, options)
                if status != 200:
                    assert (await stream.answer.aread()).startswith(b'{"type":')


async def test_a_ticket_opens_one_stream(redis: Redis, redis_url: str) -> None:
    """It stands for its caller, games and all, where a browser can send no header."""
    await Scribe(redis, "g1").advance()
    headers = bearer(a_token(games=["g1"]))
    async with a_relay_proxy(redis_url, access=Access.REQUIRED) as (http, _):
        refused = await http.post("/v1/ticket")
        made = await http.post("/v1/ticket", headers=headers)
        other = await http.post("/v1/ticket", headers=headers)
        params = {"ticket": made.json()["data"]["ticket"]}
        async with streaming(http, params=params) as stream:
            assert kinds(await some(stream, 2)) == ["snap", "live"]
        async with streaming(http, params=params) as stream:
            assert stream.answer.status_code == 401
        params = {"ticket": other.json()["data"]["ticket"]}
        async with streaming(http, "g2", params=params) as stream:
            assert stream.answer.status_code == 403

    assert (refused.status_code, made.status_code) == (401, 201)
    assert made.headers["cache-control"] == "no-store"


async def test_a_cookie_opens_a_stream(redis: Redis, redis_url: str) -> None:
    """For a browser that has one, from our pages."""
    await Scribe(redis, "g1").advance()
    headers = {"Cookie": f"ludo_token={a_token()}"}
    async with (
        a_relay_proxy(redis_url, access=Access.REQUIRED) as (http, _),
        streaming(http, headers=headers) as stream,
    ):
        assert kinds(await some(stream, 1)) == ["snap"]


async def test_a_quiet_stream_is_kept_alive_by_comments(redis: Redis, redis_url: str) -> None:
    """Proxies on the way close what says nothing."""
    game = Scribe(redis, "g1")
    await game.advance()
    async with a_relay_proxy(redis_url) as (http, app):
        relay: Relay = app.state.parts.relay
        relay._stream_limits = replace(relay._stream_limits, ping_every=0.05)
        async with streaming(http) as stream:
            events = aiter(stream)
            for _ in range(3):
                await anext(events)
            await asyncio.sleep(0.3)
            await game.advance()
            assert (await anext(events)).frame["t"] == "d"

    assert stream.comments
    assert set(stream.comments) == {"ping"}


async def test_a_drain_ends_streams_with_a_word(redis: Redis, redis_url: str) -> None:
    """`bye`, and when to come back; then the stream ends as it should."""
    await Scribe(redis, "g1").advance()
    async with a_relay_proxy(redis_url) as (http, app), streaming(http) as stream:
        await some(stream, 2)
        await app.state.parts.relay.drain(0)
        (bye,) = await rest(stream)

    assert (bye.frame["t"], bye.frame["code"]) == ("bye", 4000)


async def test_a_client_that_goes_leaves_nothing_behind(redis: Redis, redis_url: str) -> None:
    """No connection, no room."""
    await Scribe(redis, "g1").advance()
    async with a_relay_proxy(redis_url) as (http, app):
        relay: Relay = app.state.parts.relay
        for _ in range(5):
            async with streaming(http) as stream:
                await some(stream, 1)
                assert relay.status().streams == 1
            await wait_until(lambda: relay.status().connections == 0)
        assert relay.tally.opened == {"stream": 5}


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("e1:7", Place("e1", 7)),
        ("a:b:7", Place("a:b", 7)),
        (None, None),
        ("", None),
        ("7", None),
        (":7", None),
        ("e:", None),
        ("e:-1", None),
        ("e:seven", None),
        ("e:²", None),
        ("e:" + "9" * 16, None),
        ("e" * 33 + ":1", None),
    ],
)
def test_only_our_own_event_ids_name_a_place(text: str | None, place: Place | None) -> None:
    """Anything else is answered with a snapshot."""
    assert read_event_id(text) == place
