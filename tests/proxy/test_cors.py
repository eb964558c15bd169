"""Which pages may read what: also refusals, and nothing for strangers."""

import pytest

from proxy.cors import Origins
from proxy.problems import Problem

GOOD, BAD = b"https://play.example", b"https://evil.example"


def named(fields: object) -> dict[bytes, bytes]:
    assert isinstance(fields, tuple)
    return dict(fields)


def asked(method: str = "POST", headers: str = "") -> dict[str, object]:
    """A preflight's scope."""
    fields = [(b"access-control-request-method", method.encode())]
    fields += [(b"access-control-request-headers", headers.encode())] if headers else []
    return {"method": "OPTIONS", "headers": fields}


def test_a_listed_origin_is_named() -> None:
    """Itself, not everybody."""
    assert named(Origins([GOOD.decode()]).fields(GOOD))[b"access-control-allow-origin"] == GOOD


@pytest.mark.parametrize("origin", [BAD, b"", b"null", GOOD + b".evil.example"])
def test_others_are_told_that_it_varies(origin: bytes) -> None:
    """Or a cache could give one origin's answer to another."""
    assert named(Origins([GOOD.decode()]).fields(origin)) == {b"vary": b"Origin"}


def test_any_origin_is_anybody() -> None:
    """Then nothing varies."""
    told = named(Origins(["*"]).fields(BAD))
    assert told[b"access-control-allow-origin"] == b"*"
    assert b"vary" not in told


def test_without_a_list_nothing_is_said() -> None:
    """Nor is anything a preflight."""
    origins = Origins([])
    assert origins.fields(GOOD) == ()
    assert not origins.is_preflight(asked(), GOOD)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("origin", "method", "headers", "passes"),
    [
        (GOOD, "POST", "idempotency-key, Authorization", True),
        (GOOD, "GET", "", True),
        (GOOD, "DELETE", "", False),
        (GOOD, "POST", "x-secret", False),
        (BAD, "POST", "", False),
    ],
)
def test_a_preflight_says_what_may_be_asked(
    origin: bytes, method: str, headers: str, passes: bool
) -> None:
    """A refusal is a problem that says what was expected."""
    answer = Origins([GOOD.decode()]).preflight(asked(method, headers), origin)  # type: ignore[arg-type]
    assert isinstance(answer, Problem) is not passes
