"""`/admin/deadletters`: what was given up, seen, redriven and discarded."""

from typing import Any

import httpx
from pydantic import SecretStr
from redis.asyncio import Redis

from ludo.store import keys
from tests.proxy.builders import a_proxy, bearer
from tests.workers.builders import GAME, a_bench, a_history, delivery

TOKEN = "the-operators-token"
HISTORY = a_history()


async def given_up(redis: Redis) -> str:
    """Leaves a letter: an id that came with another body, which is the game's next event."""
    bench = a_bench(redis)
    await bench.inbox.accept(delivery(HISTORY[0], "msg_1"))
    await bench.applier.apply(GAME)
    await bench.inbox.accept(delivery(HISTORY[1], "msg_1"))
    ((letter_id, _),) = await redis.xrange(keys.DEAD_LETTERS)
    return str(letter_id.decode())


async def ask(redis_url: str, method: str, path: str, **body: Any) -> httpx.Response:
    """An answer of `/admin/deadletters` to the token's holder."""
    async with a_proxy(redis_url, admin_token=SecretStr(TOKEN)) as proxy:
        return await proxy.request(
            method,
            f"/admin/deadletters{path}",
            headers=bearer(TOKEN),
            json=body if method == "POST" else None,
        )


async def test_the_list_can_be_narrowed(redis_url: str, redis: Redis) -> None:
    """By game, cause and age; the total is of all."""
    letter_id = await given_up(redis)
    found = {}
    for query in ("", f"?game={GAME}&cause=id-conflict", "?cause=illegal", "?older_than=1h"):
        data = (await ask(redis_url, "GET", query)).json()["data"]
        found[query] = [each["id"] for each in data["deadLetters"]]
        assert data["total"] == 1

    assert list(found.values()) == [[letter_id], [letter_id], [], []]


async def test_a_letter_is_shown_with_its_event(redis_url: str, redis: Redis) -> None:
    """Whole, and without anything that could be used to forge one."""
    letter = (await ask(redis_url, "GET", f"/{await given_up(redis)}")).json()["data"]

    assert (letter["gameId"], letter["sequence"], letter["cause"]) == (GAME, 2, "id-conflict")
    assert letter["event"]["type"] == "game:dice-rolled"
    assert letter["attempts"] == 1


async def test_an_unknown_letter_is_404(redis_url: str) -> None:
    """With a problem, whatever the id looks like."""
    for letter_id in ("1-1", "nonsense"):
        assert (await ask(redis_url, "GET", f"/{letter_id}")).status_code == 404


async def test_a_redrive_tells_what_became_of_each(redis_url: str, redis: Redis) -> None:
    """A dry run changes nothing; a letter that is not there is told to be missing."""
    letter_id = await given_up(redis)
    dry = await ask(redis_url, "POST", "/redrive", ids=[letter_id], dryRun=True)
    assert [each["id"] for each in dry.json()["data"]["deadLetters"]] == [letter_id]
    assert await redis.xlen(keys.inbox(GAME)) == 0

    answer = await ask(redis_url, "POST", "/redrive", ids=[letter_id, "5-5"])

    results = {each["id"]: each["outcome"] for each in answer.json()["data"]["results"]}
    assert results == {letter_id: "pending", "5-5": "missing"}  # no worker is there
    assert await redis.xlen(keys.inbox(GAME)) == 1


async def test_a_discard_is_recorded(redis_url: str, redis: Redis) -> None:
    """By whom, and for good."""
    letter_id = await given_up(redis)
    answer = await ask(redis_url, "POST", "/discard", game=GAME)

    assert answer.json()["data"]["results"] == [{"id": letter_id, "outcome": "discarded"}]
    assert await redis.xlen(keys.DEAD_LETTERS) == 0
    ((_, record),) = await redis.xrange(keys.DISCARDED)
    assert record[b"by"] == b"admin"


async def test_meaning_nothing_or_too_much_is_400(redis_url: str, redis: Redis) -> None:
    """Nobody discards everything for want of a word."""
    letter_id = await given_up(redis)
    bodies: list[dict[str, Any]] = [
        {},
        {"ids": [letter_id], "cause": "illegal"},
        {"olderThan": "soon"},
        {"casue": "illegal"},
    ]
    for body in bodies:
        assert (await ask(redis_url, "POST", "/discard", **body)).status_code == 400, body
    assert await redis.xlen(keys.DEAD_LETTERS) == 1
