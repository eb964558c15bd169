"""Deliveries taken in before anything is routed.

Much of what a delivery costs would be routing, injection and the making of a response, none of
which it needs. A POST to exactly this path is received here, by the same steps as in `routes.py`,
which stays for the description and for other spellings of the path.
"""

from typing import Final

import msgspec
from litestar.enums import HttpMethod, ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from ludo.store.inbox import Verdict
from proxy.cors import Fields
from proxy.problems import MEDIA_TYPE, Problem, recorded
from proxy.webhooks.config import ReceiverConfig
from proxy.webhooks.intake import Accepted, Intake
from proxy.webhooks.routes import PATH, answer_to, body_of

_RAW_PATH: Final = PATH.encode()
_JSON: Final = ((b"content-type", b"application/json"),)
_TAKEN: Final[dict[Verdict, tuple[bytes, Fields]]] = {
    verdict: (msgspec.json.encode(body_of(Accepted(verdict))), _JSON) for verdict in Verdict
}


class Direct:
    """Wraps the application; whatever is not plainly a delivery goes on to it."""

    def __init__(self, app: ASGIApp, intake: Intake, config: ReceiverConfig) -> None:
        self._app = app
        self._intake = intake
        self._config = config

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if (
            scope["type"] != ScopeType.HTTP
            or scope["method"] != HttpMethod.POST
            or scope.get("raw_path") != _RAW_PATH
        ):
            await self._app(scope, receive, send)
            return
        scope["path_template"] = PATH
        found: Accepted | Problem
        try:
            found = await answer_to(scope, receive, self._intake, self._config)
        except Exception as error:  # as Litestar would answer it
            found = recorded(error)
        if isinstance(found, Accepted):
            body, fields = _TAKEN[found.verdict]
        else:
            body = msgspec.json.encode(found.body)
            typed = (b"content-type", MEDIA_TYPE.encode())
            fields = (typed, *((k.lower().encode(), v.encode()) for k, v in found.fields.items()))
        headers = [*fields, (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": found.status, "headers": headers})
        await send({"type": "http.response.body", "body": body, "more_body": False})
