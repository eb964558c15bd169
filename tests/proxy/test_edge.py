"""The outermost layer: ids, headers that every answer has, and paths that go nowhere."""

import re

import httpx
import pytest
from structlog.testing import capture_logs

from tests.proxy.builders import a_proxy
from tests.proxy.upstream import Upstream

PATHS = ["/health", "/nothing", "/v1/rooms", "/v1/../x", "/docs", "/openapi.json"]


@pytest.mark.parametrize("path", PATHS)
async def test_every_answer_has_the_headers_that_protect_browsers(
    proxy: httpx.AsyncClient, path: str
) -> None:
    """Whatever its status."""
    headers = (await proxy.get(path)).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "server" not in headers


@pytest.mark.parametrize(
    ("given", "kept"),
    [("abc-1.2_3", True), ("", False), ("a b", False), ("x" * 65, False), ("<script>", False)],
)
async def test_a_request_has_an_id(proxy: httpx.AsyncClient, given: str, kept: bool) -> None:
    """The caller's if it can be one, else ours."""
    found = (await proxy.get("/health", headers={"X-Request-Id": given})).headers["x-request-id"]
    assert (found == given) is kept
    assert re.fullmatch(r"[A-Za-z0-9._-]{1,64}", found)


async def test_a_line_is_logged_for_an_answer(proxy: httpx.AsyncClient) -> None:
    """With the route's template, so that it can be counted."""
    with capture_logs() as logs:
        await proxy.get("/v1/rooms/ABCD12")
    (line,) = [each for each in logs if each["event"] == "request"]
    assert (line["method"], line["route"], line["status"]) == ("GET", "/v1/rooms/{code}", 404)


async def test_probes_are_not_worth_a_line(proxy: httpx.AsyncClient) -> None:
    """As long as nothing is wrong."""
    with capture_logs() as logs:
        await proxy.get("/health")
    assert [each for each in logs if each["event"] == "request"] == []


async def test_allowed_origins_may_read_answers(redis_url: str, upstream: Upstream) -> None:
    """Others may not, and both are told what may be read."""
    async with a_proxy(redis_url, upstream, cors_origins=("https://play.example",)) as proxy:
        good = await proxy.get("/v1/games", headers={"Origin": "https://play.example"})
        bad = await proxy.get("/v1/games", headers={"Origin": "https://evil.example"})
        asked = {
            "Origin": "https://play.example",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "Idempotency-Key, Authorization",
        }
        preflight = await proxy.options("/v1/rooms", headers=asked)
    assert good.headers["access-control-allow-origin"] == "https://play.example"
    assert "RateLimit" in good.headers["access-control-expose-headers"]
    assert "access-control-allow-origin" not in bad.headers
    assert preflight.status_code == 204
    assert "origin" in good.headers["vary"].lower()


async def test_without_a_list_no_origin_is_allowed(proxy: httpx.AsyncClient) -> None:
    """Only our own pages read answers then."""
    answer = await proxy.get("/v1/games", headers={"Origin": "https://play.example"})
    assert "access-control-allow-origin" not in answer.headers


TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.mark.parametrize(("given", "sent"), [(TRACE, TRACE), ("00-nonsense", None), (None, None)])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_trace_goes_on_to_upstream(
    proxy: httpx.AsyncClient, upstream: Upstream, method: str, given: str | None, sent: str | None
) -> None:
    """If it is one."""
    headers = {} if given is None else {"traceparent": given}
    await proxy.request(method, "/v1/rooms", headers=headers, json={})
    assert upstream.arrived[0].headers.get("traceparent") == sent
