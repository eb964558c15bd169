"""May an answer be kept, and for how long: RFC 9111 as hishel's state machine decides it.

Ours are the table of routes where upstream says nothing, stale-while-revalidate, stale-if-error,
and what hishel 2.0 leaves out (docs/cache.md): the `Age` of an answer, what forbids stale ones,
`must-understand`, `Vary: *`, targeted fields.
"""

import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from functools import lru_cache
from http import HTTPStatus
from math import ceil
from typing import Final

from hishel import (
    CacheMiss,
    CacheOptions,
    Headers,
    IdleClient,
    NeedRevalidation,
    NeedToBeUpdated,
    Request,
    Response,
    StoreAndUse,
)
from hishel import Entry as Pair
from hishel._core._headers import CacheControl, parse_cache_control
from hishel._core._spec import get_freshness_lifetime

from ludo.store.cache import Lifetimes
from proxy.facade.policy import NEVER_TOLD, REFUSED, Plan, Scope

Fields = tuple[tuple[str, str], ...]
"""Header fields in their order, with lower-case names."""
_SHARED: Final = CacheOptions(shared=True, supported_methods=["GET"], allow_stale=False)
_TARGETED: Final = ("cdn-cache-control", "surrogate-control")
"""Fields that speak to shared caches instead of `Cache-Control` (RFC 9213; the older W3C note)."""
_UNDERSTOOD: Final = frozenset(HTTPStatus)
_VALIDATORS: Final = frozenset({"etag", "last-modified"})
CONFIRM_S: Final = 600.0
"""How long an answer that upstream can confirm is kept for that."""
_SENDABLE: Final = re.compile(r"[ -~]{1,1024}")
_READ_TO_STORE: Final = frozenset({"cache-control", "connection"})
_READ_TO_AGE: Final = frozenset({"cache-control", "expires", "date", "last-modified"})
"""The fields whose values hishel reads to decide on storing, and on how long an answer is fresh."""
_OF_THE_BODY: Final = frozenset({"content-md5"})
"""Of a 304 these describe a body that it does not carry."""


@dataclass(frozen=True, slots=True)
class Told:
    """An answer as upstream gave it: `now` is Unix seconds, `took` how long it was under way."""

    status: int
    headers: Fields
    now: float
    took: float = 0.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of an answer: the fields that are kept with it, how old it came, and for how
    long it is kept; None if a shared cache must not keep it.
    """

    headers: Fields
    age: float
    lifetimes: Lifetimes | None
    vary: tuple[str, ...] = ()


def judged(plan: Plan, told: Told, stretch: float = 1.0) -> Verdict:
    """Whether and for how long the answer to a read is kept (RFC 9111 §3, §4.2).

    By `stretch` our own soft lifetimes grow, up to the hard ones; upstream's stay as it said them.
    """
    kept = tuple(pair for pair in told.headers if pair[0] not in NEVER_TOLD)
    vary, age = _vary(kept), _age(told)
    force = _in_force(kept, policy_for(plan, told.status))
    dropped = _dropped(_sent(plan), told.status, _deciding(force.headers))
    unknown = force.said.must_understand and told.status not in _UNDERSTOOD
    if dropped is None or "*" in vary or unknown:
        return Verdict(kept, age or 0.0, None, vary)
    headers = tuple(pair for pair in kept if pair[0] not in dropped)
    return Verdict(headers, age or 0.0, _lifetimes(plan, force, age, stretch), vary)


@lru_cache(maxsize=256)
def _dropped(sent: Fields, status: int, headers: Fields) -> frozenset[str] | None:
    """The names of the fields that must not be stored; None if the answer must not be."""
    request = Request("GET", "/", Headers(dict(sent)))
    state = CacheMiss(request=request, options=_SHARED).next(Response(status, _headers(headers)))
    if not isinstance(state, StoreAndUse):
        return None
    return frozenset({name for name, _ in headers} - set(state.response.headers))


def _deciding(headers: Fields) -> Fields:
    """The fields as they decide on storing: of most only the name matters (RFC 9111 §3).

    So answers that differ in nothing else are judged once.
    """
    return tuple((name, value if name in _READ_TO_STORE else "") for name, value in headers)


def policy_for(plan: Plan, status: int) -> Lifetimes | None:
    """What our table says of an answer with this status."""
    return plan.lifetimes if status < 400 or plan.lifetimes is None else REFUSED


def conditions(plan: Plan, status: int, headers: Fields) -> Mapping[str, str]:
    """The fields that make a request conditional on what is kept (RFC 9111 §4.3.1)."""
    state = _revalidating(plan, status, headers)
    if state is None:
        return {}
    names = ("if-none-match", "if-modified-since")
    found = {name: state.request.headers.get(name, "") for name in names}
    return {name: value for name, value in found.items() if _SENDABLE.fullmatch(value)}


def refreshed(plan: Plan, status: int, headers: Fields, told: Told) -> Told | None:
    """The kept answer after a 304, as if upstream had given it now; None if it is for another."""
    state = _revalidating(plan, status, headers)
    fresh = tuple(pair for pair in told.headers if pair[0] not in _OF_THE_BODY)
    following = state.next(Response(304, _headers(fresh))) if state is not None else None
    if not isinstance(following, NeedToBeUpdated):
        return None
    # hishel keeps the stored Content-Type, which RFC 9111 §3.2 does not except.
    update = {name: values for name, values in _grouped(fresh).items() if name == "content-type"}
    merged = following.updating_entries[-1].response.headers
    grouped = {name: merged.get_list(name) or [] for name in merged} | update
    # An old Age says nothing of an answer that was just confirmed.
    ages: dict[str, list[str]] = {} if "age" in _grouped(fresh) else {"age": []}
    told_again = tuple(
        (name, value) for name, values in (grouped | ages).items() for value in values
    )
    return replace(told, status=status, headers=told_again)


def _revalidating(plan: Plan, status: int, headers: Fields) -> NeedRevalidation | None:
    request = _request(plan)
    pair = Pair(uuid.UUID(int=0), request, Response(status, _headers(headers)))
    asked = replace(request, headers=Headers({**request.headers, "cache-control": "no-cache"}))
    state = IdleClient(options=_SHARED).next(asked, [pair])
    return state if isinstance(state, NeedRevalidation) else None


def _request(plan: Plan) -> Request:
    return Request("GET", plan.key, Headers(dict(_sent(plan))))


def _sent(plan: Plan) -> Fields:
    """The caller's fields that went out; our own key is nobody's in particular."""
    public = plan.scope is Scope.PUBLIC
    return tuple(
        (name, text)
        for name, text in plan.fields.items()
        if not (public and name == "authorization")
    )


@dataclass(frozen=True, slots=True)
class _Force:
    """The fields with the `Cache-Control` that is in force, and what that says.

    `policy` is ours where upstream is silent, else None.
    """

    headers: Fields
    said: CacheControl
    policy: Lifetimes | None


def _in_force(headers: Fields, policy: Lifetimes | None) -> _Force:
    names = {name for name, _ in headers}
    target = next((name for name in _TARGETED if name in names), None)
    if target is not None:
        rest = [pair for pair in headers if pair[0] not in ("cache-control", "expires")]
        text = ", ".join(value for name, value in headers if name == target)
        headers = (*rest, ("cache-control", text.replace(";", ", ")))
    said = _parsed(_joined(headers, "cache-control"))
    explicit = said.max_age is not None or said.s_maxage is not None or "expires" in names
    if policy is None or explicit:
        return _Force(headers, said, None)
    return _Force((*headers, ("cache-control", f"max-age={ceil(policy.soft)}")), said, policy)


def _lifetimes(plan: Plan, force: _Force, age: float | None, stretch: float) -> Lifetimes:
    said = force.said
    valid = any(name in _VALIDATORS for name, _ in force.headers)
    confirm = CONFIRM_S if valid else 0.0
    if said.no_cache is True or (age is None and force.policy is None):
        return Lifetimes(soft=0, hard=0, on_error=0, confirm=confirm)
    ours = force.policy and _stretched(force.policy, stretch)
    life = replace(ours or _said(plan, force, age or 0.0), confirm=confirm)
    # RFC 9111 §4.2.4, §5.2.2.2, §5.2.2.8 and §5.2.2.10 forbid stale answers.
    if said.must_revalidate or said.proxy_revalidate or said.s_maxage is not None:
        return replace(life, hard=life.soft, on_error=0)
    return life


def _stretched(life: Lifetimes, stretch: float) -> Lifetimes:
    return replace(life, soft=min(life.soft * stretch, max(life.soft, life.hard)))


def _said(plan: Plan, force: _Force, age: float) -> Lifetimes:
    """What upstream's headers say, or what follows from `Last-Modified` (RFC 9111 §4.2.2)."""
    said = force.said
    whole = _freshness(tuple(pair for pair in force.headers if pair[0] in _READ_TO_AGE))
    left = max(0.0, (whole or 0) - age)
    late = said.stale_while_revalidate or 0
    on_error = plan.lifetimes.on_error if plan.lifetimes is not None else 0.0
    if said.stale_if_error is not None:
        on_error = float(said.stale_if_error)
    return Lifetimes(soft=left, hard=left + late if left else 0.0, on_error=on_error)


@lru_cache(maxsize=256)
def _freshness(headers: Fields) -> int | None:
    return get_freshness_lifetime(Response(200, _headers(headers)), is_cache_shared=True)


@lru_cache(maxsize=256)
def _parsed(text: str | None) -> CacheControl:
    return parse_cache_control(text)


def _age(told: Told) -> float | None:
    """How old it came (RFC 9111 §4.2.3); None if its Age says nothing, which may be anything."""
    said = [value.strip() for name, value in told.headers if name == "age"]
    if len(said) > 1 or not all(value.isascii() and value.isdecimal() for value in said):
        return None
    date = _seconds(_joined(told.headers, "date"))
    apparent = max(0.0, told.now - date) if date is not None else 0.0
    return max(apparent, float(said[0]) + told.took if said else 0.0)


def _seconds(date: str | None) -> float | None:
    try:
        return parsedate_to_datetime(date).timestamp() if date else None
    except (ValueError, OverflowError):
        return None


def _vary(headers: Fields) -> tuple[str, ...]:
    listed = ",".join(value for name, value in headers if name == "vary").split(",")
    return tuple(sorted({name.strip().lower() for name in listed if name.strip()}))


def _grouped(headers: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for name, value in headers:
        grouped.setdefault(name, []).append(value)
    return grouped


def _headers(headers: Sequence[tuple[str, str]]) -> Headers:
    return Headers(dict(_grouped(headers)))


def _joined(headers: Fields, wanted: str) -> str | None:
    found = [value for name, value in headers if name == wanted]
    return ", ".join(found) if found else None
