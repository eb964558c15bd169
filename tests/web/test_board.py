"""The board in a browser: what it shows of a game, and how it goes on."""

import re

import pytest

from ludo.rules.ruleset import GameMode
from tests.web.boards import Board, positions
from tests.web.conftest import OpenBoard
from tests.web.fake_relay import FakeRelay
from tests.web.recorded import recorded

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_snapshot_is_shown(relay: FakeRelay, open_board: OpenBoard) -> None:
    """Every piece, the player in turn, the names and the place are those of the snapshot."""
    showing = relay.show(recorded(1), 40)
    board = await open_board()
    await board.shows(showing)
    assert await board.data("game") == "gm_recorded"
    assert await board.data("status") == "playing"
    assert await board.text("#sequence") == "#40"
    names = {player["playerName"] for player in showing.state["players"]}
    assert set(await board.page.locator("#board .name").all_text_contents()) == names
    await board.is_connected("live")


async def test_deltas_are_followed_one_by_one(relay: FakeRelay, open_board: OpenBoard) -> None:
    """After each event the page shows exactly that state."""
    showing = relay.show(recorded(1))
    board = await open_board()
    await board.shows(showing)
    for _ in range(15):
        await relay.play(showing)
        await board.shows(showing)


async def test_fast_game_is_caught_up_with(relay: FakeRelay, open_board: OpenBoard) -> None:
    """A burst of events is played faster, and ends with every piece where it belongs."""
    showing = relay.show(recorded(1))
    board = await open_board(reduced_motion="no-preference")
    await board.shows(showing)
    await relay.play(showing, 50)
    await board.shows(showing)


async def test_end_of_a_game_is_shown(relay: FakeRelay, open_board: OpenBoard) -> None:
    """The last state is the truth, and the winner and all places are told."""
    showing = relay.show(recorded(1), recorded(1).last - 60)
    board = await open_board("gm_recorded")
    await board.shows(showing)
    await relay.play(showing, showing.recording.last)
    await board.shows(showing)
    names = {p["playerId"]: p["playerName"] for p in showing.state["players"]}
    placements = showing.recording.deltas[-1]["ev"]["placements"]
    await board.says("#curtain h2", f"{names[placements[0]]} wins")
    places = await board.page.locator("#curtain .places li").all_inner_texts()
    assert [place.split()[-1] for place in places] == [names[each] for each in placements]
    assert await board.data("status") == "finished"


async def test_finished_game_is_shown_to_a_latecomer(
    relay: FakeRelay, open_board: OpenBoard
) -> None:
    """A link to a game that is over shows its end."""
    game = recorded(1)
    showing = relay.show(game, game.last)
    board = await open_board("gm_recorded")
    await board.shows(showing)
    await board.says("#curtain h2", "wins")


async def test_finished_games_are_listed_and_shown(relay: FakeRelay, open_board: OpenBoard) -> None:
    """Those that are over have a list of their own, whose links lead to their ends."""
    live = relay.show(recorded(2, game_id="gm_live"), 40)
    game = recorded(1)
    over = relay.show(game, game.last)
    board = await open_board()
    await board.shows(live)
    assert await board.page.locator("#games a").count() == 1
    await board.page.locator("#over a").click()
    await board.shows(over)
    await board.says("#curtain h2", "wins")
    assert await board.page.locator('#over a[aria-current="true"]').count() == 1


async def test_capture_is_told(relay: FakeRelay, open_board: OpenBoard) -> None:
    """The captured piece is back in its yard, with a note on the board and in the log."""
    game = recorded(1)
    seq = game.first_capture()
    showing = relay.show(game, seq - 1)
    board = await open_board()
    await board.shows(showing)
    await relay.play(showing)
    shown = await board.page.wait_for_selector(".capture-note text")
    await board.shows(showing)
    told = game.deltas[seq]["ev"]
    note = f"{told['pieceId'].split('-')[0]} captured {' and '.join(told['captured'])}"
    assert shown is not None
    assert await shown.text_content() == note
    assert note in await board.text("#log li:first-child")


async def test_die_shows_the_roll(relay: FakeRelay, open_board: OpenBoard) -> None:
    """The die has as many pips as were rolled, and counts until the next event."""
    game = recorded(2)
    showing = relay.show(game)
    board = await open_board()
    for value in (1, 2, 3, 4, 5, 6):
        seq = game.find("game:dice-rolled", showing.seq + 1, value=value)
        await board.shows(showing)
        await relay.play(showing, seq)
        await board.shows(showing)
        assert await board.page.locator(".die:not(.waiting) circle").count() == value


async def test_pieces_on_one_square_stand_apart(relay: FakeRelay, open_board: OpenBoard) -> None:
    """A piece that joins another one hides neither, and the one left behind takes its place."""
    game = recorded(1, GameMode.CLASSIC)
    showing = relay.show(game, game.first_meeting() - 1)
    board = await open_board()
    await board.shows(showing)
    for _ in range(6):
        await relay.play(showing)
        await board.shows(showing)


async def test_other_epoch_replaces_the_board(relay: FakeRelay, open_board: OpenBoard) -> None:
    """A state that contradicts what was shown takes its place, also when it is behind."""
    showing = relay.show(recorded(1), 90)
    board = await open_board()
    await board.shows(showing)
    await relay.rotate(showing, recorded(3), 30)
    await board.shows(showing)
    await relay.play(showing)
    await board.shows(showing)


async def test_strange_events_do_not_stop_the_board(
    relay: FakeRelay, open_board: OpenBoard
) -> None:
    """An event that no piece or player here fits is shown by the state that it leads to."""
    showing = relay.show(recorded(1), 60)
    board = await open_board()
    await board.shows(showing)
    for _ in range(4):
        await relay.play_strangely(showing)
        await board.shows(showing)


async def test_stale_mirror_is_said(relay: FakeRelay, open_board: OpenBoard) -> None:
    """The sign tells that the mirror is behind its source, how old it is, and when it is over."""
    showing = relay.show(recorded(1), 9)
    board = await open_board()
    await board.shows(showing)
    await relay.freshness(showing, stale=True, age=42)
    await board.is_connected("stale")
    assert re.fullmatch(r"Stale · 4\d s old", await board.text("#connection"))
    await relay.freshness(showing, stale=False)
    await board.is_connected("live")


async def test_newest_game_is_watched_until_one_is_picked(
    relay: FakeRelay, open_board: OpenBoard
) -> None:
    """Without a choice the newest game is shown; a link of the list leads to another one."""
    other = relay.show(recorded(3, game_id="gm_other", room_code="PL4YME"), 12)
    newest = relay.show(recorded(1), 9)
    board = await open_board()
    await board.shows(newest)
    await board.page.click('a[href="#gm_other"]')
    await board.shows(other)
    assert await board.page.get_attribute('a[href="#gm_other"]', "aria-current") == "true"
    assert [frame["game"] for frame in relay.sent_by_clients("unsub")] == ["gm_recorded"]


async def test_next_game_comes_up_by_itself(relay: FakeRelay, open_board: OpenBoard) -> None:
    """Some seconds after the end the board moves on to a game that is still played."""
    other = relay.show(recorded(3, game_id="gm_other"), 12)
    game = recorded(1)
    ending = relay.show(game, game.last - 1)
    board = await open_board()
    await board.shows(ending)
    await board.page.clock.install()
    await relay.play(ending)
    await board.says("#curtain", "Next game in")
    await board.page.clock.run_for(9_000)
    await board.page.clock.resume()
    await board.shows(other)


async def test_picked_game_stays_when_it_is_over(relay: FakeRelay, open_board: OpenBoard) -> None:
    """Who picked a game is offered another one, but not taken there."""
    relay.show(recorded(3, game_id="gm_other"), 12)
    game = recorded(1)
    ending = relay.show(game, game.last - 1)
    board = await open_board("gm_recorded")
    await board.shows(ending)
    await relay.play(ending)
    await board.page.click("#curtain .button")
    await board.page.wait_for_selector('html[data-game="gm_other"]')


async def test_empty_house_says_what_to_do(relay: FakeRelay, open_board: OpenBoard) -> None:
    """Without games the board says so, and shows the first one that starts."""
    board = await open_board()
    await board.says("#curtain", "make demo")
    showing = relay.show(recorded(1))
    await board.ask_for_games()
    await board.shows(showing)
    assert not await board.page.is_visible("#curtain")


async def test_nothing_overflows(relay: FakeRelay, open_board: OpenBoard) -> None:
    """At every width the page fits, and the board is within the window and square."""
    showing = relay.show(recorded(1, names=("Maximiliane-Wilhelmina von und zu", *"BCD")), 40)
    board = await open_board()
    await board.shows(showing)
    for width in (320, 390, 768, 1024, 1280, 1920):
        await board.page.set_viewport_size({"width": width, "height": 844})
        box = await board.page.locator("#board").bounding_box()
        assert box is not None
        assert await board.overflow() <= 0, width
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        assert abs(box["width"] - box["height"]) < 1


async def test_two_players_leave_two_yards_empty(relay: FakeRelay, open_board: OpenBoard) -> None:
    """Seats that nobody took have no pieces and no name."""
    showing = relay.show(recorded(5, GameMode.QUICK, seats=2), 30)
    board = await open_board()
    await board.shows(showing)
    assert len(await board.pieces()) == len(positions(showing.state)) == 8
    assert await board.page.locator(".yard.empty").count() == 2


async def test_list_can_be_walked_with_the_keyboard(
    relay: FakeRelay, open_board: OpenBoard
) -> None:
    """Games are links: Tab reaches them and Enter picks one."""
    relay.show(recorded(1), 9)
    board = await open_board()
    await board.page.wait_for_selector("#games a")
    await press_until_on(board, "#gm_recorded")
    await board.page.keyboard.press("Enter")
    await board.page.wait_for_url("**/#gm_recorded")


async def press_until_on(board: Board, link: str) -> None:
    for _ in range(6):
        await board.page.keyboard.press("Tab")
        if await board.evaluate("() => document.activeElement.getAttribute('href')") == link:
            return
    raise AssertionError(f"Tab did not reach {link}")
