"""One round: games are played under faults while a plan is carried out; then all is compared."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from cli.demo.truth import Compared
from ludo import tasks
from ludo.mirror.incoming import GameEvent
from ludo.store.counters import Counters, accounts, read_counters
from ludo.store.games import GameReader
from ludo.upstream.wire import parse_event
from tests.chaos.deployment import Deployment
from tests.chaos.outcomes import find_outcomes
from tests.chaos.plan import How, Plan, Strike
from tests.chaos.watching import Watched, Watcher
from tests.waiting import wait_until

GAMES: Final = 3
SPEED: Final = 50
"""A bot's rolls and moves a second: a short game for two is played in two to three seconds."""
PLAYED_WITHIN_S: Final = 180.0
QUIET_WITHIN_S: Final = 90.0
LOOK_S: Final = 0.05
"""Looking costs what the parts would need."""
Body = dict[str, Any]


@dataclass(slots=True)
class Findings:
    """What a round came to, and rounds together."""

    rounds: int = 0
    kills: Counter[str] = field(default_factory=Counter)
    freezes: Counter[str] = field(default_factory=Counter)
    sent: int = 0
    acknowledged: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    lost: int = 0
    doubled: int = 0
    out_of_order: int = 0
    diverged: int = 0
    unaccounted: int = 0
    repaired: int = 0
    worst_delay: float = 0.0
    """Seconds until a client knew of an event, once it and all before it were acknowledged."""
    worst_of: str = ""
    """The event that this was about."""
    complaints: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Whether nothing was lost, doubled, reordered, wrong or unfinished in any round."""
        wrong = (self.lost, self.doubled, self.out_of_order, self.diverged, self.unaccounted)
        return self.rounds > 0 and not any(wrong) and not self.complaints

    def add(self, other: "Findings") -> None:
        """Count another round to these."""
        self.rounds += other.rounds
        self.kills += other.kills
        self.freezes += other.freezes
        self.sent += other.sent
        self.acknowledged += other.acknowledged
        self.outcomes += other.outcomes
        self.lost += other.lost
        self.doubled += other.doubled
        self.out_of_order += other.out_of_order
        self.diverged += other.diverged
        self.unaccounted += other.unaccounted
        self.repaired += other.repaired
        if other.worst_delay > self.worst_delay:
            self.worst_delay, self.worst_of = other.worst_delay, other.worst_of
        self.complaints += other.complaints


async def play_round(
    deployment: Deployment, plan: Plan, *, games: int = GAMES, settle: float = QUIET_WITHIN_S
) -> Findings:
    """Play one round; `settle` is how many seconds everything may need to agree afterwards."""
    before = await read_counters(deployment.redis)
    deployment.ledger.forget()
    game_ids = await _open_games(deployment.sandbox, plan, games)
    watcher = Watcher(deployment.relay, game_ids)
    findings = Findings(rounds=1)
    async with tasks.beside("watcher", watcher.run()):
        async with asyncio.TaskGroup() as strikes:
            for each in plan.strikes:
                strikes.create_task(_struck(deployment, each, findings))
        try:
            await wait_until(lambda: _played(deployment.sandbox), PLAYED_WITHIN_S, every=LOOK_S)
        except AssertionError as error:  # a finding, too: what became of the rest is looked up
            findings.complaints.append(f"games or deliveries did not end: {error}")
        compared = await _until_quiet(deployment, watcher, settle)
    deployment.check()
    await _judge(deployment, watcher.games, compared, before, findings)
    findings.complaints = [f"round {plan.number}: {each}" for each in findings.complaints]
    findings.worst_of = f"round {plan.number}: {findings.worst_of}"
    return findings


async def _open_games(sandbox: httpx.AsyncClient, plan: Plan, games: int) -> list[str]:
    """The ids of the round's games, which have begun."""
    asked = await sandbox.post("/sandbox/faults", json={"faults": plan.faults})
    asked.raise_for_status()
    return [await _open_game(sandbox, f"{plan.seed}:{plan.number}:{n}") for n in range(games)]


async def _open_game(sandbox: httpx.AsyncClient, seed: str) -> str:
    wish = {"maxPlayers": 2, "gameMode": "quick", "bots": 2, "autostart": True}
    body = {**wish, "seed": seed, "speed": SPEED}
    while True:  # the sandbox fails as it was told to; the key makes one room of all attempts
        try:
            answer = await sandbox.post("/v1/rooms", json=body, headers={"Idempotency-Key": seed})
            if answer.status_code == 201:
                return str(answer.json()["data"]["gameId"])
        except httpx.HTTPError:
            continue


async def _struck(deployment: Deployment, strike: Strike, findings: Findings) -> None:
    await asyncio.sleep(strike.at)
    victim, name = deployment.victims[strike.victim], strike.victim.partition("-")[0]
    async with victim.lock:  # on a busy machine the one before may not be up again yet
        if strike.how is How.KILL:
            findings.kills[name] += 1
            await victim.kill()
            await asyncio.sleep(strike.lasts)
            await victim.restart()
        else:
            findings.freezes[name] += 1
            await victim.freeze()
            await asyncio.sleep(strike.lasts)
            await victim.thaw()


async def _played(sandbox: httpx.AsyncClient) -> bool:
    """Whether every game has ended and every delivery of it was acknowledged."""
    try:
        idle = (await sandbox.get("/sandbox/idle")).json()["data"]
    except httpx.TransportError:  # a sandbox that is starved of a processor answers later
        return False
    return bool(idle["idle"]) and idle["playing"] == 0


async def _until_quiet(
    deployment: Deployment, watcher: Watcher, within: float
) -> Sequence[Compared]:
    """Every mirror beside the truth, when all and the client agree, or when the time is up."""
    compared: list[Compared] = []

    async def agreed() -> bool:
        try:
            compared[:] = [await _compare(deployment, game_id) for game_id in watcher.games]
        except httpx.TransportError:
            return False
        counters = await read_counters(deployment.redis)
        pending = sum(account.pending for account in accounts(counters))
        return pending == 0 and all(
            each.equal and watcher.games[each.game_id].state == each.mirror for each in compared
        )

    with suppress(AssertionError):  # what differs is a finding, not a failure of the search for it
        await wait_until(agreed, within, every=LOOK_S)
    return compared


async def _compare(deployment: Deployment, game_id: str) -> Compared:
    answer = await deployment.sandbox.get(f"/sandbox/games/{game_id}/state")
    stored = await GameReader(deployment.redis).load(game_id)
    return Compared(game_id, stored.body if stored else None, answer.json()["data"])


async def _judge(
    deployment: Deployment,
    watched: Mapping[str, Watched],
    compared: Sequence[Compared],
    before: Counters,
    findings: Findings,
) -> None:
    acknowledged = deployment.ledger.acknowledged
    outcomes = await find_outcomes(deployment.redis, acknowledged.values())
    counters = await read_counters(deployment.redis)
    applied = _grown(before, counters, "outcome:applied:")
    findings.sent = deployment.ledger.sent
    findings.acknowledged = len(acknowledged)
    findings.outcomes = outcomes.counts
    findings.lost = len(outcomes.lost)
    findings.doubled = outcomes.doubled + max(0, applied - outcomes.effects)
    findings.doubled += sum(game.doubled for game in watched.values())
    findings.out_of_order = outcomes.out_of_order
    findings.out_of_order += sum(game.out_of_order for game in watched.values())
    findings.unaccounted = sum(abs(each.unaccounted) for each in accounts(counters))
    findings.repaired = _grown(before, counters, "repaired:")
    findings.worst_delay, findings.worst_of = _worst_delay(deployment, watched)
    findings.complaints += [f"lost {each}" for each in outcomes.lost]
    for each in compared:
        if not each.equal or watched[each.game_id].state != each.mirror:
            findings.diverged += 1
            findings.complaints.append(_difference(each, watched[each.game_id]))


def _difference(compared: Compared, watched: Watched) -> str:
    mirror = compared.mirror["sequence"] if compared.mirror else "none"
    return (
        f"{compared.game_id} diverged: truth {compared.truth['sequence']}, mirror {mirror}, "
        f"client {watched.seq}"
    )


def _grown(before: Counters, after: Counters, prefix: str) -> int:
    return sum(
        value - before.get(name, 0) for name, value in after.items() if name.startswith(prefix)
    )


def _worst_delay(deployment: Deployment, watched: Mapping[str, Watched]) -> tuple[float, str]:
    """The longest wait, from when an event and all before it that ever came were acknowledged."""
    came: dict[str, dict[int, float]] = {game_id: {} for game_id in watched}
    for each in deployment.ledger.acknowledged.values():
        event = parse_event(each.body)
        if isinstance(event, GameEvent):
            first = came[event.game_id].setdefault(event.event.sequence, each.at)
            came[event.game_id][event.event.sequence] = min(first, each.at)
    worst, what = 0.0, ""
    for game_id, at in came.items():
        complete = 0.0
        for sequence in sorted(at):
            complete = max(complete, at[sequence])
            known = watched[game_id].known_at.get(sequence)
            if known and known - complete > worst:
                worst, what = known - complete, f"{game_id} {sequence} at {at[sequence]:.3f}"
    return worst, what
