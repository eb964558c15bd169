"""Proxies on a real Redis, with an upstream that does as it is told."""

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import jwt
from litestar import Litestar
from pydantic import SecretStr
from redis.exceptions import RedisError

from ludo.config import Rate, parse_rates
from ludo.store import keys
from ludo.store.config import StoreConfig
from ludo.store.connection import connect
from ludo.store.permits import Permits
from ludo.store.scripts import Scripts
from ludo.upstream.budget import CallClass
from ludo.upstream.config import UpstreamConfig, WebhookConfig
from ludo.upstream.deadline import Deadline
from ludo.upstream.errors import BudgetSpent
from proxy.app import create_app
from proxy.config import Access, ProxyConfig, ProxySettings, Role
from proxy.parts import running
from proxy.relay.config import RelayConfig
from tests.proxy.upstream import Upstream

SECRET = "a secret that is long enough for HS256"


def a_token(sub: str = "plr_ann", *, secret: str = SECRET, **claims: Any) -> str:
    """A caller's token, good for an hour: some are made when tests are collected."""
    whole = {"sub": sub, "exp": int(time.time()) + 3_600, **claims}
    kept = {name: value for name, value in whole.items() if value is not None}
    return jwt.encode(kept, secret, algorithm="HS256")


def bearer(token: str) -> dict[str, str]:
    """The header that carries a token."""
    return {"Authorization": f"Bearer {token}"}


def settings(
    redis_url: str,
    *,
    limit: str = "1000/60s",
    attempts: int = 1,
    deadline: float = 5.0,
    secrets: str = "",
    relay: RelayConfig | None = None,
    **proxy: Any,
) -> ProxySettings:
    """Open to everybody and without a quota, unless said otherwise; fields by their names."""
    fields = {"access": Access.OPEN, "jwt_secret": SecretStr(SECRET), "quota": (), **proxy}
    rates = parse_rates(limit)
    return ProxySettings(
        proxy=ProxyConfig(**fields),
        store=StoreConfig(redis_url=SecretStr(redis_url), data_dir=_folder(redis_url)),
        upstream=UpstreamConfig(
            api_key=SecretStr("lk_test_key"),
            base_url="http://upstream/v1",
            limit=rates[0] if rates else None,
            attempts=attempts,
            deadline=deadline,
        ),
        webhooks=WebhookConfig(secrets=SecretStr(secrets)),
        relay=relay or RelayConfig(),
    )


def _folder(redis_url: str) -> Path:
    """Where the archive is: beside the Redis of the tests, and gone with it."""
    return Path(urlsplit(redis_url).path).parent


async def open_log(redis_url: str) -> None:
    """The budget's log as a deployment has it that has been running: a new one rests first."""
    redis = connect(redis_url)
    with suppress(RedisError, OSError, BudgetSpent):
        await Permits(Scripts(redis), Rate(100, 60), settle=0).take(
            CallClass.READ, Deadline.after(5)
        )
        await redis.delete(keys.PERMITS)
    await redis.aclose()


@asynccontextmanager
async def serving(app: Litestar, **client: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a running application; its errors are answers, as on a real server."""
    transport = httpx.ASGITransport(
        app, raise_app_exceptions=False, client=client.pop("peer", ("192.0.2.7", 123))
    )
    async with (
        # Not `app.lifespan()`: Litestar's has to end in the task it began in, fixtures do not.
        running(app.state.parts),
        httpx.AsyncClient(transport=transport, base_url="http://proxy", **client) as http,
    ):
        yield http


@asynccontextmanager
async def a_proxy(
    redis_url: str, upstream: Upstream | None = None, *, role: Role = Role.API, **options: Any
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of one running proxy."""
    await open_log(redis_url)
    app = create_app(
        settings(redis_url, **options),
        redis_url=redis_url,
        role=role,
        transport=upstream or Upstream(),
    )
    async with serving(app) as http:
        yield http


@asynccontextmanager
async def replicas(
    number: int, redis_url: str, upstream: Upstream, **options: Any
) -> AsyncIterator[list[httpx.AsyncClient]]:
    """Clients of several proxies over one Redis."""
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(a_proxy(redis_url, upstream, **options))
            for _ in range(number)
        ]
