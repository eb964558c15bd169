"""What upstream says about keeping an answer, and what holds where it is silent."""

import pytest

from ludo.store.cache import Lifetimes
from proxy.facade.freshness import lifetimes
from proxy.facade.policy import REFUSED

POLICY = Lifetimes(soft=2, hard=60)


@pytest.mark.parametrize(
    ("status", "headers", "kept"),
    [
        (200, {}, POLICY),
        (404, {}, REFUSED),
        (200, {"cache-control": "no-store"}, None),
        (200, {"cache-control": "Private"}, None),
        (200, {"cache-control": 'private="set-cookie", max-age=60'}, None),
        (200, {"vary": "*"}, None),
        (200, {"cache-control": "no-cache"}, Lifetimes(0, 0)),
        (200, {"cache-control": "max-age=10"}, Lifetimes(10, 10)),
        (200, {"cache-control": 'max-age="10"'}, Lifetimes(10, 10)),
        (200, {"cache-control": "max-age=10", "age": "4"}, Lifetimes(6, 6)),
        (200, {"cache-control": "max-age=10", "age": "40"}, Lifetimes(0, 0)),
        (200, {"cache-control": "s-maxage=5, max-age=10"}, Lifetimes(5, 5, 0)),
        (200, {"cache-control": "max-age=10, must-revalidate"}, Lifetimes(10, 10, 0)),
        (200, {"cache-control": "max-age=ten"}, POLICY),
        (200, {"cache-control": ",,public"}, POLICY),
    ],
)
def test_lifetimes(status: int, headers: dict[str, str], kept: Lifetimes | None) -> None:
    """RFC 9111 where upstream speaks, our table where it does not."""
    assert lifetimes(status, headers, POLICY) == kept


def test_a_lifetime_is_never_endless() -> None:
    """A number that is too great is a great one."""
    found = lifetimes(200, {"cache-control": f"max-age={10**30}"}, POLICY)
    assert found is not None
    assert found.hard == 2**31
