"""One-use tickets."""

import asyncio

from redis.asyncio import Redis

from ludo.store.tickets import Tickets


async def test_a_ticket_is_good_once(redis: Redis) -> None:
    """However many try it at the same time."""
    tickets = Tickets(redis)
    ticket = await tickets.issue(b"ann")
    found = await asyncio.gather(*(tickets.redeem(ticket) for _ in range(8)))

    assert sorted(each or b"" for each in found) == [b""] * 7 + [b"ann"]


async def test_a_ticket_ends_soon_and_cannot_be_read_out(redis: Redis) -> None:
    """What is stored is its digest."""
    ticket = await Tickets(redis).issue(b"ann")
    (key,) = await redis.keys("*")

    assert 0 < await redis.ttl(key) <= 30
    assert ticket.encode() not in key


async def test_what_is_no_ticket_opens_nothing(redis: Redis) -> None:
    """Whatever it is."""
    tickets = Tickets(redis)
    assert [await tickets.redeem(each) for each in ("", "x", "x" * 5000, "é")] == [None] * 4
