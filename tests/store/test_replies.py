"""First answers: given again to the same request, never to another."""

import pytest
from redis.asyncio import Redis

from ludo.store import replies as module
from ludo.store.replies import Busy, Done, Go, Replies, Reused, new_token, request_name
from ludo.store.scripts import Scripts
from tests.waiting import wait_until

NAME = request_name("sub:ann", "POST", "/rooms", "key-1")
BODY = b'{"maxPlayers":4}'


@pytest.fixture
def replies(redis: Redis) -> Replies:
    return Replies(Scripts(redis))


async def begun(replies: Replies) -> str:
    """The token of a try that may go out."""
    token = new_token()
    assert await replies.begin(NAME, token, BODY) == Go()
    return token


async def test_the_first_answer_comes_again(replies: Replies) -> None:
    """The request goes out once, however often it is sent."""
    await replies.keep(NAME, await begun(replies), 201, b"first")
    assert await replies.begin(NAME, new_token(), BODY) == Done(201, b"first")


async def test_a_running_request_is_not_sent_twice(replies: Replies) -> None:
    """The second one is told to wait."""
    await begun(replies)
    assert await replies.begin(NAME, new_token(), BODY) == Busy()


@pytest.mark.parametrize("answered", [True, False])
async def test_another_body_is_another_request(replies: Replies, answered: bool) -> None:
    """A key belongs to its first body, while that runs and afterwards."""
    token = await begun(replies)
    if answered:
        await replies.keep(NAME, token, 201, b"first")
    assert await replies.begin(NAME, new_token(), b"{}") == Reused()


async def test_a_request_without_an_answer_may_go_out_again(replies: Replies) -> None:
    """A failure is nothing worth repeating; the body still has to be the same."""
    await replies.release(NAME, await begun(replies))
    assert await replies.begin(NAME, new_token(), b"{}") == Reused()
    await begun(replies)


async def test_a_request_that_died_is_taken_over(
    replies: Replies, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its late answer does not replace the one that took over."""
    monkeypatch.setattr(module, "RUNNING_MS", 50)
    dead = await begun(replies)
    await wait_until(lambda: _go(replies))
    await replies.keep(NAME, dead, 201, b"late")
    assert not isinstance(await replies.begin(NAME, new_token(), BODY), Done)


async def _go(replies: Replies) -> bool:
    return isinstance(await replies.begin(NAME, new_token(), BODY), Go)


@pytest.mark.parametrize(
    "other",
    [
        ("sub:bob", "POST", "/rooms", "key-1"),
        ("sub:ann", "POST", "/players", "key-1"),
        ("sub:ann", "POST", "/rooms", "key-2"),
    ],
)
def test_caller_route_and_key_make_a_request(other: tuple[str, str, str, str]) -> None:
    """None of them alone does: nobody gets another one's answer."""
    assert request_name(*other) != NAME
