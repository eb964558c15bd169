"""A recording forward proxy before the receiver: every 2xx is noted outside of what is killed."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from aiohttp import ClientError, ClientSession, ClientTimeout, web

from ludo.upstream.signing import ID_HEADER

HOST: Final = "127.0.0.1"
PATIENCE_S: Final = 5.0
_PASSED_ON: Final = ("content-type", "user-agent")


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A delivery that the sender was told to forget: its id, its body, and when that was."""

    webhook_id: str
    body: bytes
    at: float
    """Seconds since 1970."""


@dataclass(slots=True)
class Ledger:
    """What was acknowledged, by webhook id, and how often anything was sent.

    Deliveries pass unchanged, the answers' status too, so to the sender it is the receiver. No
    Retry-After goes back: an impatient sender loads more, and makes rounds short.
    """

    target: str
    acknowledged: dict[str, Acknowledged] = field(default_factory=dict)
    sent: int = 0

    def note(self, webhook_id: str, body: bytes, status: int) -> None:
        """Take down an answer; the first 2xx of an id is the one that counts."""
        if 200 <= status < 300:
            entry = Acknowledged(webhook_id, body, time.time())
            self.acknowledged.setdefault(webhook_id, entry)

    def forget(self) -> None:
        """Begin a new page."""
        self.acknowledged.clear()
        self.sent = 0


@asynccontextmanager
async def recording(ledger: Ledger, port: int) -> AsyncIterator[str]:
    """The ledger at work on that port; yields the address that a sender is to be given."""
    timeout = ClientTimeout(total=PATIENCE_S)
    async with ClientSession(timeout=timeout, trust_env=False) as session:

        async def passed_on(request: web.Request) -> web.Response:
            body = await request.read()
            status = await _forwarded(session, ledger.target, request, body)
            ledger.sent += 1
            ledger.note(request.headers.get(ID_HEADER, ""), body, status)
            return web.Response(status=status)

        app = web.Application()
        app.router.add_post("/webhooks/ludo", passed_on)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        try:
            await web.TCPSite(runner, HOST, port).start()
            yield f"http://{HOST}:{port}/webhooks/ludo"
        finally:
            await runner.cleanup()


async def _forwarded(session: ClientSession, target: str, request: web.Request, body: bytes) -> int:
    """The receiver's status; 502 if it gave no whole answer."""
    headers = {
        name: value
        for name, value in request.headers.items()
        if name.lower().startswith("webhook-") or name.lower() in _PASSED_ON
    }
    try:
        async with session.post(target, data=body, headers=headers) as answer:
            await answer.read()
            return answer.status
    except (ClientError, OSError, TimeoutError):
        return 502
