"""The relay's client for browsers: what it asks for, applies, drops and gives up."""

from typing import Any

import pytest

from tests.waiting import wait_until
from tests.web.conftest import OpenBoard
from tests.web.fake_relay import FakeRelay
from tests.web.recorded import recorded

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

PATIENCE = 15
PLACE_AT_9 = {"game": "gm_recorded", "epoch": "epoch-1", "seq": 9}


def without_id(frame: dict[str, Any]) -> dict[str, Any]:
    """A frame but for its type and number."""
    return {name: value for name, value in frame.items() if name not in ("t", "id")}


async def test_cut_connection_resumes_with_its_place(
    relay: FakeRelay, open_board: OpenBoard
) -> None:
    """After a cut the hello names epoch and sequence, and what was missed is replayed."""
    showing = relay.show(recorded(1), 9)
    board = await open_board()
    await board.shows(showing)
    relay.down = True
    await relay.cut()
    await board.is_connected("reconnecting")
    showing.seq += 7
    relay.down = False
    await board.shows(showing)
    await board.is_connected("live")
    assert relay.sent_by_clients("hello")[-1]["subs"] == [PLACE_AT_9]
    board.complaints.clear()  # the browser notes the refused list of games


async def test_missing_delta_is_asked_for_once(relay: FakeRelay, open_board: OpenBoard) -> None:
    """A hole in the sequence leads to one sub with my place, however much comes after it."""
    showing = relay.show(recorded(1), 9)
    board = await open_board("gm_recorded")
    await board.shows(showing)
    relay.skip(showing)
    await relay.play(showing, showing.seq + 3)
    await board.shows(showing)
    assert [without_id(frame) for frame in relay.sent_by_clients("sub")] == [PLACE_AT_9]


async def test_swallowed_last_delta_is_found_by_the_tips(
    relay: FakeRelay, open_board: OpenBoard
) -> None:
    """A heartbeat whose tip stays ahead for a second leads to a sub with my place."""
    showing = relay.show(recorded(1), 9)
    board = await open_board("gm_recorded")
    await board.shows(showing)
    relay.skip(showing)
    await relay.ping(n=7)
    await board.shows(showing)
    assert [without_id(frame) for frame in relay.sent_by_clients("sub")] == [PLACE_AT_9]
    assert relay.sent_by_clients("pong") == [{"t": "pong", "n": 7, "at": {"gm_recorded": 9}}]


async def test_repeated_delta_is_dropped(relay: FakeRelay, open_board: OpenBoard) -> None:
    """What is at or behind my place changes nothing and asks for nothing."""
    showing = relay.show(recorded(1), 9)
    board = await open_board("gm_recorded")
    await board.shows(showing)
    for repeated in (8, 10):
        await relay.repeat(showing, repeated)
        await relay.play(showing)
        await board.shows(showing)
    assert relay.sent_by_clients("sub") == []


async def test_patch_that_does_not_fit_asks_for_a_snapshot(
    relay: FakeRelay, open_board: OpenBoard
) -> None:
    """A copy that turns out to be wrong is given up, not guessed at."""
    showing = relay.show(recorded(1), 9)
    board = await open_board("gm_recorded")
    await board.shows(showing)
    await relay.play_wrongly(showing)
    await board.shows(showing)
    asked = [without_id(frame) for frame in relay.sent_by_clients("resync")]
    assert asked == [{"game": "gm_recorded", "why": "patch"}]


async def test_bye_moves_before_the_old_link_is_left(
    relay: FakeRelay, open_board: OpenBoard
) -> None:
    """A drained client opens the next link first, and closes the old one itself."""
    showing = relay.show(recorded(1), 9)
    board = await open_board("gm_recorded")
    await board.shows(showing)
    await relay.bye(after=0.05)
    await relay.play(showing)
    await wait_until(lambda: len(relay.sent_by_clients("hello")) == 2, PATIENCE)
    await wait_until(lambda: relay.connected == 1, PATIENCE)
    await relay.play(showing)
    await board.shows(showing)
    assert await board.data("connection") == "live"


@pytest.mark.parametrize(("code", "word"), [(4503, "stopped"), (4001, "live")])
async def test_close_code_says_whether_to_come_back(
    relay: FakeRelay, open_board: OpenBoard, code: int, word: str
) -> None:
    """4500–4999 are final, 4000–4499 are not."""
    showing = relay.show(recorded(1), 9)
    board = await open_board("gm_recorded")
    await board.shows(showing)
    await relay.cut(code)
    await board.is_connected(word)
    hellos = 1 if word == "stopped" else 2
    await wait_until(lambda: len(relay.sent_by_clients("hello")) == hellos, PATIENCE)


async def test_unknown_game_is_asked_for_again(relay: FakeRelay, open_board: OpenBoard) -> None:
    """not_found with retry is asked again after the time it names."""
    board = await open_board("gm_recorded")
    await board.says("#curtain", "gm_recorded")
    showing = relay.show(recorded(1), 9)
    await board.shows(showing)
    assert without_id(relay.sent_by_clients("sub")[-1]) == {"game": "gm_recorded"}
