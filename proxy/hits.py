"""Hits written by the connection itself, without a task for each.

What is left of a hit after `fast` is mostly the server's: a task, two awaits, and checking each
header field again. uvicorn's connection asks here before it makes the task, and writes the whole
answer as bytes. Everything else is uvicorn's, and so is everything about connections: keep-alive,
pipelines, timeouts, the end.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle


class Hits(Protocol):
    """Who knows hits: `FastPath`."""

    def whole(self, scope: Any, more: list[tuple[bytes, bytes]]) -> bytes | None:
        """A whole answer of HTTP/1.1 with these fields too; None if the application has to."""


class HitsFirst(HttpToolsProtocol):
    """A connection of uvicorn's that answers hits at once."""

    def __init__(self, hits: Hits, **given: Any) -> None:
        super().__init__(**given)
        self._hits = hits

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        answer = self._answer(cycle)
        if answer is None:
            # A hit before this one, in the same bytes, has armed it; this one may take its time.
            self._unset_keepalive_if_required()
            super()._start_asgi_task(cycle, app)
            return
        self.transport.write(answer)
        cycle.response_started = cycle.response_complete = True
        cycle.on_response()

    def _answer(self, cycle: RequestResponseCycle) -> bytes | None:
        plain = cycle.keep_alive and not cycle.waiting_for_100_continue
        # With others queued behind it this would go on into them, ever deeper.
        if not plain or self.pipeline or self.flow.write_paused or self.transport.is_closing():
            return None
        return self._hits.whole(cycle.scope, self.server_state.default_headers)


def connections(hits: Hits) -> Callable[..., asyncio.Protocol]:
    """What uvicorn makes its connections with."""

    def connection(**given: Any) -> asyncio.Protocol:
        return HitsFirst(hits, **given)

    return connection
