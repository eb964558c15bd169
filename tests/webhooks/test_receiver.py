"""`POST /webhooks/ludo` by its answers, on a real Redis."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from ludo.store import keys
from ludo.store.scripts import Scripts
from ludo.upstream.keyring import KeyRing
from proxy.webhooks.measures import Measures
from tests.webhooks.builders import NOW, OTHER, SECRET, Receiver, a_receiver, an_intake, bytes_of
from tests.workers.builders import GAME, a_history

FIRST = a_history()[0]


@pytest.fixture
async def receiver(redis: Redis) -> AsyncIterator[Receiver]:
    async with a_receiver(an_intake(redis)) as each:
        yield each


async def test_genuine_event_is_stored_and_acknowledged(receiver: Receiver, redis: Redis) -> None:
    """202 means that the event is in the inbox, its game due and a worker told."""
    answer = await receiver.deliver(bytes_of(FIRST))

    assert answer.status_code == 202
    assert await redis.xlen(keys.inbox(GAME)) == 1
    assert await redis.zcard(keys.ARQ_QUEUE) == 1


async def test_same_delivery_again_is_200(receiver: Receiver) -> None:
    """A retry of what was stored is acknowledged and not stored again."""
    await receiver.deliver(bytes_of(FIRST))
    again = await receiver.deliver(bytes_of(FIRST), at=NOW + 20)

    assert again.status_code == 200


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"secret": OTHER}, "signature-mismatch"),
        ({"at": NOW - 301}, "too-old"),
        ({"at": NOW + 301}, "too-new"),
        ({"webhook_signature": "v1,not/base64"}, "signature-mismatch"),
        ({"webhook_timestamp": "now"}, "malformed-timestamp"),
        ({"webhook_id": "msg.with.stops"}, "malformed-id"),
    ],
)
async def test_anything_wrong_with_the_signature_is_401(
    receiver: Receiver, redis: Redis, change: dict[str, Any], reason: str
) -> None:
    """The reason is named, and Redis has not been asked for anything."""
    answer = await receiver.deliver(bytes_of(FIRST), **change)

    assert answer.status_code == 401
    assert reason in answer.json()["detail"]
    assert await redis.dbsize() == 0


@pytest.mark.parametrize(
    "body",
    [
        b"not json",
        b"[]",
        b'{"type": 7}',
        b'{"type": "game:dice-rolled", "data": {"gameId": "g", "sequence": 0}}',
        b'{"type":"game:dice-rolled","data":{"gameId":"g","sequence":2,"playerId":"p","value":7}}',
        b'{"type": "game:dice-rolled", "data": {"gameId": "g", "sequence": 2, "value": 3}}',
    ],
)
async def test_verified_nonsense_is_400(receiver: Receiver, body: bytes) -> None:
    """A genuine body that is no event is refused for good, with what was expected."""
    answer = await receiver.deliver(body)

    assert answer.status_code == 400
    assert "expected" in answer.json()["detail"]
    assert answer.headers["content-type"] == "application/problem+json"


async def test_body_over_the_limit_is_413(receiver: Receiver) -> None:
    """256 KiB is the limit, whatever was announced."""
    assert (await receiver.deliver(b" " * (256 * 1024 + 1))).status_code == 413


@pytest.mark.parametrize("headers", [{"content_type": "text/plain"}, {"content_encoding": "gzip"}])
async def test_other_types_and_compression_are_415(
    receiver: Receiver, headers: dict[str, str]
) -> None:
    """Only plain JSON is taken."""
    answer = await receiver.deliver(bytes_of(FIRST), **headers)
    assert answer.status_code == 415


async def test_without_secrets_everything_is_503(redis: Redis) -> None:
    """The receiver fails closed and says which setting is missing."""
    async with a_receiver(an_intake(redis, secrets="")) as receiver:
        answer = await receiver.deliver(bytes_of(FIRST))

        assert answer.status_code == 503
        assert "LUDO_WEBHOOK_SECRETS" in answer.json()["detail"]
        assert int(answer.headers["retry-after"]) > 0


async def test_full_backlog_is_503_with_retry_after(redis: Redis) -> None:
    """Beyond the global bound nothing is stored, and the sender is told when to come again."""
    async with a_receiver(an_intake(redis, backlog=1)) as receiver:
        history = a_history()
        await receiver.deliver(bytes_of(history[0]), webhook_id="msg_1")
        answer = await receiver.deliver(bytes_of(history[1]), webhook_id="msg_2")

        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) > 0
        assert await redis.xlen(keys.inbox(GAME)) == 1


async def test_redis_away_is_503(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is acknowledged that was not stored."""

    async def gone(*_: Any, **__: Any) -> None:
        raise RedisConnectionError("gone")

    monkeypatch.setattr(Scripts, "run", gone)
    async with a_receiver(an_intake(redis)) as receiver:
        answer = await receiver.deliver(bytes_of(FIRST))

        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) > 0


async def test_room_event_purges_its_tags(receiver: Receiver, redis: Redis) -> None:
    """A room's event bumps the generations of its cache tags and is applied at once."""
    body = {"type": "room:closed", "data": {"roomCode": "ABC123", "reason": "empty"}}
    answer = await receiver.deliver(json.dumps(body).encode())

    assert answer.status_code == 202
    assert await redis.get(keys.cache_tag("room:ABC123")) == b"1"
    assert await redis.get(keys.cache_tag("rooms")) == b"1"


async def test_event_without_sequence_is_a_hint(receiver: Receiver, redis: Redis) -> None:
    """It is filtered, and the game owes a resync."""
    body = {"type": "game:dice-rolled", "data": {"gameId": GAME, "value": 3, "playerId": "p"}}
    await receiver.deliver(json.dumps(body).encode())

    assert await redis.hget(keys.game(GAME), "owed") == b"hint"
    assert await redis.hget(keys.COUNTERS, "outcome:filtered:webhook") == b"1"


async def test_unknown_type_is_kept_and_ignored(receiver: Receiver, redis: Redis) -> None:
    """A type of a later version is acknowledged, counted and kept."""
    answer = await receiver.deliver(b'{"type": "chat:said", "data": {}}')

    assert answer.status_code == 202
    assert await redis.xlen(keys.FILTERED) == 1


async def test_the_quota_counts_genuine_deliveries_only(redis: Redis) -> None:
    """A flood of bad signatures turns no genuine delivery away; what is too much is 429."""
    async with a_receiver(an_intake(redis, quota="2/60s")) as receiver:
        forged = [await receiver.deliver(bytes_of(FIRST), secret=OTHER) for _ in range(20)]
        assert {answer.status_code for answer in forged} == {401}
        statuses = []
        for number, event in enumerate(a_history()[:3]):
            answer = await receiver.deliver(bytes_of(event), webhook_id=f"msg_{number}")
            statuses.append(answer.status_code)

    assert statuses == [202, 202, 429]
    assert int(answer.headers["retry-after"]) > 0
    assert await redis.xlen(keys.inbox(GAME)) == 2


async def test_a_quota_belongs_to_a_key(redis: Redis) -> None:
    """One signer that runs wild does not use up what the others may send."""
    intake = an_intake(redis, f"{SECRET},{OTHER}", quota="1/60s")
    async with a_receiver(intake) as receiver:
        first = await receiver.deliver(bytes_of(FIRST), webhook_id="msg_1")
        second = await receiver.deliver(bytes_of(FIRST), webhook_id="msg_2")
        other = await receiver.deliver(bytes_of(FIRST), webhook_id="msg_3", secret=OTHER)

    assert [each.status_code for each in (first, second, other)] == [202, 429, 202]


async def test_use_and_refusals_are_measured(redis: Redis) -> None:
    """By key, so that a rotation can be seen to be over, and by reason."""
    intake = an_intake(redis, f"{SECRET},{OTHER}")
    registry = CollectorRegistry()
    measured = replace(intake, measures=Measures(registry))
    async with a_receiver(measured) as receiver:
        await receiver.deliver(bytes_of(FIRST), secret=OTHER)
        await receiver.deliver(bytes_of(FIRST), at=NOW - 301)
    other = KeyRing.parse(OTHER).keys[0].id
    told = generate_latest(registry).decode()

    assert f'ludo_webhook_verified_total{{key="{other}"}} 1.0' in told
    assert f'ludo_webhook_key_last_used_timestamp_seconds{{key="{other}"}}' in told
    assert 'ludo_webhook_refused_total{reason="too-old"} 1.0' in told


async def test_the_key_that_matched_is_stored_with_the_event(
    receiver: Receiver, redis: Redis
) -> None:
    """Which key signed what can be told afterwards."""
    await receiver.deliver(bytes_of(FIRST))
    ((_, fields),) = await redis.xrange(keys.inbox(GAME))

    assert fields[b"k"].decode() == KeyRing.parse(SECRET).keys[0].id
