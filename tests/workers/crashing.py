"""A process that dies at its nth step: before or after one call to Redis, upstream or the archive.

The steps are counted, not listed, so one that is new is covered by itself.
"""

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Self

from redis.asyncio import Redis
from redis.asyncio.client import Pipeline

from ludo.mirror.owed import Pace
from ludo.rules.ruleset import RuleSet
from ludo.store import keys
from ludo.store.archive.archive import Archive, ArchivedGame
from ludo.store.log import Kept
from ludo.store.scripts import Scripts
from ludo.store.tombstones import Tombstones
from tests.workers.builders import GAME, Bench, Upstream, a_bench
from workers.archiving import Archiver
from workers.planning import Policy

SIDES: Final = ("before", "after")


class Crashed(BaseException):
    """The process is gone; nothing of it may catch this."""


@dataclass(slots=True)
class Points:
    """The calls of one process so far; it dies on that side of the call of that number."""

    dies_at: int = 0
    side: str = "before"
    calls: list[str] = field(default_factory=list)

    async def passed(self, name: str, call: Coroutine[Any, Any, Any]) -> Any:
        """The call's answer, unless the process dies of it."""
        self.calls.append(name)
        dies = len(self.calls) == self.dies_at
        if dies and self.side == "before":
            call.close()
            raise Crashed(name)
        answer = await call
        if dies:
            raise Crashed(name)
        return answer


class CountedRedis(Redis):
    """A client whose every command and pipeline is a point."""

    points: Points

    @classmethod
    def of(cls, url: str, points: Points) -> Self:
        """A client of that Redis, with the points of its process."""
        made: Self = cls.from_url(url)
        made.points = points
        return made

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """One command."""
        return await self.points.passed(str(args[0]), super().execute_command(*args, **options))

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> Pipeline:
        """A pipeline, whose sending is the point."""
        pipe = super().pipeline(transaction, shard_hint)
        execute, points = pipe.execute, self.points
        pipe.execute = lambda *args, **options: points.passed(  # type: ignore[method-assign]
            "pipeline", execute(*args, **options)
        )
        return pipe


class CountedArchive:
    """An archive to which every saving is a point."""

    def __init__(self, archive: Archive, points: Points) -> None:
        self._archive = archive
        self._points = points

    async def save(self, game: ArchivedGame, log: Sequence[Kept]) -> bool:
        """See Archive.save."""
        saved: bool = await self._points.passed("archive.save", self._archive.save(game, log))
        return saved


@dataclass(frozen=True, slots=True)
class Process:
    """One life of receiver and worker together."""

    bench: Bench
    redis: CountedRedis
    points: Points

    @classmethod
    def begin(cls, url: str, upstream: Upstream, archive: Archive, points: Points) -> Self:
        """A fresh process; upstream and what is stored outlive it."""
        redis = CountedRedis.of(url, points)
        bench = a_bench(redis)

        async def fetch(game_id: str) -> Any:
            return await points.passed("fetch", upstream.fetch(game_id))

        archiver = Archiver(
            Tombstones(redis, Scripts(redis)),
            CountedArchive(archive, points),  # type: ignore[arg-type]
            RuleSet(),
        )
        pace = Pace(gap_wait=0, silence=60_000, hot=0, confirm=0, unknown=0)
        applier = replace(
            bench.applier,
            fetch=fetch,
            policy=Policy(bench.applier.policy.referee, pace),
            archive=archiver.move,
        )
        return cls(replace(bench, applier=applier), redis, points)


Step = Callable[[Process], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Lives:
    """Runs steps in a process that dies once, and goes on in another one."""

    url: str
    upstream: Upstream
    archive: Archive

    async def run(self, steps: Sequence[Step], dies_at: int = 0, side: str = "before") -> Points:
        """The points of the first life; a step during which it ended is done again in the next."""
        first = Points(dies_at, side)
        process = self._begin(first)
        try:
            for step in steps:
                try:
                    await step(process)
                except Crashed:
                    await process.redis.aclose()
                    process = self._begin(Points())
                    # What the dead one held ends by itself; the test does not wait for that.
                    await process.redis.delete(keys.lease(GAME), keys.flight(GAME))
                    await step(process)
        finally:
            await process.redis.aclose()
        return first

    def _begin(self, points: Points) -> Process:
        return Process.begin(self.url, self.upstream, self.archive, points)
