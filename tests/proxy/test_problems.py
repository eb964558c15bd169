"""Every error becomes one kind of body, whatever raised it."""

import inspect
from typing import Any

import httpx
import pytest
from litestar import Litestar, get
from litestar.exceptions import HTTPException
from redis.exceptions import ConnectionError as RedisConnectionError

from ludo.config import Rate
from ludo.store.errors import StoreUnavailable
from ludo.upstream import errors as upstream
from proxy import errors, problems
from proxy.problems import problem_of

RAISED = {
    errors.NotAuthenticated: (errors.NotAuthenticated("who?"), 401),
    errors.NotAllowed: (errors.NotAllowed("not you"), 403),
    errors.KeysUnavailable: (errors.KeysUnavailable("later"), 503),
    errors.TooManyConnections: (errors.TooManyConnections("eleven"), 429),
    errors.NotNow: (errors.NotNow("full", 2.0), 503),
    errors.QuotaExceeded: (errors.QuotaExceeded(Rate(5, 60), 7, {}, policy="5in60s"), 429),
    errors.BadRequest: (errors.BadRequest("what?"), 400),
    errors.UnknownPath: (errors.UnknownPath("where?"), 404),
    errors.NotReached: (errors.NotReached(7, 9), 404),
    errors.ReplayGap: (errors.ReplayGap(3, 5), 409),
    errors.IllegalMove: (errors.IllegalMove("R7", "R7: too far"), 409),
    errors.KeyReused: (errors.KeyReused("again?"), 422),
    errors.KeyBusy: (errors.KeyBusy("wait"), 409),
    errors.NothingCached: (errors.NothingCached(1.0), 503),
    upstream.UpstreamTimedOut: (upstream.UpstreamTimedOut("slow"), 503),
    upstream.UpstreamUnavailable: (upstream.UpstreamUnavailable("gone", sent=False), 503),
    upstream.UpstreamFailed: (upstream.UpstreamFailed(500), 503),
    upstream.UpstreamThrottled: (upstream.UpstreamThrottled(3.0), 503),
    upstream.UpstreamRefused: (upstream.UpstreamRefused(418, None, "no", b""), 418),
    upstream.UpstreamMalformed: (upstream.UpstreamMalformed("JSON", "HTML"), 502),
    upstream.MalformedEvent: (upstream.MalformedEvent("an event", "none"), 502),
    upstream.MalformedState: (upstream.MalformedState("a state", "none"), 502),
    upstream.BudgetSpent: (upstream.BudgetSpent(9.5), 503),
    upstream.CircuitOpen: (upstream.CircuitOpen("/rooms", 0.3), 503),
    upstream.DeadlinePassed: (upstream.DeadlinePassed("late"), 503),
    StoreUnavailable: (StoreUnavailable("away"), 503),
    RedisConnectionError: (RedisConnectionError("away"), 503),
    ValueError: (ValueError("a secret"), 500),
    RecursionError: (RecursionError(), 400),
}


def concrete(module: Any, base: type[Exception]) -> set[type[Exception]]:
    """Every error that a module defines below its base."""
    classes = (each for _, each in inspect.getmembers(module, inspect.isclass))
    return {each for each in classes if issubclass(each, base) and each is not base}


def test_every_error_has_its_row() -> None:
    """A new error without a status is found here."""
    known = concrete(errors, errors.ProxyError) | concrete(upstream, upstream.UpstreamError)
    assert known <= set(RAISED)


@pytest.mark.parametrize("kind", RAISED, ids=lambda kind: kind.__name__)
def test_error_becomes_a_problem(kind: type[Exception]) -> None:
    """With RFC 9457's members and upstream's, and Retry-After wherever it can help."""
    error, status = RAISED[kind]
    problem = problem_of(error)
    body = problem.body
    assert body["status"] == problem.status == status
    assert body["success"] is False
    assert body["detail"] == body["error"] != ""
    assert "/" not in body["type"] == body["type"].lower()
    assert (problem.retry_after is not None) == (status in (429, 503) or kind is errors.KeyBusy)


def test_no_secret_is_told() -> None:
    """What crashed says nothing of itself to callers."""
    assert "secret" not in str(problem_of(ValueError("a secret")).body)


def test_our_key_s_refusal_is_not_the_caller_s() -> None:
    """A 401 would make him throw his own token away."""
    error = upstream.UpstreamRefused(401, "BAD_KEY", "bad key", b"")
    assert problem_of(error).status == 502


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("NOT_YOUR_TURN", "not-your-turn"),
        ("room full", "room-full"),
        (None, "conflict"),
        ("<b>", "conflict"),
        ("ß", "conflict"),
    ],
)
def test_upstream_s_code_becomes_a_bare_token(code: str | None, kind: str) -> None:
    """Whatever it is, `type` is a token."""
    assert problem_of(upstream.UpstreamRefused(409, code, "no", b"")).type == kind


async def test_http_errors_of_the_framework_are_problems_too(proxy: httpx.AsyncClient) -> None:
    """Unknown paths and methods, also outside of the API."""
    nothing = await proxy.get("/nothing/here")
    assert (nothing.status_code, nothing.json()["type"]) == (404, "not-found")
    wrong = await proxy.delete("/v1/rooms")
    assert (wrong.status_code, wrong.json()["type"]) == (405, "method-not-allowed")
    for answer in (nothing, wrong):
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["cache-control"] == "no-store"


async def test_a_crash_is_a_problem_without_its_reason() -> None:
    """500, and the log has the rest."""

    @get("/crash")
    async def crash() -> None:
        raise ValueError("a secret")

    @get("/gateway")
    async def gateway() -> None:
        raise HTTPException("a secret", status_code=502)

    app = Litestar([crash, gateway], exception_handlers={Exception: problems.answer})
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://proxy") as http:
        answers = [await http.get(path) for path in ("/crash", "/gateway")]
    assert [answer.status_code for answer in answers] == [500, 502]
    assert all("secret" not in answer.text for answer in answers)
