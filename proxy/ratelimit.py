"""A caller's quota in headers (draft-ietf-httpapi-ratelimit-headers-10)."""

from collections.abc import Sequence

from ludo.config import Rate
from ludo.store.quota import Allowance


def policy_name(rate: Rate) -> str:
    """The name that both fields give a rate."""
    return f"{rate.limit}in{rate.seconds}s"


def quota_headers(allowances: Sequence[Allowance]) -> dict[str, str]:
    """`RateLimit-Policy` with every rate, `RateLimit` with what is left of each; none for none."""
    if not allowances:
        return {}
    policies = (f'"{policy_name(a.rate)}";q={a.rate.limit};w={a.rate.seconds}' for a in allowances)
    left = (f'"{policy_name(a.rate)}";r={a.remaining};t={a.reset}' for a in allowances)
    return {"RateLimit-Policy": ", ".join(policies), "RateLimit": ", ".join(left)}
