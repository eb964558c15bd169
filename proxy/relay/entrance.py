"""Where sockets come in: before anything is routed.

A socket stays for hours, and with it every frame of the call that serves it; so it is served from
as near to the server as can be.
"""

import re
from collections.abc import Awaitable
from typing import Final

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from proxy.relay.relay import Relay

_PATH: Final = re.compile(r"/ws(?:/(games|game)/([^/]{1,128}))?/?")


class Entrance:
    """Wraps the application; whatever is no socket of the relay goes on to it.

    `/ws` is for any game, `/ws/games/{gameId}` for one, `/ws/game/{roomCode}` for a room's.
    """

    def __init__(self, app: ASGIApp, relay: Relay) -> None:
        self._app = app
        self._relay = relay

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Serve one connection; no coroutine of its own, which every socket would have to keep."""
        path = _PATH.fullmatch(scope["path"]) if scope["type"] == ScopeType.WEBSOCKET else None
        if path is None:
            return self._app(scope, receive, send)
        named = {"games": "game", "game": "room"}.get(path[1])
        own = {named: path[2]} if named else {}
        return self._relay.serve(scope, receive, send, **own)
