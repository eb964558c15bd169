"""The whole way of an event on real parts: sandbox, proxy, worker, Redis, relay."""

import os
import shutil
import signal
from pathlib import Path

import pytest

from tests.e2e.demos import ROOT, RunningDemo, a_demo, clean_environ, ludo_proxy, started_in
from tests.waiting import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]


async def test_games_with_faults_end_equal_to_the_truth(tmp_path: Path) -> None:
    """Late, doubled, lost and forged deliveries, failing answers: every mirror is the truth."""
    ran = await ludo_proxy(
        *("demo", "--once", "--games", "3", "--seed", "7", "--json", "--speed", "40"),
        *("--port", "0", "--data-dir", str(tmp_path)),
    )

    assert ran.code == 0, ran.err
    assert len(ran.games) == 3
    assert all(game["mirror"]["status"] == "finished" for game in ran.games)
    assert "gaps repaired" in ran.err
    assert started_in(tmp_path) == []


async def test_nothing_is_lost_that_healing_would_hide(tmp_path: Path) -> None:
    """With nothing dropped and the state endpoint down throughout, the mirrors are equal too."""
    ran = await ludo_proxy(
        *("demo", "--once", "--games", "3", "--seed", "3", "--json", "--port", "0"),
        *("--speed", "40", "--faults", "lossless,state_down=1", "--data-dir", str(tmp_path)),
    )

    assert ran.code == 0, ran.err
    assert all(game["equal"] for game in ran.games)
    assert "gaps repaired: 0" in ran.err


async def test_broken_mirror_is_found(tmp_path: Path) -> None:
    """A worker that writes a wrong state makes the demo fail: the comparison is a real one."""
    broken = tmp_path / "tree"
    for room in ("ludo", "proxy", "workers", "sandbox", "cli"):
        shutil.copytree(ROOT / room, broken / room, ignore=shutil.ignore_patterns("__pycache__"))
    module = broken / "ludo/store/record.py"
    right = "msgspec.json.encode(to_body(mirror.snapshot))"
    assert right in module.read_text()
    wrong = right + """.replace(b'"position":56,', b'"position":55,')"""
    module.write_text(module.read_text().replace(right, wrong))
    ran = await ludo_proxy(
        *("demo", "--once", "--games", "1", "--seed", "7", "--speed", "60", "--port", "0"),
        *("--settle", "5"),
        *("--faults", "lossless,state_down=1", "--data-dir", str(tmp_path / "data")),
        cwd=broken,
        environ=clean_environ(PYTHONPATH=str(broken)),
    )

    assert ran.code == 1
    assert "DIFFERS" in ran.out


async def test_every_process_may_be_killed(tmp_path: Path) -> None:
    """kill -9 of the worker, the proxy, then Redis: the games go on and end equal."""
    arguments = ("--once", "--games", "3", "--seed", "11", "--speed", "25", "--json")
    async with a_demo(*arguments, folder=tmp_path) as demo:
        await _applied(demo, 100)
        for part in ("worker", "serve"):
            pid = demo.pid_of(part)
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            await _applied(demo, await demo.counter("outcome:applied:webhook") + 60)
        redis = await demo.redis_pid()
        assert redis is not None
        os.kill(redis, signal.SIGKILL)
        ran = await demo.ended(within=120)

    assert ran.code == 0, ran.err[-3000:]
    assert len(ran.games) == 3


async def _applied(demo: RunningDemo, at_least: int) -> None:
    async def reached() -> bool:
        return await demo.counter("outcome:applied:webhook") >= at_least

    await wait_until(reached, timeout=40)


async def test_ctrl_c_ends_every_process_within_five_seconds(tmp_path: Path) -> None:
    """A demo that is watched ends at once and leaves nothing behind."""
    async with a_demo("--games", "2", folder=tmp_path) as demo:
        assert "http://127.0.0.1:" in await demo.line("Board:")
        await _applied(demo, 5)
        demo.interrupt()
        ran = await demo.ended(within=5)

    assert ran.code == 0, ran.err
    assert started_in(tmp_path) == []
