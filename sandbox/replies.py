"""Answers as the framework's responses, and the one place where refusals become them."""

from typing import Any, Final, TypeVar

import structlog
from litestar import MediaType, Request, Response
from litestar.exceptions import HTTPException

from sandbox.answers import Answer, Refusal, done
from sandbox.errors import Refused

Asked = Request[Any, Any, Any]
Reply = Response[bytes]
T = TypeVar("T")
_CODES: Final = {400: "BAD_REQUEST", 404: "NOT_FOUND", 405: "METHOD_NOT_ALLOWED"}
_log = structlog.get_logger(__name__)


def granted(result: T | Refusal) -> T:
    """The result of a request that was done; raises Refused for one that was not."""
    if isinstance(result, Refusal):
        raise Refused(result)
    return result


def reply(data: object, status: int = 200) -> Reply:
    """`{success: true, data}`."""
    return _response(done(data, status))


def _response(answer: Answer) -> Reply:
    return Response(answer.body, status_code=answer.status, media_type=MediaType.JSON)


def on_refused(_: Asked, error: Refused) -> Reply:
    """The answer to a request that a handler refused."""
    return _response(error.refusal.answer())


def on_http_error(_: Asked, error: HTTPException) -> Reply:
    """The answer to a request that found no handler, or that the framework could not read."""
    code = _CODES.get(error.status_code, "ERROR")
    return _response(Refusal(error.status_code, code, error.detail).answer())


def on_failure(request: Asked, error: Exception) -> Reply:
    """The answer to a request that broke the sandbox; its cause is in the log."""
    _log.error("request.broken", path=request.url.path, exc_info=error)
    return _response(Refusal(500, "INTERNAL", "the sandbox failed; its log says why").answer())
