"""Every key is built in one place."""

from ludo.store import keys


def test_keys_of_a_game_begin_alike() -> None:
    """The sweeper builds them from the prefix, and an operator finds them by it."""
    whole = keys.game("g")
    parts = (keys.inbox("g"), keys.feed("g"), keys.seen("g"), keys.lease("g"), keys.flight("g"))

    assert whole == "ludo:game:g"
    assert all(part.startswith(f"{whole}:") for part in parts)
    assert len(set(parts)) == len(parts)


def test_only_named_keys_may_stay_for_ever() -> None:
    """A key of one game or of one delivery has to expire."""
    assert keys.permanent(keys.DUE)
    assert keys.permanent(keys.game("g")) is None
    assert keys.permanent(keys.delivery("msg_1")) is None
