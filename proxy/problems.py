"""Turns an error into an answer: the only place that knows statuses (RFC 9457).

Every error body is `application/problem+json` with a bare token as `type`, and also carries
upstream's own `success: false` and `error`; `detail` and `error` are the same sentence.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any, Final

import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.types import Method
from redis.exceptions import RedisError

from ludo.store.errors import StoreError
from ludo.upstream import errors as upstream
from proxy import errors

MEDIA_TYPE: Final = "application/problem+json"
STORE_RETRY_S: Final = 1
UPSTREAM_RETRY_S: Final = 2
STREAM_RETRY_S: Final = 5

_METHODS: Final[tuple[Method, ...]] = ("GET", "POST", "OPTIONS")

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Problem:
    """One error as a caller sees it; `members` are further members of the body."""

    status: int
    type: str
    detail: str
    retry_after: float | None = None
    members: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def body(self) -> dict[str, Any]:
        """The members of RFC 9457 §3 and of upstream's envelope."""
        return {
            "type": self.type,
            "title": _phrase(self.status),
            "status": self.status,
            "detail": self.detail,
            "success": False,
            "error": self.detail,
            **self.members,
        }

    @property
    def fields(self) -> dict[str, str]:
        """The answer's own headers; it is never stored by anybody."""
        headers = {"Cache-Control": "no-store", **self.headers}
        if self.retry_after is not None:
            headers["Retry-After"] = str(max(1, math.ceil(self.retry_after)))
        return headers

    def response(self) -> Response[dict[str, Any]]:
        """The answer as Litestar sends it."""
        return Response(
            self.body, status_code=self.status, media_type=MEDIA_TYPE, headers=self.fields
        )


def problem_of(error: Exception) -> Problem:
    """What a caller is told about any error."""
    match error:
        case errors.ProxyError():
            return _of_ours(error)
        case upstream.UpstreamError():
            return _of_upstream(error)
        case StoreError() | RedisError():
            return Problem(
                503, "store-unavailable", "the store does not answer; ask again", STORE_RETRY_S
            )
        case HTTPException():
            return _of_framework(error)
        case UnicodeDecodeError():
            return Problem(400, "bad-request", "expected UTF-8 text")
        case RecursionError():
            # Nothing here recurses but the reading of what a caller nested.
            return Problem(400, "bad-request", "expected a body that is not nested so deeply")
        case _:
            return Problem(500, "internal", "something went wrong here; it has been recorded")


def _of_ours(error: errors.ProxyError) -> Problem:
    sentence = str(error)
    match error:
        case errors.NotAuthenticated():
            return Problem(
                401, "unauthorized", sentence, headers={"WWW-Authenticate": 'Bearer realm="ludo"'}
            )
        case errors.NotAllowed():
            return Problem(403, "forbidden", sentence)
        case errors.KeysUnavailable():
            return Problem(503, "keys-unavailable", sentence, UPSTREAM_RETRY_S)
        case errors.QuotaExceeded(retry_after=retry_after, headers=headers):
            members = {"violated-policies": [error.policy]}
            return Problem(429, "quota-exceeded", sentence, retry_after, members, headers)
        case errors.TooManyConnections():
            return Problem(429, "too-many-connections", sentence, STREAM_RETRY_S)
        case errors.NotNow(retry_after=retry_after):
            return Problem(503, "not-now", sentence, retry_after)
        case errors.BadRequest():
            return Problem(400, "bad-request", sentence)
        case errors.UnknownPath():
            return Problem(404, "not-found", sentence)
        case errors.NotReached(last=last):
            return Problem(404, "not-reached", sentence, members={"last": last})
        case errors.ReplayGap(next=following):
            return Problem(409, "replay-gap", sentence, members={"next": following})
        case errors.IllegalMove(clause=clause):
            return Problem(409, "illegal-move", sentence, members={"clause": clause})
        case errors.KeyReused():
            return Problem(422, "idempotency-key-reused", sentence)
        case errors.KeyBusy():
            return Problem(409, "idempotency-key-busy", sentence, 1)
        case errors.NothingCached(retry_after=retry_after):
            return Problem(503, "upstream-unavailable", sentence, retry_after)
        case _:
            raise AssertionError(f"no status is given to {type(error).__name__}")


def _of_upstream(error: upstream.UpstreamError) -> Problem:
    sentence = str(error)
    match error:
        case upstream.UpstreamRefused(status=401):
            # It is our key that upstream refuses; a 401 would make callers drop their own token.
            return Problem(502, "upstream-refused-our-key", "upstream refuses this proxy's key")
        case upstream.UpstreamRefused():
            return _of_refusal(error)
        case upstream.BudgetSpent(retry_after=retry_after):
            return Problem(503, "budget-spent", sentence, retry_after)
        case upstream.CircuitOpen(retry_after=retry_after):
            return Problem(503, "circuit-open", sentence, retry_after)
        case upstream.UpstreamThrottled(retry_after=retry_after):
            return Problem(503, "upstream-throttled", sentence, retry_after)
        case upstream.UpstreamFailed(retry_after=retry_after):
            return Problem(503, "upstream-unavailable", sentence, retry_after or UPSTREAM_RETRY_S)
        case upstream.UpstreamMalformed():
            return Problem(502, "upstream-malformed", "upstream's answer could not be read")
        case _:
            return Problem(503, "upstream-unavailable", sentence, UPSTREAM_RETRY_S)


def _of_refusal(error: upstream.UpstreamRefused) -> Problem:
    members = {} if error.clause is None else {"clause": error.clause}
    kind = _token(error.code) or _token_of(error.status)
    return Problem(error.status, kind, error.message, members=members)


def _of_framework(error: HTTPException) -> Problem:
    status = error.status_code
    if status >= 500:
        return Problem(status, _token_of(status), "something went wrong here; it has been recorded")
    members = {"errors": error.extra} if error.extra else {}
    headers = {name: value for name, value in (error.headers or {}).items() if name == "Allow"}
    return Problem(status, _token_of(status), _sentence(error), members=members, headers=headers)


def _sentence(error: HTTPException) -> str:
    match error.status_code:
        case 404:
            return "there is nothing at this path"
        case 405:
            return "this path does not take this method"
        case 413:
            return "the body is larger than this path takes"
        case 400 if isinstance(error.extra, list) and error.extra:
            return _mistake(error.extra[0])
        case _:
            return error.detail or _phrase(error.status_code)


def _mistake(found: Any) -> str:
    """The first thing that is wrong with a body or a parameter, as Litestar tells it."""
    if not isinstance(found, dict):
        return "the request cannot be read"
    return f"{found.get('key') or 'request'}: {found.get('message', 'cannot be read')}"


def _token(code: str | None) -> str | None:
    if not code:
        return None
    text = code.strip().lower().replace("_", "-").replace(" ", "-")
    return text if text.replace("-", "").isalnum() and text.isascii() else None


def _token_of(status: int) -> str:
    return "-".join(_phrase(status).lower().replace("'", "").split())


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:  # upstream may answer with a status that nobody registered
        return "Error"


def _allowed(request: Request[Any, Any, Any]) -> str:
    """The methods of a path (RFC 9110 §15.5.6: a 405 names them)."""

    def takes(method: Method) -> bool:
        try:
            request.app.asgi_router.handle_routing(path=request.scope["path"], method=method)
        except HTTPException:
            return False
        return True

    return ", ".join(method for method in _METHODS if takes(method))


def answer(request: Request[Any, Any, Any], error: Exception) -> Response[dict[str, Any]]:
    """Litestar's exception handler for every exception there is."""
    problem = recorded(error)
    if problem.status == 405:
        problem = replace(problem, headers={**problem.headers, "Allow": _allowed(request)})
    return problem.response()


def recorded(error: Exception) -> Problem:
    """What a caller is told about any error; one that is our own fault is logged."""
    problem = problem_of(error)
    if problem.status == 500:
        log.error("request.crashed", exc_info=error)
    return problem
