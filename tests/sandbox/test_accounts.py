"""Registered players."""

import pytest

from ludo.rules.events import Player
from ludo.rules.track import Color
from sandbox import accounts as accounts_module
from sandbox.accounts import Accounts, bot_id
from sandbox.bots import BOTS


def test_ids_are_new_and_follow_from_the_seed() -> None:
    """Two sandboxes of one seed give the same ids, and no id twice."""
    one, same = Accounts("7", 0), Accounts("7", 0)

    ids = [one.register("Eve", 0).id for _ in range(20)]

    assert ids == [same.register("Ann", 0).id for _ in range(20)]
    assert len(set(ids)) == 20
    assert one.register("Eve", 0, "seat").id != one.register("Eve", 0, "seat").id


def test_games_and_wins_are_counted() -> None:
    """For those who have an account, bots among them."""
    accounts = Accounts("7", 0)
    eve, bot = accounts.register("Eve", 0), accounts.find(bot_id(BOTS[0]))
    assert bot is not None

    accounts.count([Player(a.id, a.name, Color.RED) for a in (eve, bot)], winner=eve.id)

    assert (eve.body()["gamesPlayed"], eve.body()["gamesWon"]) == (1, 1)
    assert (bot.played, bot.won) == (1, 0)


def test_a_bot_is_known_but_no_person() -> None:
    """It can be looked up, and nobody joins a room as one."""
    accounts = Accounts("7", 0)

    assert accounts.find(bot_id(BOTS[0])) is not None
    assert not accounts.is_person(bot_id(BOTS[0]))
    assert accounts.is_person(accounts.register("Eve", 0).id)


def test_the_oldest_accounts_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is bounded."""
    monkeypatch.setattr(accounts_module, "MOST", 2)
    accounts = Accounts("7", 0)

    ids = [accounts.register("Eve", 0).id for _ in range(3)]

    assert [accounts.is_person(each) for each in ids] == [False, True, True]
