"""`/admin/rejected`: what was refused, and a second look at it."""

import time

from pydantic import SecretStr
from redis.asyncio import Redis

from ludo.store import keys
from ludo.store.rejected import Rejected, RejectedRing
from tests.proxy.builders import a_proxy, bearer
from tests.webhooks.builders import OTHER, SECRET, bytes_of, signed
from tests.workers.builders import GAME, a_history

TOKEN = "the-operators-token"
FIRST = bytes_of(a_history()[0])


async def refused(redis: Redis) -> dict[str, str]:
    """Leaves a delivery in the ring that was signed with the other secret; its headers."""
    now = time.time()
    headers = signed(FIRST, at=int(now), secret=OTHER)
    await RejectedRing(redis).add(Rejected.of("signature-mismatch", headers, FIRST, now))
    return headers


async def test_the_list_tells_everything_but_the_signature(redis_url: str, redis: Redis) -> None:
    """A signature would let its reader replay the delivery while it is fresh."""
    headers = await refused(redis)
    async with a_proxy(redis_url, secrets=SECRET, admin_token=SecretStr(TOKEN)) as proxy:
        answer = await proxy.get("/admin/rejected?limit=5", headers=bearer(TOKEN))
    (entry,) = answer.json()["data"]["rejected"]

    assert answer.json()["data"]["total"] == 1
    assert entry["reason"] == "signature-mismatch"
    assert entry["webhookId"] == headers["webhook-id"]
    assert entry["schemes"] == ["v1"]
    assert entry["size"] == len(FIRST)
    assert headers["webhook-signature"].removeprefix("v1,") not in answer.text
    assert OTHER not in answer.text


async def test_a_recheck_with_the_mended_secret_accepts_once(redis_url: str, redis: Redis) -> None:
    """The second one finds nothing to do."""
    await refused(redis)
    async with a_proxy(
        redis_url, secrets=f"{SECRET},{OTHER}", admin_token=SecretStr(TOKEN)
    ) as proxy:
        answers = [
            (await proxy.post("/admin/rejected/recheck", headers=bearer(TOKEN))).json()["data"]
            for _ in range(2)
        ]

    assert [answer["outcomes"]["accepted"] for answer in answers] == [1, 0]
    assert [answer["rechecked"] for answer in answers] == [1, 0]
    assert await redis.xlen(keys.inbox(GAME)) == 1


async def test_a_wrong_limit_is_explained(redis_url: str) -> None:
    """As a problem, like every error."""
    async with a_proxy(redis_url, admin_token=SecretStr(TOKEN)) as proxy:
        answer = await proxy.get("/admin/rejected?limit=0", headers=bearer(TOKEN))
    assert answer.status_code == 400
    assert "limit" in answer.json()["detail"]
