"""The direct way in says what the routed one says."""

import asyncio
from typing import Any
from unittest.mock import patch

import httpx
import pytest
from redis.asyncio import Redis

from proxy.webhooks import direct
from tests.webhooks.builders import OTHER, SECRET, an_app, an_intake, bytes_of, signed
from tests.workers.builders import a_history

BODY = bytes_of(a_history()[0])
DIRECT, ROUTED = "/webhooks/ludo", "/webhooks/ludo/"
CASES: dict[str, tuple[bytes, dict[str, Any], int]] = {
    "accepted": (BODY, {}, 202),
    "forged": (BODY, {"secret": OTHER}, 401),
    "late": (BODY, {"at": 1}, 401),
    "malformed": (b"[]", {}, 400),
}


@pytest.mark.parametrize("case", CASES)
async def test_both_ways_answer_the_same(redis: Redis, case: str) -> None:
    """Status, fields and body, byte by byte, for what is taken and what is refused."""
    body, how, status = CASES[case]
    answers = []
    transport = httpx.ASGITransport(an_app(an_intake(redis, SECRET)))
    async with httpx.AsyncClient(transport=transport, base_url="http://proxy") as http:
        for path in (DIRECT, ROUTED):
            headers = signed(body, webhook_id=f"msg_{len(path)}", **how)
            answer = await http.post(path, content=body, headers=headers)
            answers.append((answer.status_code, sorted(answer.headers.raw), answer.content))

    assert answers[0] == answers[1]
    assert answers[0][0] == status


async def test_what_goes_wrong_here_is_a_problem(redis: Redis) -> None:
    """An exception that nobody foresaw is a 500 that says nothing of itself."""

    async def crash(*_: object) -> None:
        await asyncio.sleep(0)
        raise LookupError("secret")

    transport = httpx.ASGITransport(an_app(an_intake(redis)))
    with patch.object(direct, "answer_to", crash):
        async with httpx.AsyncClient(transport=transport, base_url="http://proxy") as http:
            answer = await http.post(DIRECT, content=BODY, headers=signed(BODY))

    assert answer.status_code == 500
    assert answer.json()["type"] == "internal"
    assert "secret" not in answer.text
