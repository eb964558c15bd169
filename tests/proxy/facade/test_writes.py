"""Writes: passed on once, by the right player, and what they change is not told from before."""

import asyncio
from typing import Any

import httpx
import pytest
from redis.asyncio import Redis

from proxy.facade import writing
from tests.proxy.builders import a_proxy, a_token, bearer, replicas
from tests.proxy.upstream import Upstream, data, no
from tests.waiting import wait_until

ROOM = {"code": "ABCD12", "status": "waiting"}
GAME = "/games/gm_1"
WRITES = [
    ("/rooms", {"maxPlayers": 2}),
    ("/rooms/ABCD12/join", {"playerName": "Ann"}),
    ("/rooms/ABCD12/start", {}),
    ("/players", {"playerName": "Ann"}),
    (f"{GAME}/roll", {}),
    (f"{GAME}/move", {"pieceId": "red-0", "targetPosition": 0}),
    (f"{GAME}/validate", {"token_index": 0, "dice_value": 6}),
]


def key(text: str) -> dict[str, str]:
    return {"Idempotency-Key": text}


@pytest.mark.parametrize(("path", "body"), WRITES)
async def test_every_write_is_passed_on_under_a_key(
    proxy: httpx.AsyncClient, upstream: Upstream, path: str, body: dict[str, Any]
) -> None:
    """Upstream's answer comes back as it is; the key was made here."""
    upstream.says("POST", path, data({"well": "done"}, 201))
    answer = await proxy.post(f"/v1{path}", json=body)
    assert (answer.status_code, answer.json()["data"]) == (201, {"well": "done"})
    assert upstream.body() == body
    assert upstream.arrived[0].headers["idempotency-key"] == answer.headers["idempotency-key"]
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(("path", "body"), WRITES)
async def test_a_repeated_write_gets_the_first_answer(
    proxy: httpx.AsyncClient, upstream: Upstream, path: str, body: dict[str, Any]
) -> None:
    """It reaches upstream once; the second answer says that it is the first."""
    upstream.says("POST", path, data({"number": 1}))
    first = await proxy.post(f"/v1{path}", json=body, headers=key("k-1"))
    upstream.says("POST", path, data({"number": 2}))
    again = await proxy.post(f"/v1{path}", json=body, headers=key("k-1"))
    assert first.json() == again.json()
    assert again.headers["idempotency-replayed"] == "true"
    assert upstream.arrived[0].headers["idempotency-key"] == "k-1"
    assert len(upstream.arrived) == 1


async def test_a_key_belongs_to_its_body(proxy: httpx.AsyncClient, upstream: Upstream) -> None:
    """Another body under it is 422, and does not go out."""
    upstream.says("POST", "/rooms", data(ROOM, 201))
    await proxy.post("/v1/rooms", json={"maxPlayers": 2}, headers=key("k-1"))
    other = await proxy.post("/v1/rooms", json={"maxPlayers": 3}, headers=key("k-1"))
    assert (other.status_code, other.json()["type"]) == (422, "idempotency-key-reused")
    assert len(upstream.arrived) == 1


async def test_a_key_belongs_to_its_caller_and_route(
    proxy: httpx.AsyncClient, upstream: Upstream
) -> None:
    """Nobody gets another one's first answer."""
    upstream.says("POST", "/rooms", data(ROOM, 201))
    upstream.says("POST", "/players", data({"playerId": "plr_1"}, 201))
    await proxy.post("/v1/rooms", json={}, headers=key("k-1") | bearer(a_token("plr_ann")))
    await proxy.post("/v1/rooms", json={}, headers=key("k-1") | bearer(a_token("plr_bob")))
    await proxy.post("/v1/players", json={}, headers=key("k-1") | bearer(a_token("plr_ann")))
    assert len(upstream.arrived) == 3


async def test_a_write_that_runs_twice_at_once_goes_out_once(
    redis_url: str, upstream: Upstream
) -> None:
    """The second, at another replica, waits for the first one's answer."""
    upstream.says("POST", "/rooms", data(ROOM, 201))
    upstream.hold()
    async with replicas(2, redis_url, upstream) as proxies:
        both = [
            asyncio.create_task(each.post("/v1/rooms", json={}, headers=key("k-1")))
            for each in proxies
        ]
        await wait_until(lambda: upstream.arrived)
        await asyncio.sleep(0.1)
        upstream.go_on()
        answers = await asyncio.gather(*both)
    assert [answer.status_code for answer in answers] == [201, 201]
    assert len(upstream.arrived) == 1


async def test_a_write_that_still_runs_is_a_conflict(
    proxy: httpx.AsyncClient, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody waits longer than a few seconds."""
    monkeypatch.setattr(writing, "BUSY_WITHIN_S", 0.1)
    upstream.hold()
    first = asyncio.create_task(proxy.post("/v1/rooms", json={}, headers=key("k-1")))
    await wait_until(lambda: upstream.arrived)
    busy = await proxy.post("/v1/rooms", json={}, headers=key("k-1"))
    upstream.go_on()
    await first
    assert (busy.status_code, busy.json()["type"]) == (409, "idempotency-key-busy")
    assert "retry-after" in busy.headers


@pytest.mark.parametrize("failure", [httpx.Response(500), httpx.ReadTimeout("slow")])
async def test_a_failure_is_not_the_first_answer(
    proxy: httpx.AsyncClient, upstream: Upstream, failure: Any
) -> None:
    """The same request may go out again, under the same key."""
    upstream.says("POST", "/rooms", failure)
    assert (await proxy.post("/v1/rooms", json={}, headers=key("k-1"))).status_code == 503
    upstream.says("POST", "/rooms", data(ROOM, 201))
    assert (await proxy.post("/v1/rooms", json={}, headers=key("k-1"))).status_code == 201
    assert [r.headers["idempotency-key"] for r in upstream.arrived] == ["k-1", "k-1"]


async def test_a_refusal_is_a_first_answer(proxy: httpx.AsyncClient, upstream: Upstream) -> None:
    """Upstream's no comes again with its clause, and is never a 5xx."""
    upstream.says("POST", f"{GAME}/move", no(409, "ILLEGAL_MOVE", "not so far", clause="R7"))
    body = {"pieceId": "red-0", "targetPosition": 9}
    answers = [await proxy.post(f"/v1{GAME}/move", json=body, headers=key("k-1")) for _ in range(2)]
    for answer in answers:
        problem = answer.json()
        assert (answer.status_code, problem["type"], problem["clause"]) == (
            409,
            "illegal-move",
            "R7",
        )
        assert problem["detail"] == problem["error"] == "not so far"
        assert problem["success"] is False
    assert len(upstream.arrived) == 1


async def test_a_session_token_is_told_once_and_kept_nowhere(
    proxy: httpx.AsyncClient, upstream: Upstream, redis: Redis
) -> None:
    """A repeated registration is answered by upstream, under the same key."""
    upstream.says("POST", "/players", data({"playerId": "plr_1", "sessionToken": "s3cret"}, 201))
    for _ in range(2):
        answer = await proxy.post("/v1/players", json={"playerName": "Ann"}, headers=key("k-1"))
        assert answer.json()["data"]["sessionToken"] == "s3cret"
    assert len(upstream.arrived) == 2
    kept = [await redis.dump(name) or b"" for name in await redis.keys("*")]
    assert b"s3cret" not in b"".join(kept)


@pytest.mark.parametrize("bad", ["", "k" * 256, "ü", "a b"])
async def test_a_key_that_is_none_is_refused(
    proxy: httpx.AsyncClient, upstream: Upstream, bad: str
) -> None:
    """1–255 visible ASCII characters."""
    headers = [(b"Idempotency-Key", bad.encode()), (b"Content-Type", b"application/json")]
    answer = await proxy.post("/v1/rooms", content=b"{}", headers=headers)
    assert answer.status_code == 400
    assert upstream.arrived == []


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff", b"[" * 50_000, b'"text"'])
async def test_a_body_that_is_no_object_is_refused(
    proxy: httpx.AsyncClient, upstream: Upstream, content: bytes
) -> None:
    """Never a 500, and nothing goes out."""
    headers = {"Content-Type": "application/json"}
    answer = await proxy.post("/v1/rooms", content=content, headers=headers)
    assert answer.status_code == 400
    assert upstream.arrived == []


async def test_a_body_that_is_too_large_is_refused(
    proxy: httpx.AsyncClient, upstream: Upstream
) -> None:
    """413, before it is read."""
    answer = await proxy.post("/v1/rooms", json={"maxPlayers": "4" * 70_000})
    assert (answer.status_code, answer.json()["type"]) == (413, "request-entity-too-large")
    assert upstream.arrived == []


@pytest.mark.parametrize("name", ["playerId", "player_id"])
@pytest.mark.parametrize("path", [f"{GAME}/roll", f"{GAME}/move", f"{GAME}/validate"])
async def test_a_token_s_player_acts_for_himself_only(
    proxy: httpx.AsyncClient, upstream: Upstream, path: str, name: str
) -> None:
    """Another one's id is 403, in either casing."""
    answer = await proxy.post(f"/v1{path}", json={name: "plr_bob"}, headers=bearer(a_token()))
    assert (answer.status_code, answer.json()["type"]) == (403, "forbidden")
    assert upstream.arrived == []


@pytest.mark.parametrize("claimed", [{}, {"playerId": "plr_ann"}])
async def test_the_token_says_who_acts(
    proxy: httpx.AsyncClient, upstream: Upstream, claimed: dict[str, str]
) -> None:
    """Whether or not the body says it too."""
    upstream.says("POST", f"{GAME}/roll", data({"value": 6}))
    await proxy.post(f"/v1{GAME}/roll", json=claimed, headers=bearer(a_token("plr_ann")))
    assert upstream.body() == {"playerId": "plr_ann"}


async def test_in_open_mode_the_body_says_who_acts(
    proxy: httpx.AsyncClient, upstream: Upstream
) -> None:
    """Or nobody does: then upstream takes whoever is in turn."""
    upstream.says("POST", f"{GAME}/roll", data({"value": 6}))
    await proxy.post(f"/v1{GAME}/roll", json={"player_id": "plr_ann"})
    assert upstream.body() == {"playerId": "plr_ann"}
    await proxy.post(f"/v1{GAME}/roll")
    assert upstream.body() == {}


async def test_validate_names_the_player_as_upstream_does(
    proxy: httpx.AsyncClient, upstream: Upstream
) -> None:
    """In snake_case, unlike every other body."""
    upstream.says("POST", f"{GAME}/validate", data({"valid": True}))
    body = {"token_index": 0, "dice_value": 6}
    await proxy.post(f"/v1{GAME}/validate", json=body, headers=bearer(a_token("plr_ann")))
    assert upstream.body() == {**body, "player_id": "plr_ann"}


@pytest.mark.parametrize(
    ("write", "read"),
    [
        ("/rooms", "/rooms"),
        ("/rooms/ABCD12/join", "/rooms"),
        ("/rooms/ABCD12/join", "/rooms/ABCD12"),
        ("/rooms/ABCD12/start", "/rooms/ABCD12"),
        (f"{GAME}/roll", f"{GAME}/state"),
    ],
)
@pytest.mark.parametrize("outcome", [data(ROOM), httpx.Response(500)], ids=["done", "unknown"])
async def test_what_a_write_may_change_is_read_anew(
    redis_url: str, upstream: Upstream, write: str, read: str, outcome: Any
) -> None:
    """At every replica, also when nobody knows whether the write arrived."""
    upstream.says("GET", read, data(ROOM))
    upstream.says("POST", write, outcome)
    async with replicas(2, redis_url, upstream) as (one, other):
        await one.get(f"/v1{read}")
        await one.post(f"/v1{write}", json={"playerName": "Ann"})
        await other.get(f"/v1{read}", headers=bearer(a_token("plr_somebody_else")))
    assert upstream.calls("GET", read) == 2


async def test_a_refused_write_changes_nothing(
    proxy: httpx.AsyncClient, upstream: Upstream
) -> None:
    """What was cached before stays."""
    upstream.says("GET", "/rooms", data([ROOM]))
    upstream.says("POST", "/rooms", no(403, "PLAN", "not in your plan"))
    await proxy.get("/v1/rooms")
    await proxy.post("/v1/rooms", json={})
    await proxy.get("/v1/rooms")
    assert upstream.calls("GET", "/rooms") == 1


async def test_a_write_is_retried_under_one_key(redis_url: str, upstream: Upstream) -> None:
    """So that upstream does it once, however often it has to be sent."""
    failing = iter([httpx.Response(503), httpx.Response(503)])

    def answer(_: httpx.Request) -> httpx.Response:
        return next(failing, data(ROOM, 201))

    upstream.says("POST", "/rooms", answer)
    async with a_proxy(redis_url, upstream, attempts=3) as proxy:
        assert (await proxy.post("/v1/rooms", json={})).status_code == 201
    assert len(upstream.arrived) == 3
    assert len({request.headers["idempotency-key"] for request in upstream.arrived}) == 1
