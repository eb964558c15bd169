"""Who comes in, how often, and what is told about it."""

import asyncio
import time

import httpx
import pytest

from ludo.config import ConfigError, parse_rates
from proxy.app import create_app
from proxy.config import Access
from tests.proxy.builders import a_proxy, a_token, bearer, replicas, settings
from tests.proxy.upstream import Upstream, data
from tests.redis_servers import PrivateRedis

PATH = "/v1/rooms"
GOOD = a_token()


@pytest.fixture
def upstream(upstream: Upstream) -> Upstream:
    upstream.says("GET", "/rooms", data([]))
    upstream.says("GET", "/players/plr_ann", data({"playerId": "plr_ann", "playerName": "Ann"}))
    return upstream


BAD = {
    "expired": bearer(a_token(exp=int(time.time()) - 60)),
    "another secret": bearer(a_token(secret="x" * 40)),
    "without exp": bearer(a_token(exp=None)),
    "without sub": bearer(a_token(sub=None)),  # type: ignore[arg-type]
    "empty sub": bearer(a_token(sub="")),
    "games is a text": bearer(a_token(games="gm_1")),
    "no token": bearer("nonsense"),
    "unsigned": bearer("eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIiwiZXhwIjo5OTk5OTk5OTk5fQ."),
    "too long": bearer("a" * 9_000),
    "another scheme": {"Authorization": f"Token {GOOD}"},
    "basic": {"Authorization": "Basic YTpi"},
    "nothing after it": {"Authorization": "Bearer"},
    "two words": {"Authorization": f"Bearer {GOOD} {GOOD}"},
}


@pytest.mark.parametrize("access", list(Access))
async def test_a_bad_token_is_refused_in_every_mode(
    redis_url: str, upstream: Upstream, access: Access
) -> None:
    """Nobody is made anonymous by mistake."""
    async with a_proxy(redis_url, upstream, access=access) as proxy:
        for headers in BAD.values():
            answer = await proxy.get(PATH, headers=headers)
            assert (answer.status_code, answer.json()["type"]) == (401, "unauthorized")
            assert answer.headers["www-authenticate"].startswith("Bearer")
    assert upstream.arrived == []


async def test_two_authorization_headers_are_none(proxy: httpx.AsyncClient) -> None:
    """Which of them counted would depend on who reads them."""
    twice = [("Authorization", f"Bearer {GOOD}"), ("Authorization", f"Bearer {GOOD}")]
    assert (await proxy.get(PATH, headers=twice)).status_code == 401


@pytest.mark.parametrize(("access", "status"), [(Access.OPEN, 200), (Access.REQUIRED, 401)])
async def test_anonymous_callers_pass_in_open_mode_only(
    redis_url: str, upstream: Upstream, access: Access, status: int
) -> None:
    """A good token passes in both."""
    async with a_proxy(redis_url, upstream, access=access) as proxy:
        assert (await proxy.get(PATH)).status_code == status
        assert (await proxy.get(PATH, headers=bearer(GOOD))).status_code == 200
        lower = {"Authorization": f"bearer {GOOD}"}
        assert (await proxy.get(PATH, headers=lower)).status_code == 200


async def test_me_is_the_token_s_player(proxy: httpx.AsyncClient, upstream: Upstream) -> None:
    """And nobody without one."""
    answer = await proxy.get("/v1/players/me", headers=bearer(a_token("plr_ann")))
    assert answer.json()["data"]["playerId"] == "plr_ann"
    assert (await proxy.get("/v1/players/me")).status_code == 401


async def test_a_quota_is_exact_over_replicas(redis_url: str, upstream: Upstream) -> None:
    """Of 120 requests at once at three replicas, 50 pass; the others hear when to come again."""
    rates = parse_rates("50/60s")
    async with replicas(3, redis_url, upstream, quota=rates) as proxies:
        reads = (proxies[n % 3].get(PATH, headers=bearer(GOOD)) for n in range(120))
        answers = await asyncio.gather(*reads)
    spent = [answer for answer in answers if answer.status_code == 429]
    assert len(spent) == 70
    for answer in spent:
        assert answer.json()["type"] == "quota-exceeded"
        assert 1 <= int(answer.headers["retry-after"]) <= 62


async def test_every_answer_tells_the_quota(redis_url: str, upstream: Upstream) -> None:
    """Also a refusal, in the current draft's words."""
    async with a_proxy(redis_url, upstream, quota=parse_rates("2/1s,3/60s")) as proxy:
        answers = [await proxy.get(path) for path in (PATH, "/v1/rooms/NONE", PATH)]
    assert [answer.status_code for answer in answers] == [200, 404, 429]
    for answer in answers:
        policy = answer.headers["ratelimit-policy"]
        assert policy == '"2in1s";q=2;w=1, "3in60s";q=3;w=60'
    left = [answer.headers["ratelimit"] for answer in answers]
    assert left[0].startswith('"2in1s";r=1;t=')
    assert '"3in60s";r=1;t=' in left[1]
    retry = int(answers[2].headers["retry-after"])
    assert f'"2in1s";r=0;t={retry}' in left[2]


async def test_callers_are_told_apart(redis_url: str, upstream: Upstream) -> None:
    """By their token's subject, else by their address; a bad token costs its address."""
    async with a_proxy(redis_url, upstream, quota=parse_rates("1/60s")) as proxy:
        ann, bob = (bearer(a_token(sub)) for sub in ("plr_ann", "plr_bob"))
        statuses = [
            (await proxy.get(PATH, headers=headers)).status_code
            for headers in (ann, bob, ann, bearer("bad"), bearer("bad"), {})
        ]
    assert statuses == [200, 200, 429, 401, 429, 429]


@pytest.mark.parametrize(("hops", "expected"), [(0, [200, 429, 429]), (1, [200, 200, 429])])
async def test_forwarded_addresses_count_behind_trusted_proxies_only(
    redis_url: str, upstream: Upstream, hops: int, expected: list[int]
) -> None:
    """Otherwise everybody could claim a new address for each request."""
    rates = parse_rates("1/60s")
    async with a_proxy(redis_url, upstream, quota=rates, trusted_hops=hops) as proxy:
        statuses = [
            (await proxy.get(PATH, headers={"X-Forwarded-For": text})).status_code
            for text in ("203.0.113.1", "203.0.113.1, 203.0.113.2", "203.0.113.9, 203.0.113.2")
        ]
    assert statuses == expected


@pytest.mark.parametrize("path", ["/health", "/health/ready", "/metrics", "/docs"])
async def test_operators_have_no_quota(redis_url: str, upstream: Upstream, path: str) -> None:
    """Nor do they need a token."""
    rates = parse_rates("1/60s")
    async with a_proxy(redis_url, upstream, quota=rates, access=Access.REQUIRED) as proxy:
        answers = [await proxy.get(path) for _ in range(3)]
    assert {answer.status_code for answer in answers} == {200}
    assert all("ratelimit" not in answer.headers for answer in answers)


async def test_routes_share_one_quota(redis_server: PrivateRedis, upstream: Upstream) -> None:
    """Also while this process counts by itself."""
    rates = parse_rates("2/60s")
    async with a_proxy(redis_server.url, upstream, quota=rates) as proxy:
        redis_server.kill()
        paths = ("/v1/rooms", "/v1/games", "/v1/players/plr_1", "/v1/rooms/ABCD12")
        statuses = [(await proxy.get(path)).status_code for path in paths]
    assert statuses == [503, 503, 429, 429]


async def test_an_operation_may_cost_more(redis_url: str, upstream: Upstream) -> None:
    """What the setting says it costs is taken; others cost 1."""
    upstream.says("POST", "/rooms", data({"code": "ABCD12"}, 201))
    options = {"quota": parse_rates("10/60s"), "quota_costs": {"CreateRoom": 4}}
    async with a_proxy(redis_url, upstream, **options) as proxy:
        wrote = await proxy.post(PATH, json={})
        read = await proxy.get(PATH)
        spent = [await proxy.post(PATH, json={}) for _ in range(2)]
    assert '"10in60s";r=6;' in wrote.headers["ratelimit"]
    assert '"10in60s";r=5;' in read.headers["ratelimit"]
    assert [answer.status_code for answer in spent] == [201, 429]


async def test_a_cost_of_nothing_known_keeps_the_proxy_from_starting(redis_url: str) -> None:
    """With the names that could have been meant."""
    with pytest.raises(ConfigError, match=r"LUDO_QUOTA_COSTS.*CreateRoom.*found 'Castle'"):
        create_app(settings(redis_url, quota_costs={"Castle": 3}), redis_url=redis_url)


async def test_a_dry_run_refuses_nobody(redis_url: str, upstream: Upstream) -> None:
    """It tells, and counts whom it would have refused."""
    options = {"quota": parse_rates("2/60s"), "quota_dry_run": True}
    async with a_proxy(redis_url, upstream, **options) as proxy:
        answers = [await proxy.get(PATH) for _ in range(5)]
        metrics = (await proxy.get("/metrics")).text
    assert [answer.status_code for answer in answers] == [200] * 5
    assert '"2in60s";r=0;' in answers[-1].headers["ratelimit"]
    assert 'ludo_quota_spent_total{outcome="let_through",policy="2in60s"} 3.0' in metrics


async def test_a_refusal_names_the_policy(redis_url: str, upstream: Upstream) -> None:
    """As the draft's problem type has it."""
    async with a_proxy(redis_url, upstream, quota=parse_rates("1/60s")) as proxy:
        await proxy.get(PATH)
        problem = (await proxy.get(PATH)).json()
    assert problem["type"] == "quota-exceeded"
    assert problem["violated-policies"] == ["1in60s"]
