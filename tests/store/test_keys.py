"""Every key is built in one place."""

from ludo.store import keys

BUILDERS = (keys.game, keys.inbox, keys.feed, keys.seen, keys.lease, keys.flight)


def test_no_id_makes_one_games_key_that_of_another() -> None:
    """Upstream chooses the ids, so one may look like the end of another's key."""
    ids = ["g", *(f"g:{build.__name__}" for build in BUILDERS)]
    built = {build(game_id) for build in BUILDERS for game_id in ids}

    assert len(built) == len(BUILDERS) * len(ids)


def test_script_can_build_a_games_keys() -> None:
    """The sweeper gets what they begin with."""
    assert all(build("g") == build("") + "g" for build in BUILDERS)


def test_only_named_keys_may_stay_for_ever() -> None:
    """A key of one game or of one delivery has to expire."""
    assert keys.permanent(keys.DUE)
    assert keys.permanent(keys.game("g")) is None
    assert keys.permanent(keys.delivery("msg_1")) is None


def test_no_two_writes_share_a_key() -> None:
    """A caller's mark on a game is never another game's, whatever colons their ids have."""
    marks = [
        keys.written("a:b"),
        keys.written_by("b", "a"),
        keys.written_by("a", "b"),
        keys.written_by("1:a", "b"),
        keys.written_by("1", "a:b"),
    ]
    assert len(set(marks)) == len(marks)
