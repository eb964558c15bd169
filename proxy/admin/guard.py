"""Who may see `/admin`: whoever shows its token, and nobody else."""

import hmac
from collections.abc import Callable
from hashlib import sha256
from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from proxy.auth import bearer
from proxy.errors import NotAuthenticated

_Connection = ASGIConnection[Any, Any, Any, Any]


def only_with(token: str) -> Callable[[_Connection, BaseRouteHandler], None]:
    """A guard that lets a request pass with `Authorization: Bearer <token>` only.

    It raises NotAuthenticated. Digests are compared, in constant time, so that neither the
    content nor the length of the token can be found out by trying.
    """
    expected = _digest(token)

    def guard(connection: _Connection, _handler: BaseRouteHandler) -> None:
        shown = bearer(connection.headers.getall("authorization", []))
        if shown is None or not hmac.compare_digest(_digest(shown), expected):
            raise NotAuthenticated("expected the token of LUDO_ADMIN_TOKEN as bearer")

    return guard


def _digest(token: str) -> bytes:
    return sha256(token.encode()).digest()
