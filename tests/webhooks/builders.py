"""Signed deliveries, and a receiver as their sender sees it."""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import msgspec
from litestar import Litestar
from litestar.di import Provide
from redis.asyncio import Redis

from ludo.mirror.incoming import GameEvent
from ludo.store.inbox import Inbox
from ludo.store.rejected import RejectedRing
from ludo.store.scripts import Scripts
from ludo.upstream.keyring import KeyRing, SigningKey
from ludo.upstream.signing import sign
from ludo.upstream.wire import event_body
from proxy.webhooks.evidence import Evidence
from proxy.webhooks.intake import Intake
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


def an_intake(redis: Redis, secrets: str = SECRET, backlog: int = 100) -> Intake:
    """An intake at `NOW`."""
    ring = KeyRing.parse(secrets)
    inbox = Inbox(Scripts(redis), backlog=backlog)
    return Intake(lambda: ring, inbox, Evidence(RejectedRing(redis)), lambda: float(NOW))


def an_app(intake: Intake) -> Litestar:
    """The receiver alone."""
    provided = {"intake": Provide(lambda: intake, sync_to_thread=False)}
    return Litestar(webhook_routes(), dependencies=provided, openapi_config=None)


@asynccontextmanager
async def a_receiver(intake: Intake) -> AsyncIterator[Receiver]:
    """A sender's view of the receiver with this intake."""
    transport = httpx.ASGITransport(an_app(intake))
    async with httpx.AsyncClient(transport=transport, base_url="http://proxy") as http:
        yield Receiver(http)
