"""What a room answers, from what it knows."""

import pytest

from proxy.relay.answers import Answer, Copy, Need, answer
from proxy.relay.listener import Ask, CaughtUp, Fresh, Renewed, Resume
from proxy.relay.ring import Ring
from tests.relay.builders import deltas, final_delta, place, snapshot


def known(tip: int, *, loaded_at: int, ring: int = 9, over: bool = False) -> Copy:
    """A game whose mirror was read at one sequence and which has gone on to another."""
    held = Ring(place(0), ring)
    for each in deltas(1, tip - over) + ([final_delta(tip)] if over else []):
        held.append(each)
    taken = snapshot(loaded_at, over=over and loaded_at == tip)
    return Copy(held, taken, snapshot(tip, over=True).ended if over else None)


def asked(copy: Copy, ask: Ask, **had: bool) -> Answer | Need:
    """The answer, with nothing read since unless said."""
    return answer(copy, ask, checked=had.get("checked", False), loaded=had.get("loaded", False))


def test_a_snapshot_at_the_tip_is_handed_out_without_reading() -> None:
    """A herd that comes to a warm room costs nothing."""
    found = asked(known(5, loaded_at=5), Resume(None))

    assert isinstance(found, Answer)
    assert isinstance(found.told, Renewed)
    assert (found.told.place, found.told.why, found.since) == (place(5), "initial", ())


@pytest.mark.parametrize("ask", [Resume(None), Fresh("slow"), Resume(place(3, "other"))])
def test_a_snapshot_older_than_the_tip_is_read_anew(ask: Ask) -> None:
    """And one just read is completed by the deltas since, so that a busy game answers too."""
    copy = known(5, loaded_at=3)
    assert asked(copy, ask) is Need.MIRROR
    found = asked(copy, ask, loaded=True)

    assert isinstance(found, Answer)
    assert found.told.place == place(3)
    assert [each.place.seq for each in found.since] == [4, 5]


def test_a_snapshot_that_the_deltas_do_not_reach_is_no_use() -> None:
    """Though just read: the game has gone on by more than is held."""
    assert asked(known(9, loaded_at=3, ring=2), Fresh("slow"), loaded=True) is Need.MIRROR


def test_a_claim_to_be_ahead_is_looked_into_before_it_is_denied() -> None:
    """The feed first, then the mirror; only then the client is wrong."""
    ahead = Resume(place(6))
    assert asked(known(5, loaded_at=5), ahead) is Need.FEED
    found = asked(known(5, loaded_at=5), ahead, checked=True)
    assert isinstance(found, Answer)
    assert isinstance(found.told, Renewed)
    assert found.told.why == "ahead"

    found = asked(known(5, loaded_at=6), ahead, checked=True)
    assert isinstance(found, Answer)
    assert found.told == CaughtUp(place(6), (), None)


def test_an_end_after_the_snapshot_is_told_after_its_deltas() -> None:
    """Snapshot, deltas, end: in this order."""
    copy = known(5, loaded_at=4, over=True)
    found = asked(copy, Fresh("slow"), loaded=True)

    assert isinstance(found, Answer)
    assert found.told.ended is None
    assert found.over is not None
    assert found.over.ended == copy.ended
    assert found.final
