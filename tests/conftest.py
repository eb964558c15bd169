"""What every test may use: a real Redis, and a way to wait for conditions."""

from collections.abc import AsyncIterator, Callable, Iterator

import hypothesis
import pytest
import redis as blocking
from redis.asyncio import Redis

from tests import waiting
from tests.redis_servers import PrivateRedis

# Two busy cores make any deadline a matter of luck; pytest-timeout ends what hangs.
hypothesis.settings.register_profile("default", deadline=None)
hypothesis.settings.register_profile("prove", deadline=None, max_examples=5_000)
hypothesis.settings.load_profile("default")


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """The address of this test process' own durable Redis; it is empty when a test begins."""
    with PrivateRedis() as server:
        yield server.url


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    """A client of the session's Redis that answers in bytes."""
    client = Redis.from_url(redis_url)
    yield client
    await client.aclose()


@pytest.fixture
def redis_server() -> Iterator[PrivateRedis]:
    """A Redis of this test's own, to kill, stop, freeze and start again."""
    with PrivateRedis() as server:
        yield server


@pytest.fixture
def wait_until() -> Callable[..., object]:
    """See `tests.waiting.wait_until`."""
    return waiting.wait_until


@pytest.fixture(autouse=True)
def _every_key_ends(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that leaves a key which neither expires nor has a reason to stay."""
    if "redis_url" not in request.fixturenames:
        yield
        return
    url: str = request.getfixturevalue("redis_url")
    with blocking.Redis.from_url(url) as client:
        client.flushall()
        yield
        endless = [name for name in _endless(client) if not _reason(name)]
    assert not endless, f"keys without a time to live, nor a reason in keys.permanent: {endless}"


def _endless(client: blocking.Redis) -> list[str]:
    return [key.decode() for key in client.scan_iter(count=1000) if client.ttl(key) == -1]


def _reason(name: str) -> str | None:
    from ludo.store.keys import permanent

    return permanent(name)
