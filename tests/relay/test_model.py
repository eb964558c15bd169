"""Whole deployments by seed: whatever fails, every client ends with the truth, in order."""

import subprocess
import sys

import pytest

from tests.relay.model.world import play

SHARDS = 25
A_SHARD = 20
PROVED = 10_000


@pytest.mark.parametrize("shard", range(SHARDS))
def test_no_client_diverges(shard: int) -> None:
    """500 seeds: each delta applied once and in order, and at the end everybody has the mirror."""
    outcomes = [play(shard * A_SHARD + each, actions=20) for each in range(A_SHARD)]
    assert sum(outcome.applied for outcome in outcomes) > 5 * A_SHARD


@pytest.mark.prove
@pytest.mark.parametrize("shard", range(20))
def test_no_client_diverges_in_ten_thousand_worlds(shard: int) -> None:
    """10,000 longer ones, of 200 actions each."""
    share = PROVED // 20
    for each in range(share):
        play(100_000 + shard * share + each, actions=200)


def test_a_run_is_told_by_its_seed() -> None:
    """Another process, with other hashes, sees exactly the same run, so a failing seed replays."""
    here = play(11, actions=60)
    command = [sys.executable, "-m", "tests.relay.model", "11", "60"]
    there = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert str(here) in there.stdout
