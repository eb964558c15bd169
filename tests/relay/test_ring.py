"""The last deltas of a game."""

from proxy.relay.ring import Ring
from tests.relay.builders import delta, deltas, place


def test_it_holds_the_end_of_what_was_appended() -> None:
    """Only as many as fit, always up to the tip."""
    ring = Ring(place(0), length=3)
    for each in deltas(1, 5):
        ring.append(each)

    assert (ring.place, ring.held_from) == (place(5), 3)
    assert [each.place.seq for each in ring.after(3) or ()] == [4, 5]
    assert ring.after(1) is None


def test_it_is_prefilled_as_far_back_as_there_is_no_hole() -> None:
    """Deltas above the place or before a hole are no use."""
    ring = Ring(place(5), length=9)
    ring.prefill([delta(1), *deltas(3, 7)])

    assert ring.held_from == 3
    assert [each.place.seq for each in ring.after(2) or ()] == [3, 4, 5]


def test_without_deltas_only_the_place_is_known() -> None:
    """Nothing is held, and nothing is missing above the place."""
    ring = Ring(place(5), length=9)
    ring.prefill([])

    assert ring.held_from == 6
    assert (ring.after(5), ring.after(4)) == ((), None)


def test_the_next_delta_is_of_the_same_epoch_and_one_above() -> None:
    """Anything else is not next."""
    ring = Ring(place(5), length=9)

    assert ring.is_next(delta(6))
    assert not any(ring.is_next(each) for each in (delta(5), delta(7), delta(6, "other")))
