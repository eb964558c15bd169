"""`ludo-proxy demo`: from options to an exit code."""

import asyncio
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

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
        findings = asyncio.run(play_once(wishes, folder))
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
