"""A key is replaced while deliveries come in: none is refused by mistake, and the old one ends."""

import asyncio
import base64
import json
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from redis.asyncio import Redis

from ludo.tasks import beside
from ludo.upstream.config import WebhookConfig
from proxy.webhooks.keys import Keys
from tests.waiting import wait_until
from tests.webhooks.builders import OTHER, SECRET, Receiver, a_receiver, an_intake

PAIR = "whsk_" + base64.b64encode(bytes(range(32))).decode()
PUBLIC = "whpk_A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg="
LASTS_S = 1.5
BODY = b'{"type": "chat:said", "data": {}}'


def written(file: Path, *keys: dict[str, str]) -> None:
    """Puts another file in place, as a mounted secret is changed."""
    new = file.with_name("new")
    new.write_text(json.dumps(keys))
    new.rename(file)


async def delivered(receiver: Receiver, number: int, secret: str) -> int:
    """The status of a delivery signed now."""
    answer = await receiver.deliver(
        BODY, webhook_id=f"msg_{number}_{secret[:8]}", at=int(time.time()), secret=secret
    )
    return answer.status_code


@pytest.mark.parametrize(("verifying", "signing"), [(OTHER, OTHER), (PUBLIC, PAIR)])
async def test_a_rotation_under_load(
    redis: Redis, tmp_path: Path, verifying: str, signing: str
) -> None:
    """Both keys pass while both count; in the second after its end the old one is refused."""
    file = tmp_path / "secrets"
    written(file, {"id": "old", "key": SECRET})
    keys = Keys(WebhookConfig.from_env({"LUDO_WEBHOOK_SECRETS_FILE": str(file)}))
    intake = replace(an_intake(redis), ring=lambda: keys.ring, clock=time.time)
    refused_early: list[float] = []
    taken_late: list[float] = []
    new_refused: list[int] = []

    async with beside("keys", keys.run()), a_receiver(intake) as receiver:
        assert await delivered(receiver, 0, SECRET) == 202
        ends = int(time.time() + LASTS_S) + 1
        until = datetime.fromtimestamp(ends, UTC).isoformat()
        written(
            file, {"id": "old", "key": SECRET, "not_after": until}, {"id": "new", "key": verifying}
        )
        await wait_until(lambda: len(keys.ring.keys) == 2)
        number = 0
        while (begun := time.time()) < ends + 1.2:
            number += 1
            old, new = await asyncio.gather(
                delivered(receiver, number, SECRET), delivered(receiver, number, signing)
            )
            if old != 202 and time.time() < ends:
                refused_early.append(begun)
            if old == 202 and begun >= ends + 1:
                taken_late.append(begun)
            if new != 202:
                new_refused.append(new)
            await asyncio.sleep(0.01)
        assert await delivered(receiver, 0, SECRET) == 401

    assert (refused_early, taken_late, new_refused) == ([], [], [])
    assert number > 10


async def test_a_key_that_is_taken_out_of_the_file_ends_within_a_second(
    redis: Redis, tmp_path: Path
) -> None:
    """An emergency needs neither a date nor a restart."""
    file = tmp_path / "secrets"
    written(file, {"key": SECRET}, {"key": OTHER})
    keys = Keys(WebhookConfig.from_env({"LUDO_WEBHOOK_SECRETS_FILE": str(file)}))
    intake = replace(an_intake(redis), ring=lambda: keys.ring, clock=time.time)
    async with beside("keys", keys.run()), a_receiver(intake) as receiver:
        assert await delivered(receiver, 0, SECRET) == 202
        written(file, {"key": OTHER})
        await wait_until(lambda: len(keys.ring.keys) == 1)
        assert await delivered(receiver, 1, SECRET) == 401
        assert await delivered(receiver, 1, OTHER) == 202
