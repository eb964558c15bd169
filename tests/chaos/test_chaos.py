"""The proof itself, at the size that continuous integration has time for, and its own proof."""

import json
import os
import sys
from asyncio import create_subprocess_exec, subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.plan import How, Plan, plan_round

pytestmark = [pytest.mark.e2e]
ROOT = Path(__file__).parents[2]
SEED = "7"


async def _run(folder: Path, module: str, *arguments: str) -> tuple[int, dict[str, Any], str]:
    """The exit code, the totals and the lines of a run; what it leaves is in the folder."""
    process = await create_subprocess_exec(
        *(sys.executable, "-m", module, *arguments),
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    out, err = await process.communicate()
    return process.returncode or 0, json.loads(out or b"{}"), err.decode()


async def _chaos(folder: Path, rounds: int, *options: str) -> tuple[int, dict[str, Any], str]:
    wish = ("--json", "--seed", SEED, "--rounds", str(rounds), *options)
    return await _run(folder, "tests.chaos", *wish)


@pytest.mark.timeout(600)
async def test_nothing_is_lost_doubled_or_reordered_whatever_is_killed(tmp_path: Path) -> None:
    """Short rounds, healing and not: every acknowledged event has an outcome, every mirror is
    the truth."""
    code, found, err = await _chaos(tmp_path, 30, "--games", "1")

    assert code == 0, err + str(found)
    assert found["rounds"] == 30
    assert set(found["kills"]) == {"proxy", "redis", "worker"}
    assert found["acknowledged"] == sum(found["outcomes"].values())


@pytest.mark.prove
@pytest.mark.timeout(7200)
async def test_nothing_is_lost_in_five_hundred_rounds(tmp_path: Path) -> None:
    """The same, for long enough that rare interleavings come up."""
    code, found, err = await _chaos(tmp_path, 500)

    assert code == 0, err + str(found)
    assert found["rounds"] == 500


@pytest.mark.timeout(120)
async def test_a_receiver_that_acknowledges_before_it_stores_is_caught(tmp_path: Path) -> None:
    """Killed in between, it has lost what the ledger says was acknowledged."""
    seed = next(seed for seed in map(str, range(100)) if _kills_the_proxy(plan_round(seed, 1)))
    code, found, err = await _run(tmp_path, "tests.chaos.early", seed)

    assert code == 1, err
    assert found["lost"] > 0
    assert "lost msg_" in "".join(found["complaints"])


def _kills_the_proxy(plan: Plan) -> bool:
    """Whether games are under way when it dies."""
    return any(
        each.victim == "proxy" and each.how is How.KILL and each.at > 0.8 for each in plan.strikes
    )
