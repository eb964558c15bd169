"""The evidence ring: what goes in comes out, and it is bounded."""

from redis.asyncio import Redis

from ludo.store import keys
from ludo.store.rejected import BODY_KEPT, KEPT, Rejected, RejectedRing

HEADERS = {
    "webhook-id": "msg_\xff1",
    "webhook-timestamp": "1800000000",
    "webhook-signature": "v1,abc",
    "authorization": "Bearer caller",
}


def a_refusal(number: int = 1, body: bytes | None = b"\xff{}") -> Rejected:
    headers = HEADERS | {"webhook-id": f"msg_\xff{number}"}
    return Rejected.of("signature-mismatch", headers, body, 1_800_000_000.25)


async def test_what_was_refused_comes_back_byte_for_byte(redis: Redis) -> None:
    """Otherwise it could not be verified again."""
    ring = RejectedRing(redis)
    await ring.add(a_refusal())
    (entry,) = await ring.newest(10)

    assert entry.rejected == a_refusal()
    assert entry.rejected.is_whole


def test_only_the_signed_headers_are_kept() -> None:
    """Whatever else a sender sent is none of our business."""
    assert dict(a_refusal().headers) == {
        name: value for name, value in HEADERS.items() if name.startswith("webhook-")
    }


async def test_a_body_that_is_cut_or_was_not_read_says_so(redis: Redis) -> None:
    """It can be shown, and not verified."""
    ring = RejectedRing(redis)
    await ring.add(a_refusal(body=b"x" * (BODY_KEPT + 1)))
    await ring.add(a_refusal(body=None))
    unread, cut = [entry.rejected for entry in await ring.newest(10)]

    assert (cut.size, len(cut.body), cut.is_whole) == (BODY_KEPT + 1, BODY_KEPT, False)
    assert (unread.size, unread.is_whole) == (None, False)


async def test_the_ring_forgets_the_oldest(redis: Redis) -> None:
    """Its length is bounded whatever comes in; Redis trims whole nodes of a stream."""
    ring = RejectedRing(redis)
    for number in range(KEPT + 300):
        await ring.add(a_refusal(number))

    assert KEPT <= await ring.count() <= KEPT + 200
    assert (await ring.newest(1))[0].rejected.webhook_id == f"msg_\xff{KEPT + 299}"


async def test_going_through_the_ring_misses_nothing_that_was_there(redis: Redis) -> None:
    """Also when entries are removed on the way, and it ends although new ones come in."""
    ring = RejectedRing(redis)
    for number in range(250):
        await ring.add(a_refusal(number))
    seen = []
    async for entry in ring.oldest_first():
        seen.append(entry.rejected.webhook_id)
        await ring.remove([entry.id])
        await ring.add(a_refusal(1_000))

    assert seen == [f"msg_\xff{number}" for number in range(250)]
    assert await redis.xlen(keys.REJECTED) == 250
