"""Metrics: the deployment's counters, and this process' own."""

import httpx
from prometheus_client.parser import text_string_to_metric_families
from redis.asyncio import Redis

from ludo.store import keys
from tests.proxy.builders import a_proxy
from tests.proxy.upstream import Upstream, data
from tests.redis_servers import PrivateRedis

COUNTERS = {
    "accepted:webhook": 7,
    "accepted:socket": 1,
    "outcome:applied:webhook": 5,
    "outcome:duplicate:webhook": 1,
    "redelivered:webhook": 2,
    "pending:webhook": 1,
    "repaired:gap": 3,
    "skipped": 4,
    "late": 1,
    "divergent:R7": 2,
    "something else": 9,
}


async def samples(proxy: httpx.AsyncClient) -> dict[str, float]:
    """Every sample by its name and labels, as a scraper reads them."""
    answer = await proxy.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return {
        f"{sample.name}{sorted(sample.labels.values())}": sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


async def test_the_deployment_s_counters_are_shown(proxy: httpx.AsyncClient, redis: Redis) -> None:
    """Every proxy shows the same, by the names of design section 7."""
    await redis.hset(keys.COUNTERS, mapping=COUNTERS)
    found = await samples(proxy)
    assert found["ludo_events_accepted_total['webhook']"] == 7
    assert found["ludo_events_accepted_total['socket']"] == 1
    assert found["ludo_events_total['applied', 'webhook']"] == 5
    assert found["ludo_events_total['duplicate', 'webhook']"] == 1
    assert found["ludo_events_redelivered_total['webhook']"] == 2
    assert found["ludo_events_pending['webhook']"] == 1
    assert found["ludo_repaired_total['gap']"] == 3
    assert found["ludo_sequences_skipped_total[]"] == 4
    assert found["ludo_sequences_late_total[]"] == 1
    assert found["ludo_divergent_total['R7']"] == 2
    assert found["ludo_dead_letters[]"] == 0
    assert found["ludo_store_up[]"] == 1


async def test_events_that_vanished_are_shown(proxy: httpx.AsyncClient, redis: Redis) -> None:
    """What was accepted and is neither decided nor waiting is a number of its own."""
    await redis.hset(keys.COUNTERS, mapping=COUNTERS | {"accepted:webhook": 9})
    found = await samples(proxy)
    assert found["ludo_events_unaccounted['webhook']"] == 2
    assert found["ludo_events_unaccounted['socket']"] == 1


async def test_this_process_tells_what_it_did(redis_url: str, upstream: Upstream) -> None:
    """Answers by route, where reads came from, and how much of the budget is left."""
    upstream.says("GET", "/rooms", data([]))
    async with a_proxy(redis_url, upstream, limit="10/60s") as proxy:
        for _ in range(3):
            await proxy.get("/v1/rooms")
        await proxy.get("/wp-admin.php")
        found = await samples(proxy)
    assert found["ludo_http_requests_total['/v1/rooms', '200', 'GET']"] == 3
    assert found["ludo_http_requests_total['404', 'GET', 'unmatched']"] == 1
    assert found["ludo_facade_reads_total['fetched', 'rooms']"] == 1
    assert found["ludo_facade_reads_total['hit', 'rooms']"] == 2
    assert found["ludo_upstream_permits_left[]"] == 9
    assert found["ludo_circuit_closed['/rooms']"] == 1


async def test_without_redis_this_process_is_still_measured(
    redis_server: PrivateRedis, upstream: Upstream
) -> None:
    """And the scrape says what is missing."""
    async with a_proxy(redis_server.url, upstream) as proxy:
        redis_server.kill()
        found = await samples(proxy)
    assert found["ludo_store_up[]"] == 0
    assert not any(name.startswith("ludo_events") for name in found)
