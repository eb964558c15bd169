"""Upstream's limit by windows."""

from sandbox.ratelimit import RateLimit


def test_the_limit_counts_down_and_refuses() -> None:
    """Every request is told what remains; one over the limit is not allowed."""
    limit = RateLimit(2, 60)

    standings = [limit.take("key", 1_000.5) for _ in range(3)]

    assert [s.allowed for s in standings] == [True, True, False]
    assert [s.remaining for s in standings] == [1, 0, 0]


def test_reset_is_the_moment_at_which_the_window_ends() -> None:
    """It is a Unix second, and from then on requests are allowed again."""
    limit = RateLimit(1, 60)

    reset = limit.take("key", 1_000.5).reset

    assert reset == 1_061
    assert not limit.take("key", 1_060.4).allowed
    assert limit.take("key", float(reset)).allowed


def test_keys_are_counted_apart() -> None:
    """One caller does not use up another's requests."""
    limit = RateLimit(1, 60)
    limit.take("one", 0)

    assert limit.take("other", 0).allowed


def test_the_headers_are_upstreams() -> None:
    """Limit, remaining and reset, as texts."""
    assert RateLimit(5, 60).take("key", 0).headers == {
        "X-RateLimit-Limit": "5",
        "X-RateLimit-Remaining": "4",
        "X-RateLimit-Reset": "60",
    }
