"""What the HTTP libraries raise, as errors of this room: the one place where that happens.

httpx-aiohttp calls every lost connection a ConnectTimeout, so what aiohttp itself raised decides
where it is known.
"""

from typing import Final

import aiohttp
import httpx

from ludo.upstream.errors import (
    DeadlinePassed,
    UpstreamError,
    UpstreamMalformed,
    UpstreamTimedOut,
    UpstreamUnavailable,
)

LIBRARY_ERRORS: Final = (
    httpx.HTTPError,
    httpx.InvalidURL,
    httpx.StreamError,
    httpx.CookieConflict,
    aiohttp.ClientError,
    OSError,
)
"""All that a request can raise; TimeoutError, an OSError, is asyncio's own."""


def translated(error: Exception) -> UpstreamError:
    """The error of this room that stands for a library's."""
    cause = error.__cause__
    return _from_aiohttp(cause if isinstance(cause, aiohttp.ClientError) else error)


def _from_aiohttp(error: Exception) -> UpstreamError:
    match error:
        case (
            aiohttp.ClientConnectorError()
            | aiohttp.ConnectionTimeoutError()
            | aiohttp.ServerFingerprintMismatch()
            | aiohttp.InvalidURL()
        ):
            return _not_reached(error)
        case aiohttp.ServerTimeoutError():
            return _too_slow(error)
        case aiohttp.ClientConnectionError() | aiohttp.ClientPayloadError():
            return _hung_up(error)
        case aiohttp.ClientError():
            return _unreadable(error)
        case _:
            return _from_httpx(error)


def _from_httpx(error: Exception) -> UpstreamError:
    match error:
        case httpx.PoolTimeout():
            return DeadlinePassed("no connection became free in time")
        case httpx.ConnectTimeout() | httpx.ConnectError() | httpx.ProxyError():
            return _not_reached(error)
        case httpx.UnsupportedProtocol() | httpx.InvalidURL():
            return _not_reached(error)
        case httpx.TimeoutException() | TimeoutError():
            return _too_slow(error)
        # A connection that upstream closed while it was idle ends as a RemoteProtocolError.
        case httpx.NetworkError() | httpx.RemoteProtocolError() | OSError():
            return _hung_up(error)
        case _:
            return _unreadable(error)


def _not_reached(error: Exception) -> UpstreamError:
    return UpstreamUnavailable(f"upstream could not be reached ({_named(error)})", sent=False)


def _hung_up(error: Exception) -> UpstreamError:
    return UpstreamUnavailable(f"the connection to upstream broke ({_named(error)})", sent=True)


def _too_slow(error: Exception) -> UpstreamError:
    return UpstreamTimedOut(f"upstream did not answer in time ({_named(error)})")


def _unreadable(error: Exception) -> UpstreamError:
    return UpstreamMalformed("an HTTP answer", _named(error))


def _named(error: Exception) -> str:
    """The kind of error only: its text may hold addresses with credentials."""
    return type(error).__name__
