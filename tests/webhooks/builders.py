"""Signed deliveries, and a receiver as their sender sees it."""

import base64
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import msgspec
from litestar import Litestar
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis

from ludo.config import parse_rates
from ludo.mirror.incoming import GameEvent
from ludo.store.inbox import Inbox
from ludo.store.quota import Quota
from ludo.store.rejected import RejectedRing
from ludo.store.scripts import Scripts
from ludo.upstream.keyring import KeyRing, SigningKey
from ludo.upstream.signing import sign
from ludo.upstream.wire import event_body
from proxy.webhooks.config import ReceiverConfig
from proxy.webhooks.direct import Direct
from proxy.webhooks.evidence import Evidence
from proxy.webhooks.intake import Intake
from proxy.webhooks.measures import Measures
from proxy.webhooks.routes import webhook_routes

NOW = 1_800_000_000
SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()
OTHER = "whsec_" + base64.b64encode(b"x" * 32).decode()


def bytes_of(event: GameEvent) -> bytes:
    """The event's body as upstream sends it."""
    return msgspec.json.encode(event_body(event))


def signed(
    body: bytes, *, webhook_id: str = "msg_1", at: int = NOW, secret: str = SECRET
) -> dict[str, str]:
    """The headers of a delivery of this body."""
    return {
        "content-type": "application/json",
        "webhook-id": webhook_id,
        "webhook-timestamp": str(at),
        "webhook-signature": sign(SigningKey.parse(secret), webhook_id, at, body),
    }


class Receiver:
    """The receiver as a sender sees it."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def deliver(
        self,
        body: bytes,
        *,
        webhook_id: str = "msg_1",
        at: int = NOW,
        secret: str = SECRET,
        **headers: str,
    ) -> httpx.Response:
        """The answer to this body, signed; `headers` replace what was signed."""
        sent = signed(body, webhook_id=webhook_id, at=at, secret=secret)
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        return await self._http.post("/webhooks/ludo", content=body, headers=sent)


def an_intake(
    redis: Redis,
    secrets: str = SECRET,
    *,
    backlog: int = 100,
    quota: str = "off",
    scripts: Scripts | None = None,
    now: Callable[[], float] = lambda: float(NOW),
) -> Intake:
    """An intake at `NOW`; its evidence is written by nobody."""
    ring = KeyRing.parse(secrets)
    scripts = scripts or Scripts(redis)
    return Intake(
        ring=lambda: ring,
        inbox=Inbox(scripts, backlog=backlog),
        quota=Quota(scripts, parse_rates(quota), now),
        evidence=Evidence(RejectedRing(redis)),
        measures=Measures(CollectorRegistry()),
        clock=now,
    )


def an_app(intake: Intake, **config: Any) -> Litestar:
    """The receiver alone, direct and routed; its settings by their names."""
    settings = ReceiverConfig(**config)
    routes = webhook_routes(intake, settings)
    app = Litestar(routes, openapi_config=None, logging_config=None)
    app.asgi_handler = Direct(app.asgi_handler, intake, settings)
    return app


@asynccontextmanager
async def a_receiver(intake: Intake, **config: Any) -> AsyncIterator[Receiver]:
    """A sender's view of the receiver with this intake."""
    transport = httpx.ASGITransport(an_app(intake, **config))
    async with httpx.AsyncClient(transport=transport, base_url="http://proxy") as http:
        yield Receiver(http)
