"""What upstream says about keeping an answer (RFC 9111); our own policy where it is silent."""

from collections.abc import Mapping
from dataclasses import replace

from ludo.store.cache import Lifetimes
from proxy.facade.policy import REFUSED


def directives(cache_control: str) -> dict[str, str]:
    """The directives of a `Cache-Control` field by lower-case name (RFC 9111 §5.2)."""
    parts = (part.strip().partition("=") for part in cache_control.split(","))
    return {name.strip().lower(): value.strip().strip('"') for name, _, value in parts if name}


def lifetimes(status: int, headers: Mapping[str, str], policy: Lifetimes) -> Lifetimes | None:
    """How long this answer is kept; None if a shared cache must not keep it (RFC 9111 §3)."""
    said = directives(headers.get("cache-control", ""))
    if "no-store" in said or "private" in said or headers.get("vary", "").strip() == "*":
        return None
    own = policy if status < 400 else REFUSED
    if "no-cache" in said:
        return replace(own, soft=0, hard=0)
    age = _seconds(said.get("s-maxage", said.get("max-age")))
    if age is None:
        return own
    left = max(0.0, age - (_seconds(headers.get("age")) or 0.0))
    must_ask = "must-revalidate" in said or "proxy-revalidate" in said or "s-maxage" in said
    return Lifetimes(soft=left, hard=left, on_error=0 if must_ask else own.on_error)


def _seconds(text: str | None) -> float | None:
    # A number that is too great means for ever (RFC 9111 §1.2.2).
    return min(float(text), 2.0**31) if text is not None and text.isdecimal() else None
