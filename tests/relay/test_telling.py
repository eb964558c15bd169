"""What `/metrics` says of the relay, and what is logged of a connection."""

import re

from redis.asyncio import Redis
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from tests.proxy.builders import a_token
from tests.relay.scribe import Scribe
from tests.relay.streams import a_relay_proxy, streaming
from tests.relay.test_stream import some
from tests.relay.watcher import watching
from tests.waiting import wait_until

SERIES = re.compile(r"^(ludo_relay_\w+(?:\{[^}]*\})?) ([\d.e+-]+)$", re.MULTILINE)


async def test_everything_that_happens_is_counted(redis: Redis, redis_url: str) -> None:
    """Connections, messages, bytes, errors, resumes, snapshots, pongs and ends, by fixed words."""
    game = Scribe(redis, "g1")
    await game.advance(2)
    async with a_relay_proxy(redis_url) as (http, app):
        relay = app.state.parts.relay
        address = str(http.base_url).replace("http://", "ws://").rstrip("/")
        async with watching(address + "/ws") as client, streaming(http) as stream:
            await client.hello({"game": "g1"}, token=a_token())
            await client.get("live")
            await some(stream, 2)
            await client.send(t="sub", id=1, game="g1", epoch=game.epoch, seq=1)
            await client.get("live", id=1)
            await client.send(t="sub", id=2, game="g1", epoch=game.epoch, seq=2)
            await client.get("live", id=2)
            await client.send(t="say", id=3, game="g1", text="hi")
            await client.get("err", id=3)
            await client.send(t="pong", n=1, at={"g1": 2})
            await client.send(t="pong", n=2, at={"g1": 1})
            await wait_until(lambda: relay.tally.pongs.total() == 2)
            told = dict(SERIES.findall((await http.get("/metrics")).text))
            await client.send(t="unheard", x="y")
            await client.socket.send("garbage")
            assert await client.closed() == 4501
        await wait_until(lambda: relay.status().connections == 0)
        after = dict(SERIES.findall((await http.get("/metrics")).text))

    expected = {
        "ludo_relay_connections": 2,
        "ludo_relay_streams": 1,
        "ludo_relay_users": 1,
        "ludo_relay_rooms": 1,
        "ludo_relay_subscriptions": 1,
        'ludo_relay_messages_total{direction="in"}': 6,
        'ludo_relay_opened_total{kind="socket"}': 1,
        'ludo_relay_opened_total{kind="stream"}': 1,
        'ludo_relay_errors_total{code="forbidden"}': 1,
        'ludo_relay_resumes_total{outcome="recovered"}': 1,
        'ludo_relay_resumes_total{outcome="replayed"}': 1,
        'ludo_relay_resumes_total{outcome="snapshot"}': 2,
        'ludo_relay_snaps_total{why="initial"}': 2,
        'ludo_relay_pongs_total{client="current"}': 1,
        'ludo_relay_pongs_total{client="behind"}': 1,
        "ludo_relay_dropped_total": 0,
        "ludo_relay_said_total": 0,
    }
    assert {name: float(told[name]) for name in expected} == expected
    assert float(told['ludo_relay_bytes_total{direction="out"}']) > 1_000
    assert float(told['ludo_relay_bytes_total{direction="in"}']) > 300
    assert float(told["ludo_relay_link_age_seconds"]) >= 0
    assert float(after['ludo_relay_closes_total{code="4501"}']) == 1
    assert float(after['ludo_relay_closes_total{code="gone"}']) == 1


async def test_the_end_of_a_connection_is_a_line(redis: Redis, redis_url: str) -> None:
    """With its id, its code, its player, and the request that it came with."""
    async with a_relay_proxy(redis_url) as (http, _):
        address = str(http.base_url).replace("http://", "ws://").rstrip("/")
        headers = {"X-Request-Id": "req-7"}
        with capture_logs(processors=[merge_contextvars]) as logs:
            async with watching(address + "/ws", additional_headers=headers) as client:
                conn = (await client.hello(token=a_token()))["conn"]
                await client.socket.send("garbage")
                await client.closed()
            await wait_until(lambda: any(line["event"] == "relay.closed" for line in logs))
    (line,) = (line for line in logs if line["event"] == "relay.closed")

    assert (line["conn"], line["code"], line["player"]) == (conn, 4501, "plr_ann")
    assert line["request_id"] == "req-7"
    assert a_token() not in str(logs)
