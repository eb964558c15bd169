"""When a fresh token is shown on a live link."""

import jwt

from ludo.relay.incoming import Welcome
from ludo.relay.renewal import Renewal

NEVER = float("inf")


def welcomed(lifetime: float | None, *, renewable: bool = True) -> Renewal:
    """Right after a welcome at time 100 that names a lifetime."""
    renewal = Renewal(renewable)
    exp = None if lifetime is None else 5_000 + int(lifetime * 1000)
    renewal.welcomed(Welcome(now=5_000, exp=exp), None, 100.0)
    return renewal


def test_a_long_token_is_renewed_half_a_minute_early() -> None:
    """By the relay's clock, which is the one that decides."""
    assert welcomed(600).due == 670.0


def test_a_short_token_is_renewed_when_a_fifth_is_left() -> None:
    """Half a minute would be too early."""
    assert welcomed(10).due == 108.0


def test_nothing_is_renewed_that_has_no_end_or_no_successor() -> None:
    """Neither a token without an end nor one that is all there is."""
    assert welcomed(None).due == NEVER
    assert welcomed(600, renewable=False).due == NEVER


def test_the_next_token_is_planned_by_what_it_says() -> None:
    """A JWT says its own end; any other is taken to last as long as the first."""
    renewal = welcomed(600)
    assert renewal.ask()
    token = jwt.encode({"exp": 3_000}, "k" * 32)
    renewal.shown(renewal.end_of(token, now=670.0, wall=2_000.0), 670.0)
    assert renewal.due == 670.0 + 1_000 - 30
    renewal.shown(None, 2_000.0)
    assert renewal.due == 2_000.0 + 600 - 30


def test_a_token_is_fetched_once_at_a_time() -> None:
    """While one is under way no other is asked for; after a failure it is tried again soon."""
    renewal = welcomed(600)
    assert renewal.ask()
    assert not renewal.ask()
    renewal.failed(700.0)
    assert renewal.due == 705.0
    assert renewal.ask()
