"""`ludo-proxy demo`: from options to an exit code."""

import asyncio
import secrets
import signal
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from cli.demo.layout import Wishes
from cli.demo.playing import data_folder, play_on, play_once
from cli.demo.report import print_report
from ludo.logs import LogConfig, configure_logs

GAMES_TO_WATCH: Final = 4
GAMES_TO_CHECK: Final = 5
SPEED_TO_WATCH: Final = 1.5
ACTIONS_A_SECOND: Final = 240.0
"""All bots together, in a run that nobody watches: what two cores take in their stride."""
FASTEST: Final = 20.0
TERMINATED: Final = 128 + signal.SIGTERM

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """The options of the command, as they were typed."""

    once: bool
    games: int | None
    seed: str | None
    speed: float | None
    faults: str
    port: int
    settle: float
    data_dir: Path | None
    as_json: bool


def run_demo(options: DemoOptions, environ: Mapping[str, str]) -> bool:
    """Whether every mirror was equal to the truth; True when nothing was to be compared."""
    quiet = {**environ, "LUDO_LOG_FORMAT": environ.get("LUDO_LOG_FORMAT", "")}
    configure_logs(LogConfig.from_env(quiet))
    with data_folder(options.data_dir) as folder:
        if not options.once:
            asyncio.run(play_on(_wishes(options, total=None), folder))
            return True
        wishes = _wishes(options, options.games or GAMES_TO_CHECK)
        findings = _run(play_once(wishes, folder))
    print_report(findings, as_json=options.as_json)
    return findings.all_equal


def _wishes(options: DemoOptions, total: int | None) -> Wishes:
    games = options.games or (GAMES_TO_WATCH if total is None else total)
    speed = options.speed
    if speed is None:
        speed = SPEED_TO_WATCH if total is None else min(FASTEST, ACTIONS_A_SECOND / games)
    return Wishes(
        games=games,
        total=total,
        seed=options.seed or secrets.token_hex(4),
        speed=speed,
        faults=options.faults,
        port=options.port,
        settle=options.settle,
    )


def _run(playing: Coroutine[Any, Any, T]) -> T:
    """Runs to the end; Ctrl-C and SIGTERM unwind it, so that no process stays behind."""

    async def interruptible() -> T:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 (asyncio.run makes one)
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        return await playing

    try:
        return asyncio.run(interruptible())
    except asyncio.CancelledError:
        raise SystemExit(TERMINATED) from None
