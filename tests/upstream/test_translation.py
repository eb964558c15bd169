"""No error of a library gets past this room."""

import inspect
import ssl

import aiohttp
import httpx
import pytest
from aiohttp.client_reqrep import ConnectionKey

from ludo.upstream.errors import (
    DeadlinePassed,
    UpstreamError,
    UpstreamMalformed,
    UpstreamTimedOut,
    UpstreamUnavailable,
)
from ludo.upstream.translation import LIBRARY_ERRORS, translated

KEY = ConnectionKey("host", 1, False, True, None, None, None, None)
HTTPX = [
    each
    for each in vars(httpx).values()
    if inspect.isclass(each) and issubclass(each, Exception) and not issubclass(each, Warning)
]
NOT_REACHED = {
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.InvalidURL,
}
TOO_SLOW = {httpx.TimeoutException, httpx.ReadTimeout, httpx.WriteTimeout}
HUNG_UP = {
    httpx.NetworkError,
    httpx.ReadError,
    httpx.WriteError,
    httpx.CloseError,
    httpx.RemoteProtocolError,
}


def made(kind: type[Exception]) -> Exception:
    """An instance of any of the libraries' errors."""
    error = kind.__new__(kind)
    error.args = ("http://me:hunter2@host/",)
    return error


def expected(kind: type[Exception]) -> tuple[type[UpstreamError], bool | None]:
    """What an httpx error stands for, and whether upstream may have seen the call."""
    if kind in NOT_REACHED:
        return UpstreamUnavailable, False
    if kind in HUNG_UP:
        return UpstreamUnavailable, True
    if kind in TOO_SLOW:
        return UpstreamTimedOut, None
    return (DeadlinePassed if kind is httpx.PoolTimeout else UpstreamMalformed), None


@pytest.mark.parametrize("kind", HTTPX, ids=lambda kind: kind.__name__)
def test_every_httpx_error_has_its_translation(kind: type[Exception]) -> None:
    """Each is caught, and becomes the error that tells what happened."""
    assert issubclass(kind, LIBRARY_ERRORS)
    error = translated(made(kind))
    assert (type(error), getattr(error, "sent", None)) == expected(kind)


@pytest.mark.parametrize(
    ("cause", "kind", "sent"),
    [
        (aiohttp.ClientConnectorError(KEY, OSError(111, "refused")), UpstreamUnavailable, False),
        (aiohttp.ClientConnectorDNSError(KEY, OSError(1, "dns")), UpstreamUnavailable, False),
        (
            aiohttp.ClientConnectorCertificateError(KEY, ssl.CertificateError("no")),
            UpstreamUnavailable,
            False,
        ),
        (aiohttp.ConnectionTimeoutError("slow"), UpstreamUnavailable, False),
        (aiohttp.SocketTimeoutError("slow"), UpstreamTimedOut, None),
        (aiohttp.ServerDisconnectedError(), UpstreamUnavailable, True),
        (aiohttp.ClientOSError(104, "reset"), UpstreamUnavailable, True),
        (aiohttp.ClientConnectionResetError(), UpstreamUnavailable, True),
        (aiohttp.ClientPayloadError("cut"), UpstreamUnavailable, True),
        (made(aiohttp.ClientResponseError), UpstreamMalformed, None),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_what_aiohttp_raised_decides(
    cause: Exception, kind: type[UpstreamError], sent: bool | None
) -> None:
    """httpx-aiohttp calls all of them a connect timeout, or lets them through as they are."""
    wrapped = httpx.ConnectTimeout("mapped")
    wrapped.__cause__ = cause
    for error in (translated(wrapped), translated(cause)):
        assert (type(error), getattr(error, "sent", None)) == (kind, sent)


@pytest.mark.parametrize(
    ("error", "kind"),
    [(TimeoutError(), UpstreamTimedOut), (ConnectionResetError(), UpstreamUnavailable)],
)
def test_errors_of_the_system_are_translated(error: Exception, kind: type[UpstreamError]) -> None:
    """What slips through both libraries is caught as well."""
    assert isinstance(error, LIBRARY_ERRORS)
    assert type(translated(error)) is kind


@pytest.mark.parametrize("kind", HTTPX, ids=lambda kind: kind.__name__)
def test_no_message_repeats_the_librarys(kind: type[Exception]) -> None:
    """Their texts can hold addresses with credentials."""
    assert "hunter2" not in str(translated(made(kind)))
