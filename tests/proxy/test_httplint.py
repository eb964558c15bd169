"""Every answer of every route, under the linter of the editor of HTTP's specifications."""

import time
from collections.abc import AsyncIterator
from email.utils import formatdate
from typing import Final

import httpx
import pytest
from httplint import HttpResponseLinter
from redis.asyncio import Redis

from ludo.config import Rate
from proxy.config import Role
from tests.proxy.builders import a_proxy, a_token, bearer
from tests.proxy.facade.builders import HISTORY, STATE, mirror
from tests.proxy.upstream import Upstream, data, no

ROOM: Final = "/v1/rooms/ABCD12"
ANN: Final = bearer(a_token("plr_ann"))
BAD: Final = frozenset({"warning", "bad"})
MEANT: Final = {"STATUS_BAD_REQUEST": "a climbing path is a bad request, and is told so"}
"""What is deliberate, by the linter's name for it, with the reason."""


@pytest.fixture
async def linted(
    redis_url: str, redis: Redis, upstream: Upstream
) -> AsyncIterator[httpx.AsyncClient]:
    """A proxy with every route, a quota, and an upstream and a mirror that have something."""
    room = {"code": "ABCD12", "status": "waiting", "playerCount": 1, "maxPlayers": 4}
    upstream.says("GET", "/rooms/ABCD12", data(room))
    upstream.says("GET", "/rooms", data([room]))
    upstream.says("GET", "/players/plr_ann", data({"playerId": "plr_ann"}))
    upstream.says("GET", "/games/gm_new/state", data({"gameId": "gm_new", "sequence": 1}))
    upstream.says("GET", "/rooms/DOWN12", httpx.Response(503))
    upstream.says("POST", "/rooms", data(room, 201))
    upstream.says("POST", "/rooms/ABCD12/join", data(room))
    upstream.says("POST", "/players", no(409, "TAKEN", "this name is taken"))
    await mirror(redis, HISTORY[:10])
    async with a_proxy(
        redis_url, upstream, role=Role.ALL, quota=(Rate(1000, 60),), dev=True
    ) as proxy:
        yield proxy


def notes(answer: httpx.Response) -> set[str]:
    """What the linter holds against an answer; the server's own Date is added to it."""
    linter = HttpResponseLinter()
    # At the client nothing is cached yet, so `Age` is measured against this moment.
    linter.start_time = time.time()
    linter.process_response_topline(
        b"HTTP/1.1", str(answer.status_code).encode(), answer.reason_phrase.encode()
    )
    date = (b"Date", formatdate(usegmt=True).encode())
    own = [(name.title(), value) for name, value in answer.headers.raw]
    linter.process_headers([date, *own])
    linter.feed_content(answer.content)
    linter.finish_content(True)
    return {
        f"{type(note).__name__} ({note.level.value}): {note.summary}"
        for note in linter.notes
        if note.level.value in BAD and type(note).__name__ not in MEANT
    }


GETS: Final = {
    "fetched": (ROOM, {}),
    "list": ("/v1/rooms?status=waiting", {}),
    "me": ("/v1/players/me", ANN),
    "head of a room": (ROOM, {}),
    "mirror": (STATE, {}),
    "games": ("/v1/games", {}),
    "no mirror": ("/v1/games/gm_new/state", {}),
    "not there": ("/v1/rooms/NOBODY", {}),
    "failing": ("/v1/rooms/DOWN12", {}),
    "no route": ("/v1/wallet", {}),
    "climbing": ("/v1/rooms/..%2fx", {}),
    "bad token": (ROOM, bearer("x")),
    "me of nobody": ("/v1/players/me", {}),
    "health": ("/health", {}),
    "ready": ("/health/ready", {}),
    "metrics": ("/metrics", {}),
    "docs": ("/docs", {}),
    "openapi": ("/openapi.json", {}),
    "asyncapi": ("/asyncapi.json", {}),
    "board": ("/", {}),
    "script": ("/board.js", {}),
}


@pytest.mark.parametrize("name", sorted(GETS))
async def test_what_is_read_is_clean(linted: httpx.AsyncClient, name: str) -> None:
    """First, again from the cache, as 304 where there is a tag, and in part."""
    path, headers = GETS[name]
    found = set()
    for _ in range(3):
        answer = await linted.get(path, headers=headers)
        found |= notes(answer)
    if "etag" in answer.headers:
        known = headers | {"If-None-Match": answer.headers["etag"]}
        found |= notes(await linted.get(path, headers=known))
        found |= notes(await linted.get(path, headers=headers | {"Range": "bytes=0-9"}))
    assert found == set()


WRITES: Final = {
    "done": ("POST", "/v1/rooms", {}),
    "joined": ("POST", f"{ROOM}/join", {"playerName": "Ann"}),
    "refused": ("POST", "/v1/players", {"playerName": "Ann"}),
    "another's": ("POST", "/v1/games/gm_1/roll", {"playerId": "plr_bob"}),
    "no such method": ("DELETE", ROOM, {}),
    "no delivery": ("POST", "/webhooks/ludo", {}),
    "token": ("POST", "/token", {"playerId": "plr_ann"}),
}


@pytest.mark.parametrize("name", sorted(WRITES))
async def test_what_is_written_is_clean(linted: httpx.AsyncClient, name: str) -> None:
    """Also refusals, with and without an origin that a browser names."""
    method, path, body = WRITES[name]
    found = notes(await linted.request(method, path, json=body, headers=ANN))
    assert found == set()
