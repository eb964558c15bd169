"""What every request under /v1 passes."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from sandbox.faults import Fault, Faults
from sandbox.gate import MOST, Gate
from sandbox.ratelimit import RateLimit
from tests.sandbox.builders import KEY, NOW, served

Entered = Callable[..., httpx.AsyncClient]


class App:
    """Counts what reaches it and tells the count; or fails."""

    def __init__(self, status: int = 200) -> None:
        self.status = status
        self.bodies: list[bytes] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.bodies.append((await receive())["body"])
        body = b'{"n":%d}' % len(self.bodies)
        await send({"type": "http.response.start", "status": self.status, "headers": []})
        await send({"type": "http.response.body", "body": body, "more_body": False})


def gate(app: App, *faults: Fault, limit: RateLimit | None = None, busy: bool = False) -> Gate:
    suffered = Faults("7", dict.fromkeys(faults, 1.0), longest=0.01)
    return Gate(
        app, key=KEY, limit=limit, faults=lambda: suffered, busy=lambda: busy, now=lambda: NOW
    )


def caller(gate: Gate, authorization: str = f"Bearer {KEY}") -> httpx.AsyncClient:
    transport = httpx.ASGITransport(gate)  # type: ignore[arg-type]
    headers = {"authorization": authorization} if authorization else {}
    return httpx.AsyncClient(transport=transport, base_url="http://sandbox", headers=headers)


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer wrong", f"Basic {KEY}", KEY])
async def test_a_wrong_key_opens_nothing(authorization: str) -> None:
    """401 in the envelope, and the application is not asked."""
    app = App()
    async with caller(gate(app), authorization) as http:
        answer = await http.get("/v1/rooms")

    assert answer.status_code == 401
    assert answer.json() | {"error": ""} == {"success": False, "error": "", "code": "UNAUTHORIZED"}
    assert app.bodies == []


@pytest.mark.parametrize("path", ["/health", "/v1/health", "/sandbox/games"])
async def test_some_paths_need_no_key(path: str) -> None:
    """Health, and the sandbox' own paths; they suffer no faults either."""
    async with caller(gate(App(), Fault.SERVER_ERROR), "") as http:
        assert (await http.get(path)).status_code == 200


async def test_the_limit_is_told_and_kept() -> None:
    """Three headers on every answer; one request too many is 429 and reaches nobody."""
    app = App()
    async with caller(gate(app, limit=RateLimit(1, 60))) as http:
        first, second = [await http.get("/v1/rooms") for _ in range(2)]

    assert first.headers["x-ratelimit-remaining"] == "0"
    assert (second.status_code, second.json()["code"]) == (429, "RATE_LIMITED")
    assert second.headers["x-ratelimit-reset"] == str(NOW + 60)
    assert len(app.bodies) == 1


async def test_a_stranger_does_not_use_up_the_limit() -> None:
    """Requests without the key are counted apart, and refused for the key first."""
    passing = gate(App(), limit=RateLimit(1, 60))
    async with caller(passing, "Bearer wrong") as stranger, caller(passing) as http:
        refused = [(await stranger.get("/v1/rooms")).status_code for _ in range(3)]

        assert refused == [401, 401, 401]
        assert (await http.get("/v1/rooms")).status_code == 200


async def test_a_keyed_request_is_done_once() -> None:
    """The same key and body get the first answer again, another body is 422."""
    app = App()
    key = {"idempotency-key": "k"}
    async with caller(gate(app)) as http:
        first = await http.post("/v1/rooms", headers=key, content=b"a")
        again = await http.post("/v1/rooms", headers=key, content=b"a")
        other = await http.post("/v1/rooms", headers=key, content=b"b")

    assert first.json() == again.json() == {"n": 1}
    assert (other.status_code, other.json()["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert app.bodies == [b"a"]


async def test_without_a_key_every_request_is_done() -> None:
    """And a key on a GET means nothing."""
    app = App()
    async with caller(gate(app)) as http:
        for _ in range(2):
            await http.post("/v1/rooms", content=b"a")
            await http.get("/v1/rooms", headers={"idempotency-key": "k"})

    assert len(app.bodies) == 4


@pytest.mark.parametrize("fault", [Fault.SERVER_ERROR, Fault.STATE_DOWN])
async def test_a_failing_sandbox_does_nothing(fault: Fault) -> None:
    """5xx before anything was done, limit headers and all."""
    app = App()
    async with caller(gate(app, fault, limit=RateLimit(9, 60))) as http:
        answer = await http.get("/v1/games/gm_1/state")

    assert answer.status_code >= 500
    assert answer.headers["x-ratelimit-limit"] == "9"
    assert app.bodies == []


async def test_a_slow_answer_is_an_answer() -> None:
    """It only takes its time."""
    async with caller(gate(App(), Fault.SLOW)) as http:
        assert (await http.get("/v1/rooms")).json() == {"n": 1}


async def test_a_cut_answer_was_acted_upon() -> None:
    """The connection ends in the middle of the answer; the keyed retry gets all of it."""
    app, key = App(), {"idempotency-key": "k", "authorization": f"Bearer {KEY}"}
    passing = gate(app, Fault.RESET)
    async with served(passing, lifespan="off") as address, httpx.AsyncClient() as http:
        with pytest.raises(httpx.RemoteProtocolError):
            await http.post(f"{address}/v1/rooms", headers=key)

    passing._faults = lambda: Faults("7")
    async with caller(passing) as http:
        answer = await http.post("/v1/rooms", headers={"idempotency-key": "k"})

    assert answer.json() == {"n": 1}
    assert len(app.bodies) == 1


async def test_too_big_a_body_is_refused() -> None:
    """413, and nothing is done."""
    app = App()
    async with caller(gate(app)) as http:
        assert (await http.post("/v1/rooms", content=b" " * (MOST + 1))).status_code == 413

    assert app.bodies == []


async def test_nothing_happens_while_too_much_is_pending() -> None:
    """Writing is 503 with the time to wait, reading goes on."""
    async with caller(gate(App(), busy=True)) as http:
        refused = await http.post("/v1/rooms")

        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        assert (await http.get("/v1/rooms")).status_code == 200
