"""A caller's quota in headers (draft-ietf-httpapi-ratelimit-headers-10)."""

from collections.abc import Sequence

from ludo.config import Rate
from ludo.store.windows import Allowance


def policy_name(rate: Rate) -> str:
    """The name that both fields give a rate."""
    return f"{rate.limit}in{rate.seconds}s"


def quota_fields(allowances: Sequence[Allowance]) -> tuple[tuple[bytes, bytes], ...]:
    """`RateLimit-Policy` with every rate, `RateLimit` with what is left of each; none for none."""
    if not allowances:
        return ()
    policies = (f'"{policy_name(a.rate)}";q={a.rate.limit};w={a.rate.seconds}' for a in allowances)
    left = (f'"{policy_name(a.rate)}";r={a.remaining};t={a.reset}' for a in allowances)
    return (
        (b"ratelimit-policy", ", ".join(policies).encode()),
        (b"ratelimit", ", ".join(left).encode()),
    )
