"""A whole proxy on a real server, and a reader of server-sent events."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from litestar import Litestar

from proxy.app import create_app
from proxy.config import Role
from proxy.relay.config import RelayConfig
from tests.proxy.builders import settings
from tests.proxy.upstream import Upstream
from tests.relay.conftest import listening, served

Frame = dict[str, Any]


@asynccontextmanager
async def a_relay_proxy(
    redis_url: str, relay: RelayConfig | None = None, *, role: Role = Role.ALL, **options: Any
) -> AsyncIterator[tuple[httpx.AsyncClient, Litestar]]:
    """A proxy with everything in it, and a client of it."""
    app = create_app(
        settings(redis_url, relay=relay or RelayConfig(), **options),
        redis_url=redis_url,
        role=role,
        transport=Upstream(),
    )
    listener = listening()
    async with served(app, listener):
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        async with httpx.AsyncClient(base_url=address, timeout=10, trust_env=False) as http:
            yield http, app


@dataclass
class Event:
    """One event of a stream; `frame` is its data."""

    id: str | None = None
    retry: int | None = None
    frame: Frame = field(default_factory=dict)


@dataclass
class Stream:
    """An open stream."""

    answer: httpx.Response
    comments: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._events = self._read()

    def __aiter__(self) -> AsyncIterator[Event]:
        """Its events; a second loop goes on where the first one stopped."""
        return self._events

    async def _read(self) -> AsyncIterator[Event]:
        event = Event()
        async for line in self.answer.aiter_lines():
            name, _, value = line.partition(": ")
            match name:
                case "" if line:
                    self.comments.append(value)
                case "id":
                    event.id = value
                case "retry":
                    event.retry = int(value)
                case "data":
                    event.frame = json.loads(value)
                case _:
                    if event.frame or event.retry is not None:
                        yield event
                    event = Event()


@asynccontextmanager
async def streaming(
    http: httpx.AsyncClient, game: str = "g1", last: str | None = None, **options: Any
) -> AsyncIterator[Stream]:
    """A stream of one game."""
    headers = {**options.pop("headers", {}), **({"Last-Event-ID": last} if last else {})}
    path = f"/v1/games/{game}/events"
    async with http.stream("GET", path, headers=headers, **options) as answer:
        yield Stream(answer)
