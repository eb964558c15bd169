"""What the proxy's tests may use besides a real Redis."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.proxy.builders import a_proxy
from tests.proxy.upstream import Upstream


@pytest.fixture
def upstream() -> Upstream:
    """An upstream that knows nothing until it is told."""
    return Upstream()


@pytest.fixture
async def proxy(redis_url: str, upstream: Upstream) -> AsyncIterator[httpx.AsyncClient]:
    """A client of one proxy that lets everybody in."""
    async with a_proxy(redis_url, upstream) as http:
        yield http
