"""Upstream's answers as values."""

import httpx
import pytest
import respx

from ludo.upstream.client import LudoClient
from ludo.upstream.guard import Guard
from ludo.upstream.retry import Retries
from tests.mirror.builders import GAME, a_history, body_after, snapshot_after
from workers.planning import Fetched, Unknown, Unreachable
from workers.source import fetch_state

HISTORY = a_history()
STATE = {"success": True, "data": body_after(HISTORY[:9])}


async def fetched(answer: httpx.Response | Exception, game_id: str = GAME) -> Fetched:
    """What a worker makes of upstream's answer."""
    router = respx.Router()
    route = router.get(url__startswith="https://upstream.test/v1/games/")
    if isinstance(answer, Exception):
        route.mock(side_effect=answer)
    else:
        route.mock(return_value=answer)
    transport = httpx.MockTransport(router.async_handler)
    guard = Guard(retries=Retries.usual(1))
    async with LudoClient("https://upstream.test/v1", guard=guard, transport=transport) as client:
        return await fetch_state(client, game_id)


async def test_state_is_a_snapshot() -> None:
    """A sound body is the state it describes."""
    assert await fetched(httpx.Response(200, json=STATE)) == snapshot_after(HISTORY[:9])


async def test_unknown_game_is_unknown() -> None:
    """404 means that there is no such game, not that upstream is away."""
    assert await fetched(httpx.Response(404, json={"success": False, "error": "no"})) == Unknown()


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(503),
        httpx.Response(403, json={"error": "plan"}),
        httpx.Response(200, text="not json"),
        httpx.Response(200, json={"success": True, "data": {"gameId": GAME}}),
        httpx.ConnectError("refused"),
        httpx.ReadTimeout("slow"),
    ],
)
async def test_no_usable_answer_is_unreachable(answer: httpx.Response | Exception) -> None:
    """Whatever goes wrong, the mirror stays and upstream is asked again."""
    assert isinstance(await fetched(answer), Unreachable)


async def test_state_of_another_game_is_not_taken() -> None:
    """A mixed-up answer must not end in the wrong mirror."""
    assert isinstance(await fetched(httpx.Response(200, json=STATE), "gm_other"), Unreachable)


@pytest.mark.parametrize("game_id", ["..", "."])
async def test_id_that_no_path_can_carry_is_unknown(game_id: str) -> None:
    """An id out of an event never climbs out of upstream's path."""
    assert await fetched(httpx.Response(200, json=STATE), game_id) == Unknown()
