"""All rounds: several deployments side by side, because most of a round is waiting."""

import asyncio
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.chaos.deployment import deployed
from tests.chaos.parts import Body, serve
from tests.chaos.plan import Plan, plan_round
from tests.chaos.rounds import GAMES, QUIET_WITHIN_S, Findings, play_round

ROUNDS_A_DEPLOYMENT: Final = 20
"""Then it begins anew, so that no round is played on an ever longer history."""

Told = Callable[[Plan, Findings], None]


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be run: `side_by_side` deployments share the rounds, `games` are one round's."""

    rounds: int
    seed: str
    side_by_side: int = 2
    games: int = GAMES
    settle: float = QUIET_WITHIN_S
    receiver: Body = serve


async def run_rounds(wish: Wish, folder: Path, told: Told) -> Findings:
    """Play all rounds; `told` is called with each of them as it ends."""
    total, numbers = Findings(), iter(range(1, wish.rounds + 1))
    folders = [folder / str(nth) for nth in range(min(wish.side_by_side, wish.rounds))]
    async with asyncio.TaskGroup() as deployments:
        for each in folders:
            deployments.create_task(_share(wish, each, numbers, total, told))
    return total


async def _share(
    wish: Wish, folder: Path, numbers: Iterator[int], total: Findings, told: Told
) -> None:
    """Play rounds for as long as there are any, on one deployment after another."""
    number = next(numbers, None)
    while number is not None:
        async with deployed(folder, receiver=wish.receiver) as deployment:
            for _ in range(ROUNDS_A_DEPLOYMENT):
                plan = plan_round(wish.seed, number)
                findings = await play_round(deployment, plan, games=wish.games, settle=wish.settle)
                total.add(findings)
                told(plan, findings)
                number = next(numbers, None)
                if number is None:
                    return


@contextmanager
def logs_kept_on_failure(findings: Callable[[], Findings | None]) -> Iterator[Path]:
    """A folder for data and logs; it is gone afterwards if all went well."""
    with tempfile.TemporaryDirectory(prefix="ludo-chaos-", ignore_cleanup_errors=True) as made:
        try:
            yield Path(made)
        finally:
            found = findings()
            if found is None or not found.good:
                Path(made).rename(f"{made}-failed")
                Path(made).mkdir()
