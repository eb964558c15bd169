"""The description of the API is true, and its page needs nobody else's server."""

import re

import httpx
import pytest

from proxy.openapi30 import as_30
from tests.proxy.builders import a_proxy
from tests.proxy.upstream import Upstream

PATHS = {
    "/v1/rooms": {"get", "post"},
    "/v1/rooms/{code}": {"get"},
    "/v1/rooms/{code}/join": {"post"},
    "/v1/rooms/{code}/start": {"post"},
    "/v1/players": {"post"},
    "/v1/players/{player_id}": {"get"},
    "/v1/games": {"get"},
    "/v1/games/{game_id}/state": {"get"},
    "/v1/games/{game_id}/replay": {"get"},
    "/v1/games/{game_id}/roll": {"post"},
    "/v1/games/{game_id}/move": {"post"},
    "/v1/games/{game_id}/validate": {"post"},
    "/webhooks/ludo": {"post"},
    "/health": {"get"},
    "/health/ready": {"get"},
}


async def test_every_path_is_described(proxy: httpx.AsyncClient) -> None:
    """Upstream's own, ours, and nothing else."""
    document = (await proxy.get("/openapi.json")).json()
    assert {path: set(item) for path, item in document["paths"].items()} == PATHS
    assert document["openapi"].startswith("3.1")


async def test_answers_and_bodies_are_described(proxy: httpx.AsyncClient) -> None:
    """With the problems that a caller has to expect, and the members of a body."""
    document = (await proxy.get("/openapi.json")).json()
    move = document["paths"]["/v1/games/{game_id}/move"]["post"]
    assert {"200", "400", "401", "403", "404", "409", "422", "429", "502", "503"} <= set(
        move["responses"]
    )
    assert "application/problem+json" in move["responses"]["409"]["content"]
    schema = move["requestBody"]["content"]["application/json"]["schema"]
    assert {"pieceId", "targetPosition"} <= set(schema["properties"])
    assert move["security"] == [{"bearer": []}]


async def test_the_page_loads_from_here_only(proxy: httpx.AsyncClient) -> None:
    """Every file it names is served, and its policy forbids all others."""
    page = await proxy.get("/docs")
    named = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert not any("//" in name for name in named)
    for name in named:
        assert (await proxy.get(f"/{name}")).status_code == 200
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy


async def test_the_page_reads_a_description_that_it_understands(
    proxy: httpx.AsyncClient,
) -> None:
    """Swagger UI 4 knows OpenAPI 3.0 only."""
    assert 'url: "docs/openapi-3.0.json"' in (await proxy.get("/docs/start.js")).text
    document = (await proxy.get("/docs/openapi-3.0.json")).json()
    assert document["openapi"] == "3.0.3"
    assert set(document["paths"]) == set(PATHS)
    assert '"null"' not in str(document).replace("'", '"')


@pytest.mark.parametrize(
    ("new", "old"),
    [
        ({"type": ["string", "null"]}, {"type": "string", "nullable": True}),
        (
            {"oneOf": [{"type": "null"}, {"type": "integer"}]},
            {"allOf": [{"type": "integer"}], "nullable": True},
        ),
        (
            {"anyOf": [{"type": "null"}, {"type": "integer"}, {"type": "string"}]},
            {"anyOf": [{"type": "integer"}, {"type": "string"}], "nullable": True},
        ),
        ({"const": "a"}, {"enum": ["a"]}),
        ({"examples": [1, 2]}, {"example": 1}),
        ({"exclusiveMinimum": 3}, {"exclusiveMinimum": True, "minimum": 3}),
        ({"properties": {"type": {"const": 1}}}, {"properties": {"type": {"enum": [1]}}}),
    ],
)
def test_what_is_new_in_31_is_told_in_30(new: dict[str, object], old: dict[str, object]) -> None:
    """At any depth."""
    told = as_30({"components": {"schemas": {"Thing": new}}})
    assert told["components"]["schemas"]["Thing"] == old


async def test_the_token_route_is_there_in_development_only(
    redis_url: str, upstream: Upstream
) -> None:
    """And its tokens are good."""
    async with a_proxy(redis_url, upstream, dev=True) as proxy:
        answer = await proxy.post("/token", json={"playerId": "plr_ann"})
        token = answer.json()["data"]["token"]
        headers = {"Authorization": f"Bearer {token}"}
        assert (await proxy.get("/v1/games", headers=headers)).status_code == 200
    async with a_proxy(redis_url, upstream) as proxy:
        assert (await proxy.post("/token", json={"playerId": "plr_ann"})).status_code == 404
