"""`/admin/relay`: revoking tokens and sending clients away."""

import time
from typing import Any

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis

from ludo.store.orders import Kick, Orders
from ludo.store.scripts import Scripts
from tests.proxy.builders import a_proxy, a_token, bearer, replicas
from tests.proxy.upstream import Upstream
from tests.redis_servers import PrivateRedis

ADMIN = SecretStr("operators-only")
WITH = bearer("operators-only")


async def test_revoked_tokens_are_refused_everywhere(redis_url: str, upstream: Upstream) -> None:
    """Of one player, those issued until now, by every replica's facade too."""
    old, new = a_token(iat=int(time.time()) - 9), a_token(iat=int(time.time()) + 3)
    bob = a_token("plr_bob")
    async with replicas(2, redis_url, upstream, admin_token=ADMIN) as (one, two):
        done = await one.post("/admin/relay/revoke", json={"playerId": "plr_ann"}, headers=WITH)
        answers = [await two.get("/v1/games", headers=bearer(each)) for each in (old, new, bob)]

    assert (done.status_code, done.json()["success"]) == (200, True)
    assert [answer.status_code for answer in answers] == [401, 200, 200]
    assert "revoked" in answers[0].json()["detail"]


async def test_one_token_is_revoked_by_its_id(redis_url: str, upstream: Upstream) -> None:
    """The player's others stay good."""
    lost, kept = a_token(jti="lost"), a_token(jti="kept")
    async with a_proxy(redis_url, upstream, admin_token=ADMIN) as proxy:
        body = {"tokenId": "lost", "lifetime": 60}
        await proxy.post("/admin/relay/revoke", json=body, headers=WITH)
        answers = [await proxy.get("/v1/games", headers=bearer(each)) for each in (lost, kept)]

    assert [answer.status_code for answer in answers] == [401, 200]


async def test_sending_away_is_an_order(redis_url: str, redis: Redis, upstream: Upstream) -> None:
    """Which every node of the relay reads."""
    async with a_proxy(redis_url, upstream, admin_token=ADMIN) as proxy:
        body = {"playerId": "plr_ann", "reason": "too loud"}
        done = await proxy.post("/admin/relay/kick", json=body, headers=WITH)
    given = await Orders(redis, Scripts(redis)).after("0-0")

    assert done.status_code == 200
    assert [each.order for each in given] == [Kick(player="plr_ann", reason="too loud")]


@pytest.mark.parametrize("path", ["/admin/relay/revoke", "/admin/relay/kick"])
@pytest.mark.parametrize(
    "body", [{}, {"playerId": ""}, {"playerId": "a", "tokenId": "b", "conn": "c"}]
)
async def test_an_order_says_whom_it_means(
    redis_url: str, upstream: Upstream, path: str, body: dict[str, Any]
) -> None:
    """Neither nobody nor two at once; and it needs the operators' token."""
    async with a_proxy(redis_url, upstream, admin_token=ADMIN) as proxy:
        assert (await proxy.post(path, json=body, headers=WITH)).status_code == 400
        assert (await proxy.post(path, json={"playerId": "a"})).status_code == 401


async def test_a_redis_that_is_gone_keeps_no_good_token_out(
    redis_server: PrivateRedis, upstream: Upstream
) -> None:
    """Nobody can be asked what is revoked: the request goes on, and fails where it has to."""
    async with a_proxy(redis_server.url, upstream) as proxy:
        redis_server.kill()
        answer = await proxy.get("/v1/rooms", headers=bearer(a_token()))

    assert answer.status_code == 503
