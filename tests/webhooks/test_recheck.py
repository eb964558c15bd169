"""Refused deliveries, verified again after a secret was mended."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from ludo.store import keys
from ludo.store.errors import StoreUnavailable
from ludo.store.inbox import Inbox
from ludo.store.rejected import Rejected, RejectedRing
from ludo.store.scripts import Scripts
from ludo.tasks import end
from ludo.upstream.keyring import KeyRing
from proxy.webhooks.recheck import Outcome, Recheck
from tests.waiting import wait_until
from tests.webhooks.builders import (
    NOW,
    OTHER,
    SECRET,
    Receiver,
    a_receiver,
    an_intake,
    bytes_of,
    signed,
)
from tests.workers.builders import GAME, a_history

HISTORY = a_history()
FIRST = HISTORY[0]


@pytest.fixture
def rejected(redis: Redis) -> RejectedRing:
    return RejectedRing(redis)


@pytest.fixture
async def receiver(redis: Redis) -> AsyncIterator[Receiver]:
    async with a_receiver(an_intake(redis)) as each:
        yield each


async def refused(rejected: RejectedRing, number: int = 0, *, at: float = NOW) -> bytes:
    """Leaves a delivery that was signed with the other secret in the ring."""
    body = bytes_of(HISTORY[number])
    headers = signed(body, webhook_id=f"msg_{number}", at=int(at), secret=OTHER)
    await rejected.add(Rejected.of("signature-mismatch", headers, body, at))
    return body


def a_recheck(
    redis: Redis, secrets: str = f"{SECRET},{OTHER}", *, now: float = NOW, backlog: int = 100
) -> Recheck:
    ring = KeyRing.parse(secrets)
    inbox = Inbox(Scripts(redis), backlog=backlog)
    return Recheck(lambda: ring, inbox, RejectedRing(redis), lambda: now)


async def outcomes(recheck: Recheck) -> list[Outcome]:
    return [each.outcome async for each in recheck.run()]


async def test_a_mended_secret_lets_the_refused_in_once(
    redis: Redis, rejected: RejectedRing
) -> None:
    """It goes the normal way, long after its timestamp, and a second run finds nothing to do."""
    await refused(rejected)
    recheck = a_recheck(redis, now=NOW + 3_600)

    assert await outcomes(recheck) == [Outcome.ACCEPTED]
    assert await outcomes(recheck) == []
    assert await redis.xlen(keys.inbox(GAME)) == 1
    assert await redis.hget(keys.COUNTERS, "accepted:webhook") == b"1"


async def test_the_key_that_matched_is_noted(redis: Redis, rejected: RejectedRing) -> None:
    """As for every delivery."""
    await refused(rejected)
    await outcomes(a_recheck(redis))
    ((_, fields),) = await redis.xrange(keys.inbox(GAME))

    assert fields[b"k"].decode() == KeyRing.parse(OTHER).keys[0].id


async def test_what_came_again_meanwhile_is_not_doubled(
    redis: Redis, rejected: RejectedRing
) -> None:
    """The sender's own retry may have been faster."""
    body = await refused(rejected)
    async with a_receiver(an_intake(redis, OTHER)) as receiver:
        answer = await receiver.deliver(body, webhook_id="msg_0", secret=OTHER)
    assert answer.status_code == 202

    assert await outcomes(a_recheck(redis)) == [Outcome.DUPLICATE]
    assert await redis.xlen(keys.inbox(GAME)) == 1
    assert await rejected.count() == 0


async def test_two_rechecks_at_once_accept_once(redis: Redis, rejected: RejectedRing) -> None:
    """Two operators, or one who is impatient."""
    await refused(rejected)
    first, second = a_recheck(redis).run(), a_recheck(redis).run()
    one, other = await anext(first), await anext(second, None)

    assert one.outcome is Outcome.ACCEPTED
    assert other is None or other.outcome is Outcome.DUPLICATE
    assert await redis.xlen(keys.inbox(GAME)) == 1


async def test_a_forgery_stays_what_it_is(redis: Redis, rejected: RejectedRing) -> None:
    """And stays in the ring."""
    await refused(rejected)

    assert await outcomes(a_recheck(redis, SECRET)) == [Outcome.REFUSED]
    assert await redis.xlen(keys.inbox(GAME)) == 0
    assert await rejected.count() == 1


async def test_a_delivery_that_was_too_old_when_it_came_stays_refused(
    redis: Redis, rejected: RejectedRing
) -> None:
    """The time of receipt decides: a replayed delivery does not become genuine by waiting."""
    body = bytes_of(FIRST)
    headers = signed(body, at=NOW)
    await rejected.add(Rejected.of("too-old", headers, body, NOW + 301.0))

    assert await outcomes(a_recheck(redis, now=NOW)) == [Outcome.REFUSED]


async def test_what_was_received_too_long_ago_is_dropped(
    redis: Redis, rejected: RejectedRing
) -> None:
    """Nobody remembers by then whether it was accepted in another attempt."""
    await refused(rejected)
    later = NOW + 7 * 24 * 3_600 + 1

    assert await outcomes(a_recheck(redis, now=later)) == [Outcome.EXPIRED]
    assert await redis.xlen(keys.inbox(GAME)) == 0
    assert await rejected.count() == 0


async def test_a_body_that_was_not_kept_cannot_be_verified(
    redis: Redis, rejected: RejectedRing
) -> None:
    """It is said, and never taken for an empty body."""
    body = bytes_of(FIRST)
    await rejected.add(Rejected.of("slow-body", signed(body), None, NOW))

    assert await outcomes(a_recheck(redis)) == [Outcome.INCOMPLETE]


async def test_a_full_backlog_ends_the_run_and_keeps_the_rest(
    redis: Redis, rejected: RejectedRing
) -> None:
    """What was not stored is still there for the next run."""
    await refused(rejected, 0)
    await refused(rejected, 1)
    run = a_recheck(redis, backlog=1).run()

    assert (await anext(run)).outcome is Outcome.ACCEPTED
    with pytest.raises(StoreUnavailable, match="recheck again later"):
        await anext(run)
    assert await rejected.count() == 1


async def test_a_refused_delivery_reaches_the_ring(redis: Redis, rejected: RejectedRing) -> None:
    """With its reason, its time of receipt and what is needed to verify it again."""
    intake = an_intake(redis)
    async with a_receiver(intake) as receiver:
        await receiver.deliver(bytes_of(FIRST), secret=OTHER)
        await receiver.deliver(b"not json", webhook_id="msg_2")
        await receiver.deliver(b" " * (256 * 1024 + 1), webhook_id="msg_3")
    writing = asyncio.create_task(intake.evidence.run())
    try:
        await wait_until(lambda: _has(rejected, 3))
    finally:
        await end(writing)
    kept = [entry.rejected for entry in reversed(await rejected.newest(10))]

    assert [each.reason for each in kept] == [
        "signature-mismatch",
        "malformed-event",
        "content-too-large",
    ]
    assert {each.received_at for each in kept} == {float(NOW)}
    assert [each.is_whole for each in kept] == [True, True, False]


async def _has(rejected: RejectedRing, number: int) -> bool:
    return await rejected.count() == number
