"""`/admin`: there for whoever has its token, and for nobody else."""

import itertools
from typing import Any

import httpx
from pydantic import SecretStr

from ludo.config import parse_rates
from proxy.admin.routes import HANDLERS
from proxy.config import Role
from tests.proxy.builders import a_proxy, bearer

TOKEN = "the-operators-token"
PATHS = [
    (method, f"/admin{path}")
    for handler in HANDLERS
    for path in handler.paths
    for method in handler.http_methods
]


async def ask(proxy: httpx.AsyncClient, method: str, path: str, **options: Any) -> httpx.Response:
    return await proxy.request(method, path.replace("{", "").replace("}", ""), **options)


async def test_without_a_token_configured_nothing_is_there(redis_url: str) -> None:
    """A deployment that does not want `/admin` does not have it."""
    async with a_proxy(redis_url) as proxy:
        for method, path in PATHS:
            answer = await ask(proxy, method, path, headers=bearer("anything"))
            assert answer.status_code == 404, path


STRANGERS: list[dict[str, str]] = [
    {},
    bearer("another token"),
    bearer(TOKEN + "x"),
    bearer(TOKEN.upper()),
    {"Authorization": TOKEN},
    {"Authorization": "Basic " + TOKEN},
    {"Authorization": "Bearer \xfcn"},
]


async def test_a_stranger_is_refused_everywhere(redis_url: str) -> None:
    """With a problem that says what was expected, and never with the token."""
    async with a_proxy(redis_url, admin_token=SecretStr(TOKEN)) as proxy:
        for (method, path), headers in itertools.product(PATHS, STRANGERS):
            raw = {name: value.encode("latin-1") for name, value in headers.items()}
            answer = await ask(proxy, method, path, headers=raw)
            assert answer.status_code == 401, (path, headers)
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.headers["www-authenticate"].startswith("Bearer")
            assert TOKEN not in answer.text


async def test_the_tokens_holder_is_let_in_without_a_quota(redis_url: str) -> None:
    """An operator in trouble is not told to come again later; nobody stores the answers."""
    options: dict[str, Any] = {"admin_token": SecretStr(TOKEN), "quota": parse_rates("1/60s")}
    async with a_proxy(redis_url, **options) as proxy:
        answers = [await proxy.get("/admin/rejected", headers=bearer(TOKEN)) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200] * 3
    assert "no-store" in answers[0].headers["cache-control"]


async def test_a_relay_has_no_admin(redis_url: str) -> None:
    """Its role is to push."""
    options: dict[str, Any] = {"admin_token": SecretStr(TOKEN), "role": Role.RELAY}
    async with a_proxy(redis_url, **options) as proxy:
        answer = await proxy.get("/admin/rejected", headers=bearer(TOKEN))
    assert answer.status_code == 404


async def test_the_description_names_the_token(redis_url: str) -> None:
    """Where `/admin` is there, `/docs` says how to get in."""
    async with a_proxy(redis_url, admin_token=SecretStr(TOKEN)) as proxy:
        document = (await proxy.get("/openapi.json")).json()
    assert document["paths"]["/admin/rejected"]["get"]["security"] == [{"admin": []}]
    assert TOKEN not in str(document)
