"""Pages: from memory, asked for again each time, sent again only when they changed."""

import httpx
import pytest

from proxy.config import Role
from proxy.pages import WEB, matches
from tests.proxy.builders import a_proxy
from tests.proxy.upstream import Upstream

SCRIPTS = [file.name for file in WEB.iterdir() if file.suffix in (".js", ".css")]


async def test_the_board_is_at_the_root(redis_url: str, upstream: Upstream) -> None:
    """With every file beside it, and a policy that lets it talk to us only."""
    async with a_proxy(redis_url, upstream, role=Role.RELAY) as proxy:
        page = await proxy.get("/")
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert "script-src 'self'" in page.headers["content-security-policy"]
        for name in SCRIPTS:
            found = await proxy.get(f"/{name}")
            assert (found.status_code, found.headers["cache-control"]) == (200, "no-cache")


async def test_a_page_that_did_not_change_is_not_sent_again(
    redis_url: str, upstream: Upstream
) -> None:
    """304 for a browser that has it."""
    async with a_proxy(redis_url, upstream, role=Role.RELAY) as proxy:
        tag = (await proxy.get("/")).headers["etag"]
        again = await proxy.get("/", headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    ("role", "found"),
    [(Role.ALL, {"/", "/v1/games"}), (Role.API, {"/v1/games"}), (Role.RELAY, {"/"})],
)
async def test_a_role_decides_which_routes_exist(
    redis_url: str, upstream: Upstream, role: Role, found: set[str]
) -> None:
    """Health, metrics and docs are everywhere."""
    async with a_proxy(redis_url, upstream, role=role) as proxy:
        answers = {path: await proxy.get(path) for path in ("/", "/v1/games")}
        assert {path for path, answer in answers.items() if answer.status_code == 200} == found
        for path in ("/health", "/health/ready", "/metrics", "/docs", "/openapi.json"):
            assert (await proxy.get(path)).status_code == 200
        webhook = (await proxy.post("/webhooks/ludo", json={})).status_code
    assert (webhook == 404) is (role is Role.RELAY)


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        (None, False),
        ('"a"', True),
        ('W/"a"', True),
        ('"b", "a"', True),
        ("*", True),
        ('"b"', False),
        ("a", False),
        ("", False),
    ],
)
def test_entity_tags_are_compared_weakly(condition: str | None, holds: bool) -> None:
    """As a condition of GET has it."""
    assert matches(condition, '"a"') is holds


async def test_no_file_outside_is_served(redis_url: str, upstream: Upstream) -> None:
    """The list of files is made at the start; paths are never joined."""
    async with a_proxy(redis_url, upstream, role=Role.RELAY) as proxy:
        for path in ("/../app.py", "/%2e%2e/app.py", "/app.py", "/__init__.py", "/.hidden"):
            answer: httpx.Response = await proxy.get(path)
            assert answer.status_code in (400, 404)
