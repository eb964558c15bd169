"""Many games at a time: nobody waits for another game's failure, and the worker leaves in order."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

from arq.constants import job_key_prefix
from redis.asyncio import Redis
from structlog.testing import capture_logs

from ludo import tasks
from ludo.store import keys
from ludo.store.claims import Due, Taken
from tests.waiting import wait_until
from tests.workers.builders import a_bench, a_history
from tests.workers.test_tuning import made
from workers.archiving import LEAVING, MOVING, LeavingGames
from workers.due import HANDS, DueGames


def claims_of(*games: str) -> Callable[[], Awaitable[Due]]:
    """One claim after the other, of one game each; then none."""
    left = list(games)

    async def take() -> Due:
        return Due((Taken(left.pop(0), "token", 0, (), (), ()),) if left else ())

    return take


def claim_of(*games: str) -> Callable[[], Awaitable[Due]]:
    """One claim of all these games."""

    async def take() -> Due:
        return Due(tuple(Taken(game, "token", 0, (), (), ()) for game in games))

    return take


async def test_failure_of_one_game_is_its_own() -> None:
    """The others of its claim are finished, and the log names the one that was not."""
    finished: list[str] = []

    async def finish(taken: Taken) -> None:
        await asyncio.sleep(0)
        if taken.game_id == "gm_poison":
            raise ValueError("unreadable")
        finished.append(taken.game_id)

    games = DueGames(claim_of("gm_1", "gm_poison", "gm_2"), finish, within=60)
    with capture_logs() as logs:
        await games.take()
        await games.drain(60)

    assert finished == ["gm_1", "gm_2"]
    assert [(each["event"], each["game"]) for each in logs] == [("game.failed", "gm_poison")]


async def test_game_that_takes_too_long_is_given_up() -> None:
    """Redis may be away for long: hands that never came back would take nothing more."""
    forever = asyncio.Event()

    async def finish(_: Taken) -> None:
        await forever.wait()

    games = DueGames(claims_of(*"abcdefgh"), finish, within=0.01)
    with capture_logs() as logs:
        for _ in range(8):
            await games.take()
        await games.drain(60)

    assert len(logs) == 8


async def test_no_more_is_taken_than_there_are_hands() -> None:
    """What is not taken is there for other workers, and no lease runs out in a queue."""
    may_end, taken = asyncio.Event(), list[str]()

    async def finish(game: Taken) -> None:
        taken.append(game.game_id)
        await may_end.wait()

    games = DueGames(claims_of(*"abcdefgh"), finish, within=60)
    for _ in range(HANDS):
        await games.take()
    further = asyncio.create_task(games.take())
    await wait_until(lambda: len(taken) == HANDS)
    assert not further.done()
    may_end.set()
    assert len((await further).games) == 1
    await games.drain(60)


async def test_failed_claim_frees_its_hand() -> None:
    """Redis is away as often as there are hands, and once more."""

    async def fails() -> Due:
        raise ConnectionError

    async def finish(_: Taken) -> None:
        """Nothing comes to this."""

    games = DueGames(fails, finish, within=60)
    for _ in range(HANDS + 1):
        assert isinstance(*await asyncio.gather(games.take(), return_exceptions=True), OSError)


async def test_draining_waits_for_what_is_begun_and_ends_what_takes_longer() -> None:
    """A game in hand is finished; one that hangs stays due for the next worker."""
    may_end, ended = asyncio.Event(), list[str]()

    async def finish(taken: Taken) -> None:
        await (may_end if taken.game_id == "short" else asyncio.Event()).wait()
        ended.append(taken.game_id)

    games = DueGames(claims_of("short", "long"), finish, within=60)
    await games.take()
    await games.take()
    draining = asyncio.create_task(games.drain(0.3))
    may_end.set()
    await draining

    assert ended == ["short"]


async def test_worker_takes_games_without_a_job_for_each(redis_url: str, redis: Redis) -> None:
    """Thirty games are applied; arq has run few of their wake-ups, and has none left.

    None, unless the machine was busy for so long that it found one at two polls.
    """
    bench, ids = a_bench(redis), [f"gm_{number}" for number in range(30)]
    async with AsyncExitStack() as parts:
        worker = await made(parts, redis_url)
        run = worker.run_job
        ran: list[str] = []

        async def noted(job_id: str, score: int) -> None:
            ran.append(job_id)
            await run(job_id, score)

        worker.run_job = noted  # type: ignore[method-assign]
        await parts.enter_async_context(tasks.beside("polling", worker.main()))
        for game_id in ids:
            await bench.accept(a_history(1, game_id)[:3])

        async def applied() -> bool:
            places = [await redis.hget(keys.game(game_id), "seq") for game_id in ids]
            return places == [b"3"] * len(ids)

        await wait_until(applied, 60)
        await worker.drain(5)
    assert len([job for job in ran if "_game:" in job]) < len(ids) / 2
    assert await redis.keys(f"{job_key_prefix}apply*") == []


async def test_wake_up_that_nobody_takes_is_run_at_the_second_poll(
    redis_url: str, redis: Redis
) -> None:
    """Whatever keeps its game from being taken, arq's own way is open."""
    async with AsyncExitStack() as parts:
        worker = await made(parts, redis_url)
        await a_bench(redis).accept(a_history()[:1])
        (job,) = await redis.zrange(keys.ARQ_QUEUE, 0, -1)
        await worker.start_jobs([job])
        assert worker.tasks == {}
        await worker.start_jobs([job])
        assert [*worker.tasks] == [job.decode()]
        await asyncio.gather(*worker.tasks.values())
        await worker.pool.aclose()
    assert await redis.zcard(keys.ARQ_QUEUE) == 0


async def test_games_that_leave_are_moved_beside_and_failures_end_nothing() -> None:
    """A slow archive has a few of them at a time, and those beyond its room come again later."""
    begun, may_end = list[str](), asyncio.Event()

    async def move(game_id: str) -> None:
        begun.append(game_id)
        await may_end.wait()
        raise OSError

    leaving = LeavingGames(move)
    with capture_logs() as logs:
        async with tasks.beside("archiving", leaving.run()):
            for number in range(LEAVING + 5):
                await leaving.put(f"gm_{number}")
            await wait_until(lambda: len(begun) == MOVING)
            may_end.set()
            await wait_until(lambda: len(begun) == LEAVING)
    assert {each["event"] for each in logs} == {"archive.failed"}
