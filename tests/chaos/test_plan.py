"""The kill plan follows from the seed."""

from ludo.store.claims import LEASE_MS
from tests.chaos.plan import LONG_EVERY, PAST_THE_LEASE_S, VICTIMS, How, plan_round


def test_a_seed_gives_the_same_plan_again_and_another_seed_another() -> None:
    """What is printed reproduces who was struck when."""
    rounds = range(1, 40)
    assert [plan_round("7", n) for n in rounds] == [plan_round("7", n) for n in rounds]
    assert plan_round("7", 1).strikes != plan_round("8", 1).strikes


def test_every_round_strikes_every_victim() -> None:
    """No part is spared, and over some rounds each is killed as well as frozen."""
    plans = [plan_round("7", n) for n in range(1, 40)]
    assert all({each.victim for each in plan.strikes} == {*VICTIMS} for plan in plans)
    struck = {(each.victim, each.how) for plan in plans for each in plan.strikes}
    assert struck == {(victim, how) for victim in VICTIMS for how in How}


def test_strikes_of_one_victim_do_not_overlap() -> None:
    """What is down already cannot be struck."""
    for plan in (plan_round("7", n) for n in range(1, 200)):
        until: dict[str, float] = {}
        for strike in plan.strikes:
            assert strike.at >= until.get(strike.victim, 0)
            until[strike.victim] = strike.at + strike.lasts


def test_every_second_round_hides_nothing() -> None:
    """Nothing is dropped there, and no state can be fetched."""
    assert [plan_round("7", n).hides_nothing for n in range(1, 5)] == [False, True, False, True]
    assert "lossless" in plan_round("7", 2).faults


def test_some_rounds_stop_a_worker_for_longer_than_its_lease() -> None:
    """It comes back to a game that another one has worked on, and must not write."""
    strikes = plan_round("7", LONG_EVERY).strikes
    assert max(each.lasts for each in strikes) == PAST_THE_LEASE_S > LEASE_MS / 1000
