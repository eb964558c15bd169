"""Ten deliberately wrong receivers, each caught by an invariant that ours holds."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from redis.asyncio import Redis

from ludo.store import keys
from tests.webhooks import variants
from tests.webhooks.builders import NOW, OTHER, SECRET, Receiver, a_receiver, an_intake, bytes_of
from tests.webhooks.variants import Bench, Faults, TestedScripts, Variant
from tests.workers.builders import GAME, a_history

HISTORY = a_history()
FIRST = bytes_of(HISTORY[0])


@dataclass
class Tried:
    """A receiver that is tried out, the store behind it, and what it has logged."""

    receiver: Receiver
    redis: Redis
    logged: Callable[[], str]

    async def rows(self) -> int:
        return await self.redis.xlen(keys.inbox(GAME))


async def a_retry_is_one_row(tried: Tried) -> None:
    for _ in range(3):
        assert (await tried.receiver.deliver(FIRST)).is_success
    assert await tried.rows() == 1


async def a_hundred_copies_at_once_are_one_row(tried: Tried) -> None:
    answers = await asyncio.gather(*(tried.receiver.deliver(FIRST) for _ in range(100)))
    assert sorted(answer.status_code for answer in answers) == [200] * 99 + [202]
    assert await tried.rows() == 1


async def a_failed_attempt_does_not_make_its_retry_a_duplicate(tried: Tried) -> None:
    assert (await tried.receiver.deliver(FIRST)).status_code == 503
    assert (await tried.receiver.deliver(FIRST)).is_success
    assert await tried.rows() == 1


async def what_is_acknowledged_is_stored(tried: Tried) -> None:
    acknowledged = (await tried.receiver.deliver(FIRST)).is_success
    assert await tried.rows() == int(acknowledged)


async def the_bytes_that_were_sent_are_verified(tried: Tried) -> None:
    spaced = json.dumps(json.loads(FIRST), indent=3).encode()
    assert (await tried.receiver.deliver(spaced)).status_code == 202


async def an_old_delivery_is_refused(tried: Tried) -> None:
    assert (await tried.receiver.deliver(FIRST, at=NOW - 301)).status_code == 401
    assert await tried.rows() == 0


async def a_forgery_suppresses_nothing(tried: Tried) -> None:
    for _ in range(3):
        assert (await tried.receiver.deliver(FIRST, secret=OTHER)).status_code == 401
    assert (await tried.receiver.deliver(FIRST)).status_code == 202
    assert (await tried.receiver.deliver(FIRST, secret=OTHER)).status_code == 401
    assert await tried.rows() == 1


async def any_order_is_taken(tried: Tried) -> None:
    for number in (2, 0, 1):
        body = bytes_of(HISTORY[number])
        answer = await tried.receiver.deliver(body, webhook_id=f"msg_{number}")
        assert answer.status_code == 202
    assert await tried.rows() == 3


async def no_secret_is_logged(tried: Tried) -> None:
    await tried.receiver.deliver(FIRST)
    await tried.receiver.deliver(FIRST, secret=OTHER)
    told = tried.logged()
    for canary in (SECRET.removeprefix("whsec_"), "k" * 32, (b"k" * 32).hex()):
        assert canary not in told


Invariant = Callable[[Tried], Awaitable[None]]
CASES: list[tuple[Variant, Invariant, Faults]] = [
    (variants.no_dedup_record, a_retry_is_one_row, Faults()),
    (variants.check_then_insert, a_hundred_copies_at_once_are_one_row, Faults()),
    (
        variants.mark_before_effect,
        a_failed_attempt_does_not_make_its_retry_a_duplicate,
        Faults(before=True),
    ),
    (variants.ack_before_commit, what_is_acknowledged_is_stored, Faults(before=True)),
    (variants.verify_after_reserialising, the_bytes_that_were_sent_are_verified, Faults()),
    (variants.accepts_stale, an_old_delivery_is_refused, Faults()),
    (variants.dedup_before_verify, a_forgery_suppresses_nothing, Faults()),
    (variants.assumes_order, any_order_is_taken, Faults()),
    (variants.logs_a_secret, no_secret_is_logged, Faults()),
    (
        variants.crash_between_effect_and_mark,
        a_failed_attempt_does_not_make_its_retry_a_duplicate,
        Faults(after=True),
    ),
]
NAMES = [variant.__name__ for variant, _, _ in CASES]


@dataclass
class Workshop:
    """Where receivers are set up, ours and variants of it."""

    redis: Redis
    patch: pytest.MonkeyPatch
    logged: Callable[[], str]

    @asynccontextmanager
    async def tried(self, faults: Faults, variant: Variant | None) -> AsyncIterator[Tried]:
        scripts = TestedScripts(self.redis, faults)
        bench = Bench(self.redis, scripts, self.patch)
        intake = an_intake(self.redis, scripts=scripts)
        async with a_receiver(variant(bench, intake) if variant else intake) as receiver:
            yield Tried(receiver, self.redis, self.logged)
        await asyncio.gather(*bench.tasks, return_exceptions=True)


@pytest.fixture
async def workshop(
    redis: Redis, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> AsyncIterator[Workshop]:
    """What variants leave in Redis ends with the test, as ours does by itself."""
    yield Workshop(redis, monkeypatch, lambda: "".join(capsys.readouterr()))
    await redis.flushall()


@pytest.mark.parametrize(("_variant", "invariant", "faults"), CASES, ids=NAMES)
async def test_our_receiver_holds(
    workshop: Workshop, _variant: Variant, invariant: Invariant, faults: Faults
) -> None:
    """Every invariant, under the same fault."""
    async with workshop.tried(faults, None) as tried:
        await invariant(tried)


@pytest.mark.parametrize(("variant", "invariant", "faults"), CASES, ids=NAMES)
async def test_a_wrong_receiver_is_caught(
    workshop: Workshop, variant: Variant, invariant: Invariant, faults: Faults
) -> None:
    """By the invariant that it breaks; it works well enough to be believed otherwise."""
    async with workshop.tried(faults, variant) as tried:
        with pytest.raises(AssertionError):
            await invariant(tried)
