"""A caller's quota in headers (draft-ietf-httpapi-ratelimit-headers-10)."""

from collections.abc import Sequence
from functools import lru_cache

from ludo.config import Rate
from ludo.store.windows import Allowance


@lru_cache(maxsize=64)
def policy_name(rate: Rate) -> str:
    """The name that both fields give a rate."""
    return f"{rate.limit}in{rate.seconds}s"


def quota_fields(allowances: Sequence[Allowance]) -> tuple[tuple[bytes, bytes], ...]:
    """`RateLimit-Policy` with every rate, `RateLimit` with what is left of each; none for none."""
    if not allowances:
        return ()
    left = [f'"{policy_name(rate)}";r={left};t={reset}' for rate, left, reset in allowances]
    policies = _policies(tuple([rate for rate, _, _ in allowances]))
    return (b"ratelimit-policy", policies), (b"ratelimit", ", ".join(left).encode())


@lru_cache(maxsize=64)
def _policies(rates: tuple[Rate, ...]) -> bytes:
    return ", ".join(f'"{policy_name(r)}";q={r.limit};w={r.seconds}' for r in rates).encode()
