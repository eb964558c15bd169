"""An upstream on a port of its own, for proxies that are processes: slow, dead or well."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn

from tests.waiting import wait_until


@dataclass
class Origin:
    """Answers every room that begins with `R`, after `delay` seconds; counts what arrives."""

    url: str = ""
    delay: float = 0.0
    status: int = 200
    arrived: Counter[str] = field(default_factory=Counter)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one request."""
        self.arrived[scope["path"]] += 1
        await asyncio.sleep(self.delay)
        code = scope["path"].rpartition("/")[2]
        status = self.status if code.startswith("R") or self.status >= 500 else 404
        count = self.arrived[scope["path"]]
        body = b'{"success":true,"data":{"code":"%s","playerCount":%d}}' % (code.encode(), count)
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def an_origin(port: int, **how: Any) -> AsyncIterator[Origin]:
    """A running one."""
    origin = Origin(f"http://127.0.0.1:{port}/v1", **how)
    config = uvicorn.Config(
        origin, port=port, lifespan="off", log_config=None, access_log=False, ws="none"
    )
    server = uvicorn.Server(config)
    task = asyncio.create_task(server._serve(), name="origin")
    try:
        await wait_until(lambda: server.started)
        yield origin
    finally:
        server.should_exit = server.force_exit = True
        await task
