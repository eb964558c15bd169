"""Addresses: what a reverse proxy saw counts, what a caller claims does not."""

import pytest

from proxy.addresses import UNKNOWN, caller_address


@pytest.mark.parametrize(
    ("peer", "forwarded", "hops", "address"),
    [
        ("192.0.2.1", [], 0, "192.0.2.1"),
        ("192.0.2.1", ["203.0.113.9"], 0, "192.0.2.1"),
        ("192.0.2.1", ["203.0.113.9"], 1, "203.0.113.9"),
        ("192.0.2.1", ["6.6.6.6, 203.0.113.9"], 1, "203.0.113.9"),
        ("192.0.2.1", ["6.6.6.6", "203.0.113.9,10.0.0.1"], 2, "203.0.113.9"),
        ("192.0.2.1", ["203.0.113.9"], 2, "192.0.2.1"),
        ("192.0.2.1", ["nonsense"], 1, "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", [], 0, "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", [], 0, "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.1", [], 0, "192.0.2.1"),
        (None, [], 0, UNKNOWN),
        ("socket", [], 0, UNKNOWN),
    ],
)
def test_address(peer: str | None, forwarded: list[str], hops: int, address: str) -> None:
    """The last `hops` entries are the proxies' own; an IPv6 customer is one caller."""
    assert caller_address(peer, forwarded, hops) == address
