"""What upstream says about keeping an answer, and what holds where it is silent."""

from dataclasses import replace

import pytest

from ludo.store.cache import Lifetimes
from ludo.upstream.call import Call
from proxy.facade.freshness import CONFIRM_S, Fields, Told, conditions, judged, refreshed
from proxy.facade.policy import REFUSED, Plan, Scope

POLICY = Lifetimes(soft=2, hard=60)
PLAN = Plan(Call("GET", "/rooms"), ("rooms",), POLICY)
NOW = 1_800_000_000.0
DATE = ("date", "Fri, 15 Jan 2027 08:00:00 GMT")
LATER = ("expires", "Fri, 15 Jan 2027 08:00:30 GMT")


def kept(status: int, *headers: tuple[str, str], plan: Plan = PLAN) -> Lifetimes | None:
    return judged(plan, Told(status, headers, NOW)).lifetimes


def cc(text: str) -> tuple[str, str]:
    return ("cache-control", text)


@pytest.mark.parametrize(
    ("status", "headers", "lifetimes"),
    [
        (200, (), POLICY),
        (404, (), REFUSED),
        (403, (), REFUSED),
        (200, (cc("no-store"),), None),
        (200, (cc("Private"),), None),
        (200, (("vary", "*"),), None),
        (200, (("vary", "Accept, *"),), None),
        (200, (("vary", ""), ("vary", "*")), None),
        (206, (cc("max-age=10"),), None),
        (599, (cc("max-age=10, must-understand"),), None),
        (200, (cc("no-cache"),), Lifetimes(0, 0, 0)),
        (200, (cc("max-age=10"),), Lifetimes(10, 10)),
        (200, (cc('max-age="10"'),), Lifetimes(10, 10)),
        (200, (cc("max-age=10"), ("age", "4")), Lifetimes(6, 6)),
        (200, (cc("max-age=10"), ("age", "40")), Lifetimes(0, 0)),
        (200, (cc("max-age=10"), ("age", "4, 0")), Lifetimes(0, 0, 0)),
        (200, (cc("max-age=10"), ("age", "0"), ("age", "0")), Lifetimes(0, 0, 0)),
        (200, (cc("max-age=10"), ("age", "-4")), Lifetimes(0, 0, 0)),
        (200, (cc("s-maxage=5, max-age=10"),), Lifetimes(5, 5, 0)),
        (200, (cc("max-age=10, must-revalidate"),), Lifetimes(10, 10, 0)),
        (200, (cc("max-age=10, proxy-revalidate"),), Lifetimes(10, 10, 0)),
        (200, (cc("must-revalidate"),), Lifetimes(2, 2, 0)),
        (200, (cc("max-age=10, stale-while-revalidate=20"),), Lifetimes(10, 30)),
        (200, (cc("max-age=10, stale-if-error=5"),), Lifetimes(10, 10, 5)),
        (200, (cc("max-age=ten"),), POLICY),
        (200, (cc(",,public"),), POLICY),
        (200, (DATE, LATER), Lifetimes(30, 30)),
        (200, (DATE, ("expires", "0")), Lifetimes(0, 0)),
        (200, (DATE, LATER, cc("max-age=5")), Lifetimes(5, 5)),
        (200, (cc("no-store"), ("cdn-cache-control", "max-age=7")), Lifetimes(7, 7)),
        (200, (cc("max-age=7"), ("cdn-cache-control", "no-store")), None),
    ],
)
def test_lifetimes(status: int, headers: Fields, lifetimes: Lifetimes | None) -> None:
    """RFC 9111 where upstream speaks, our table where it does not."""
    assert kept(status, *headers) == lifetimes


def test_a_lifetime_is_never_endless() -> None:
    """A number that is too great is a great one."""
    found = kept(200, cc(f"max-age={10**30}"))
    assert found is not None
    assert found.hard >= 2**31 - 1


def test_an_old_date_makes_an_answer_old() -> None:
    """However it says nothing of its Age: 20 seconds on the way are 20 seconds less."""
    verdict = judged(PLAN, Told(200, (DATE, cc("max-age=30")), NOW + 20))
    assert (verdict.age, verdict.lifetimes) == (20, Lifetimes(10, 10))


def test_time_under_way_counts_as_age() -> None:
    """What another cache said of its Age was said before the answer came here."""
    verdict = judged(PLAN, Told(200, (("age", "5"),), NOW, took=3))
    assert verdict.age == 8


@pytest.mark.parametrize(
    ("directive", "shared"),
    [
        ("max-age=60", False),
        ("max-age=60, public", True),
        ("max-age=60, must-revalidate", True),
        ("s-maxage=60", True),
        ("private, max-age=60", False),
    ],
)
def test_an_authorised_caller_s_answer_is_shared_only_if_upstream_says_so(
    directive: str, shared: bool
) -> None:
    """RFC 9111 §3.5, for a route whose answers depend on who asks."""
    plan = replace(PLAN, scope=Scope.CALLER, fields={"authorization": "Bearer ann"})
    assert (kept(200, cc(directive), plan=plan) is not None) is shared


@pytest.mark.parametrize("name", ["set-cookie", "set-cookie2"])
def test_a_cookie_is_never_kept(name: str) -> None:
    """Whatever upstream says of the answer that it came with."""
    headers = (cc("public, max-age=60"), (name, "session=ann"), ("x-of-upstream", "1"))
    verdict = judged(PLAN, Told(200, headers, NOW))
    assert verdict.lifetimes == Lifetimes(60, 60)
    assert dict(verdict.headers) == {"cache-control": "public, max-age=60", "x-of-upstream": "1"}


def test_fields_that_upstream_keeps_to_one_reader_are_not_kept() -> None:
    """`private="…"` and `no-cache="…"` name fields (RFC 9111 §5.2.2.4, §5.2.2.7)."""
    headers = (cc('max-age=60, private="x-balance"'), ("x-balance", "7"), ("x-other", "1"))
    verdict = judged(PLAN, Told(200, headers, NOW))
    assert "x-balance" not in dict(verdict.headers)
    assert "x-other" in dict(verdict.headers)


def test_what_an_answer_varies_on_is_named() -> None:
    """Over several lines, in any case."""
    headers = (("vary", "Accept-Language, Foo"), ("vary", "foo"))
    assert judged(PLAN, Told(200, headers, NOW)).vary == ("accept-language", "foo")


OLD: Fields = (
    ("etag", '"a"'),
    ("last-modified", DATE[1]),
    ("content-type", "text/plain"),
    ("x-kept", "1"),
    ("age", "50"),
    DATE,
)


def test_a_kept_answer_is_asked_for_with_its_validators() -> None:
    """Upstream's own ones, so that it may answer 304 (RFC 9111 §4.3.1)."""
    asked = conditions(PLAN, 200, OLD)
    assert asked == {"if-none-match": '"a"', "if-modified-since": DATE[1]}
    assert conditions(PLAN, 200, (("x-kept", "1"),)) == {}


def test_a_304_renews_the_fields_that_it_has() -> None:
    """And leaves the others; it is as young as the 304 (RFC 9111 §4.3.4)."""
    told = Told(304, (("etag", '"a"'), ("content-type", "text/html"), cc("max-age=9")), NOW)
    again = refreshed(PLAN, 200, OLD, told)
    assert again is not None
    fields = dict(again.headers)
    assert (again.status, fields["content-type"], fields["x-kept"]) == (200, "text/html", "1")
    assert "age" not in fields
    assert judged(PLAN, again).lifetimes == Lifetimes(9, 9, confirm=CONFIRM_S)


def test_a_304_for_another_answer_renews_nothing() -> None:
    """Its strong entity tag names one that is not here."""
    assert refreshed(PLAN, 200, OLD, Told(304, (("etag", '"b"'),), NOW)) is None


@pytest.mark.parametrize(
    ("status", "headers", "stretch", "lifetimes"),
    [
        (200, (), 8.0, Lifetimes(16, 60)),
        (200, (), 100.0, Lifetimes(60, 60)),
        (404, (), 8.0, REFUSED),
        (200, (cc("max-age=10"),), 8.0, Lifetimes(10, 10)),
        (200, (cc("max-age=10, stale-while-revalidate=20"),), 8.0, Lifetimes(10, 30)),
        (200, (cc("no-cache"),), 8.0, Lifetimes(0, 0, 0)),
    ],
)
def test_only_our_own_soft_lifetimes_stretch(
    status: int, headers: Fields, stretch: float, lifetimes: Lifetimes
) -> None:
    """Up to the hard ones; what upstream said holds, however little may be asked."""
    assert judged(PLAN, Told(status, headers, NOW), stretch).lifetimes == lifetimes
