"""What is saved is there, whole, once, and in order."""

from dataclasses import replace

import msgspec
import pytest

from ludo.mirror.body import from_body
from ludo.mirror.replay import replay
from ludo.rules.events import Player
from ludo.rules.ruleset import RuleSet
from ludo.store.archive.archive import Archive
from ludo.store.log import from_kept
from tests.store.archive.builders import FINAL, HISTORY, a_game, a_log


async def test_game_is_there_with_its_log(archive: Archive) -> None:
    """State and entries come back as they were saved."""
    game, log = a_game(), a_log()
    assert await archive.save(game, log)

    assert await archive.load("gm_1") == game
    assert await archive.log("gm_1") == log
    assert await archive.load("gm_2") is None
    assert await archive.log("gm_2") == []


async def test_replay_of_the_archive_ends_in_the_final_state(archive: Archive) -> None:
    """The events that were archived lead to the state that was."""
    await archive.save(a_game(), a_log())
    entries = [from_kept(kept, RuleSet()) for kept in await archive.log("gm_1")]
    *_, (_, last) = replay(entries, RuleSet())
    assert last == FINAL


async def test_saving_twice_is_saving_once(archive: Archive) -> None:
    """A worker that died after the commit leaves nothing double."""
    for _ in range(2):
        assert await archive.save(a_game(), a_log())
    assert len(await archive.log("gm_1")) == len(HISTORY)
    assert len(await archive.list(limit=10)) == 1


async def test_older_copy_never_replaces_a_newer_one(archive: Archive) -> None:
    """A worker that slept while the game went on comes too late."""
    newer = a_game(revision=20)
    await archive.save(newer, a_log())
    assert not await archive.save(a_game(revision=10), a_log()[:5])
    assert await archive.load("gm_1") == newer
    assert len(await archive.log("gm_1")) == len(HISTORY)


async def test_newer_copy_replaces_an_older_one(archive: Archive) -> None:
    """A game that went on after it was saved is saved as it then was."""
    await archive.save(a_game(revision=10), a_log()[:5])
    newer = a_game(revision=20)
    assert await archive.save(newer, a_log())
    assert await archive.load("gm_1") == newer
    assert len(await archive.log("gm_1")) == len(HISTORY)


async def test_last_game_comes_first(archive: Archive) -> None:
    """Pages go back in time, and games of one moment go by their ids, byte by byte."""
    for name, ended_at in (("a", 1), ("B", 2), ("b", 2), ("c", 3)):
        await archive.save(a_game(name, ended_at=ended_at), [])
    first = await archive.list(limit=2)
    assert [game.game_id for game in first] == ["c", "b"]
    second = await archive.list(limit=9, before=(2, "b"))
    assert [game.game_id for game in second] == ["B", "a"]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"status": "finished"}, ["gm_1"]),
        ({"status": "abandoned"}, []),
        ({"player_id": "player-red"}, ["gm_1"]),
        ({"player_id": "nobody"}, []),
    ],
)
async def test_games_are_found_by_status_and_player(
    archive: Archive, wanted: dict[str, str], found: list[str]
) -> None:
    """Only what was asked for is listed."""
    await archive.save(a_game(), [])
    listed = await archive.list(limit=9, **wanted)
    assert [game.game_id for game in listed] == found


async def test_any_text_of_upstream_can_be_archived(archive: Archive) -> None:
    """A name may have U+0000 in it, for which PostgreSQL has no room."""
    (played,) = FINAL.games
    red, *others = played.players
    named = played._replace(players=(Player(red.id, "Ann\0e 🎲", red.color), *others))
    game = a_game("gm_\0x", final=replace(FINAL, games=(named,)))
    await archive.save(game, a_log())

    found = await archive.load("gm_\0x")
    assert found is not None
    assert found.body_json == game.body_json


async def test_old_games_are_given_up_with_all_they_have(archive: Archive) -> None:
    """The retention deletes the oldest first, in bounded steps."""
    for n in range(4):
        await archive.save(a_game(f"gm_{n}", ended_at=n * 1_000), a_log()[:3])
    assert await archive.give_up(before=2_600, limit=1) == 1
    assert await archive.give_up(before=2_600, limit=9) == 1
    assert await archive.give_up(before=2_600, limit=9) == 0
    left = [game.game_id for game in await archive.list(limit=9)]
    assert left == ["gm_3", "gm_2"]
    assert await archive.log("gm_0") == []


async def test_state_is_the_state(archive: Archive) -> None:
    """What is read can be made a snapshot again."""
    await archive.save(a_game("gm_test"), [])
    found = await archive.load("gm_test")
    assert found is not None
    assert from_body(msgspec.json.decode(found.body_json), RuleSet()) == FINAL
