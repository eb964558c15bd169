"""Faults follow from the seed alone."""

import pytest

from sandbox.errors import FaultsError
from sandbox.faults import OF_EVENTS, PROFILES, Fault, Faults, parse_rates


def always(*faults: Fault) -> Faults:
    return Faults("7", dict.fromkeys(faults, 1.0))


def test_a_profile_and_rates_make_the_rates() -> None:
    """Rates behind a profile change it; alone they are all there is."""
    assert parse_rates("none") == {}
    assert parse_rates("lossless, late=0.5") == {**PROFILES["lossless"], Fault.LATE: 0.5}
    assert parse_rates("state_down=1") == {Fault.STATE_DOWN: 1.0}
    assert parse_rates("") == {}


@pytest.mark.parametrize("text", ["some", "all,later=0.1", "all,late=2", "late=often", "all,late"])
def test_impossible_rates_are_refused(text: str) -> None:
    """The message says what was expected."""
    with pytest.raises(FaultsError, match=r"expected .*; found"):
        parse_rates(text)


def test_lossless_loses_and_forges_nothing() -> None:
    """Under it every event arrives in the end."""
    lost = {Fault.DROPPED, Fault.FORGED, Fault.FORGED_LOST}

    assert not PROFILES["lossless"].keys() & lost
    assert lost <= PROFILES["all"].keys()


def test_the_same_seed_decides_the_same() -> None:
    """Two runs with one seed suffer the same faults, another seed others."""
    rates = dict.fromkeys(OF_EVENTS, 0.2)
    one, same, other = Faults("7", rates), Faults("7", rates), Faults("8", rates)

    drawn = [one.of_event("gm", n) for n in range(200)]

    assert drawn == [same.of_event("gm", n) for n in range(200)]
    assert drawn != [other.of_event("gm", n) for n in range(200)]


def test_rates_are_kept() -> None:
    """About as many events suffer a fault as its rate says."""
    faults = Faults("7", {Fault.LATE: 0.1})

    hit = sum(bool(faults.of_event("gm", n)) for n in range(5_000))

    assert 400 < hit < 600


def test_what_never_arrives_suffers_nothing_else() -> None:
    """A dropped event is not late, and one that is replaced is not sent twice."""
    assert always(*OF_EVENTS).of_event("gm", 1) == {Fault.DROPPED}
    assert always(Fault.FORGED_LOST, Fault.TWICE).of_event("gm", 1) == {Fault.FORGED_LOST}


def test_a_retry_suffers_nothing() -> None:
    """Only the first delivery of an event is spoilt."""
    assert always(Fault.TAMPERED).of_event("gm", 1, attempt=2) == frozenset()


def test_only_states_are_down() -> None:
    """`state_down` spares every other path."""
    faults = always(Fault.STATE_DOWN)

    assert faults.of_answer("GET /v1/games/gm_1/state", 1) is Fault.STATE_DOWN
    assert faults.of_answer("GET /v1/rooms", 1) is None
    assert faults.of_answer("POST /v1/games/gm_1/move", 1) is None


def test_delays_stay_below_the_longest() -> None:
    """A late event is never later than told."""
    delays = [Faults("7", longest=2.0).delay(Fault.LATE, "gm", n) for n in range(100)]

    assert min(delays) >= 0.2
    assert max(delays) < 2.0
