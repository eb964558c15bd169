"""Where a request comes from, as far as that can be believed."""

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final

UNKNOWN: Final = "unknown"
_OWN_PREFIX: Final = 64
"""One customer's part of an IPv6 address; the rest is his to choose."""


def caller_address(peer: str | None, forwarded: Sequence[str], hops: int) -> str:
    """The caller's address behind `hops` reverse proxies, an IPv6 one by its /64.

    `forwarded` are the X-Forwarded-For fields in order; each proxy appended whom it saw, so only
    the last `hops` entries are theirs, and the rest is what anybody may claim.
    """
    seen = [part.strip() for field in forwarded for part in field.split(",") if part.strip()]
    claimed = seen[-hops] if hops and len(seen) >= hops else peer
    return _shared(claimed) or _shared(peer) or UNKNOWN


@lru_cache(maxsize=4_096)
def _shared(text: str | None) -> str | None:
    try:
        address = ip_address(text or "")
    except ValueError:
        return None
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ip_network((address, _OWN_PREFIX), strict=False))
