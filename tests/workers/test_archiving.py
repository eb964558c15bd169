"""A game that is over leaves Redis for the archive, once, whatever dies on the way."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from redis.asyncio import Redis
from sqlalchemy import URL

from ludo.mirror.incoming import Hint, RoomEvent
from ludo.mirror.owed import Pace, Reason
from ludo.mirror.replay import replay
from ludo.mirror.snapshot import Snapshot
from ludo.rules.ruleset import RuleSet
from ludo.store import keys
from ludo.store.archive.archive import Archive, ArchivedGame
from ludo.store.archive.engine import make_engine
from ludo.store.errors import ArchiveUnavailable
from ludo.store.inbox import Delivery, Verdict
from ludo.store.log import Kept, from_kept
from ludo.store.scripts import Scripts
from ludo.store.tombstones import Leaving, Tombstones
from tests.mirror.builders import snapshot_after as of_events
from tests.workers.builders import GAME, ROOM, Bench, a_bench, a_history, delivery
from workers.archiving import Archiver
from workers.planning import Policy
from workers.situation import Unknown

HISTORY = a_history()


def snapshot_after(length: int) -> Snapshot:
    """Upstream's state after so many events."""
    return of_events(HISTORY[:length])


class Bed:
    """A bench whose games leave Redis at once when they are over."""

    def __init__(self, redis: Redis, archive: Archive) -> None:
        plain = a_bench(redis)
        pace = Pace(gap_wait=0, silence=60_000, hot=0, confirm=0, unknown=0)
        self.archive = archive
        self.archiver = Archiver(Tombstones(redis, Scripts(redis)), archive, RuleSet())
        policy = Policy(plain.applier.policy.referee, pace)
        self.bench: Bench = replace(
            plain, applier=replace(plain.applier, policy=policy, archive=self.archiver.move)
        )
        self.redis = redis

    async def play(self) -> None:
        """The whole game comes in and is applied."""
        await self.bench.accept(HISTORY)
        await self.bench.applier.apply(GAME)

    async def counters(self) -> dict[str, int]:
        raw = await self.redis.hgetall(keys.COUNTERS)
        return {name.decode(): int(value) for name, value in raw.items()}

    async def is_conserved(self) -> bool:
        """accepted = applied + duplicate + stale + filtered + dead + pending."""
        counted = await self.counters()
        ends = (value for name, value in counted.items() if name.startswith("outcome:"))
        return counted["accepted:webhook"] == sum(ends) + counted.get("pending:webhook", 0)

    async def keys_of_the_game(self) -> set[str]:
        """Redis' keys with the game's name in them."""
        return {key.decode() async for key in self.redis.scan_iter(match=f"*{GAME}*")}


@pytest.fixture
async def archive(tmp_path: Path) -> AsyncIterator[Archive]:
    opened = Archive(
        make_engine(URL.create("sqlite+aiosqlite", database=str(tmp_path / "ludo.db")))
    )
    yield opened
    await opened.aclose()


@pytest.fixture
def bed(redis: Redis, archive: Archive) -> Bed:
    return Bed(redis, archive)


async def test_game_that_is_over_is_archived_and_leaves_a_tombstone(bed: Bed) -> None:
    """The archive has state and log; Redis has its place and nothing else."""
    await bed.play()

    game = await bed.archive.load(GAME)
    assert game is not None
    assert (game.verified, game.confirmed) == (True, False)
    assert len(await bed.archive.log(GAME)) == len(HISTORY)
    tombstone = await bed.redis.hgetall(keys.game(GAME))
    assert tombstone[b"seq"] == str(len(HISTORY)).encode()
    assert tombstone[b"epoch"].decode() == game.epoch
    assert b"body" not in tombstone
    assert 0 < await bed.redis.ttl(keys.game(GAME)) <= keys.GAME_TTL_S
    jobs = {f"arq:job:{name}" for name in ("apply_game", "resync_game")}
    left = {key for key in await bed.keys_of_the_game() if not key.startswith(tuple(jobs))}
    assert left == {keys.game(GAME)}
    assert await bed.redis.zscore(keys.DUE, GAME) is None
    assert await bed.redis.zscore(keys.FINISHED, GAME) is None
    assert (await bed.counters())["archived:finished"] == 1


async def test_tombstone_takes_a_few_hundred_bytes(bed: Bed) -> None:
    """Redis is bounded by the games that are played."""
    await bed.bench.accept(HISTORY[:-1])
    await bed.bench.applier.apply(GAME)
    hot = [await bed.redis.memory_usage(key) for key in await bed.keys_of_the_game()]
    await bed.bench.accept(HISTORY[-1:])
    await bed.bench.applier.apply(GAME)

    assert sum(hot) > 50_000
    cold = await bed.redis.memory_usage(keys.game(GAME))
    assert cold is not None
    assert cold < 400


async def test_events_after_the_tombstone_are_stale(bed: Bed) -> None:
    """Late ones and repeated ones count as accepted and stale, and wake nobody."""
    await bed.play()
    later = replace(HISTORY[-1], event=replace(HISTORY[-1].event, sequence=len(HISTORY) + 1))
    ttl = await bed.redis.ttl(keys.game(GAME))
    verdicts = await bed.bench.accept([HISTORY[3], HISTORY[3], later])

    assert set(verdicts) == {Verdict.STALE}
    assert (await bed.counters())["outcome:stale:webhook"] == 3
    assert await bed.is_conserved()
    assert await bed.redis.xlen(keys.inbox(GAME)) == 0
    assert await bed.redis.zscore(keys.DUE, GAME) is None
    assert await bed.redis.ttl(keys.game(GAME)) <= ttl


async def test_nothing_wakes_an_archived_game(bed: Bed) -> None:
    """Not a hint, not the end of its room, not somebody who asks, not a job that was left."""
    await bed.play()
    before = await bed.redis.hgetall(keys.game(GAME))
    await bed.bench.inbox.accept(Delivery("msg_h", b"{}", Hint("game:dice-rolled", GAME)))
    await bed.bench.inbox.accept(Delivery("msg_r", b"{}", RoomEvent("room:closed", ROOM)))
    await bed.bench.claims.ask(GAME)
    await bed.bench.claims.owe(GAME, Reason.RECONNECT)
    await bed.bench.applier.apply(GAME)
    await bed.bench.applier.resync(GAME)

    assert await bed.redis.hgetall(keys.game(GAME)) == before
    assert await bed.redis.zscore(keys.DUE, GAME) is None
    assert bed.bench.upstream.asked == 0
    assert await bed.is_conserved()


async def test_resyncs_are_entries_of_their_own(bed: Bed) -> None:
    """The replay goes on from the state that a resync brought."""
    await bed.bench.accept([*HISTORY[:5], HISTORY[6]])
    await bed.bench.applier.apply(GAME)
    bed.bench.upstream.answer = snapshot_after(20)
    await bed.bench.applier.resync(GAME)
    await bed.bench.accept(HISTORY[20:])
    await bed.bench.applier.apply(GAME)

    game, log = await bed.archive.load(GAME), await bed.archive.log(GAME)
    assert game is not None
    assert game.verified
    assert [kept.sequence for kept in log] == [*range(1, 6), *range(20, len(HISTORY) + 1)]
    assert (log[5].kind, log[5].why) == ("resync", "gap")
    *_, (_, last) = replay([from_kept(kept, RuleSet()) for kept in log], RuleSet())
    assert last == snapshot_after(len(HISTORY))


async def test_log_that_leads_elsewhere_is_closed_by_the_final_state(bed: Bed) -> None:
    """Nothing is lost and nothing is claimed: the game is marked as not verified."""
    quiet = replace(bed.bench.applier, archive=_nothing)
    await bed.bench.accept(HISTORY)
    await quiet.apply(GAME)
    await bed.redis.delete(keys.log(GAME))
    await bed.archiver.move(GAME)

    game, log = await bed.archive.load(GAME), await bed.archive.log(GAME)
    assert game is not None
    assert not game.verified
    assert [kept.why for kept in log] == ["unverified"]
    assert msgspec.json.decode(log[0].body) == msgspec.json.decode(game.body_json)


class Killed(BaseException):
    """A SIGKILL, as far as the code can tell."""


@pytest.mark.parametrize("point", ["before the save", "after the save", "after the tombstone"])
async def test_worker_killed_anywhere_leaves_work_that_another_can_finish(
    bed: Bed, point: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One row, one tombstone, one count, whatever the point."""
    with monkeypatch.context() as killing:
        _kill_at(point, killing)
        with pytest.raises(Killed):
            await bed.play()
    if point != "after the tombstone":
        assert await bed.redis.zscore(keys.DUE, GAME) is not None
    await bed.bench.applier.apply(GAME)
    await bed.archiver.move(GAME)

    assert len(await bed.archive.list(limit=9)) == 1
    assert len(await bed.archive.log(GAME)) == len(HISTORY)
    assert await bed.redis.hexists(keys.game(GAME), "tombstone")
    assert (await bed.counters())["archived:finished"] == 1
    assert await bed.is_conserved()


def _kill_at(point: str, killing: pytest.MonkeyPatch) -> None:
    save, entomb = Archive.save, Tombstones.entomb

    async def killed_save(archive: Archive, game: ArchivedGame, log: list[Kept]) -> bool:
        if point == "after the save":
            await save(archive, game, log)
        raise Killed

    async def killed_entomb(tombstones: Tombstones, leaving: Leaving) -> bool:
        await entomb(tombstones, leaving)
        raise Killed

    if point == "after the tombstone":
        killing.setattr(Tombstones, "entomb", killed_entomb)
    else:
        killing.setattr(Archive, "save", killed_save)


async def test_archive_that_is_away_costs_nothing(
    bed: Bed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Redis keeps the game, it is due again, and the failure is counted."""

    async def away(*_: object) -> bool:
        raise ArchiveUnavailable("connection refused")

    with monkeypatch.context() as outage:
        outage.setattr(Archive, "save", away)
        await bed.play()
    assert await bed.redis.hexists(keys.game(GAME), "body")
    assert await bed.redis.zscore(keys.DUE, GAME) is not None
    assert (await bed.counters())["archive:failed"] == 1

    await bed.bench.applier.apply(GAME)
    assert await bed.archive.load(GAME) is not None
    assert not await bed.redis.hexists(keys.game(GAME), "body")


async def test_game_that_moved_on_meanwhile_keeps_its_hot_copy(bed: Bed) -> None:
    """A tombstone is set only for the very revision that was saved."""
    quiet = replace(bed.bench.applier, archive=_nothing)
    await bed.bench.accept(HISTORY)
    await quiet.apply(GAME)
    leaving = await bed.archiver.tombstones.leaving(GAME)
    assert leaving is not None

    await bed.bench.accept([HISTORY[-1]])  # redelivered: nothing new
    assert await bed.archiver.tombstones.entomb(replace(leaving, revision=99)) is False
    await bed.bench.inbox.accept(delivery(HISTORY[0], "msg_other"))
    assert await bed.archiver.tombstones.entomb(leaving) is False
    await quiet.apply(GAME)
    assert await bed.archiver.tombstones.entomb(leaving) is False

    await bed.bench.applier.apply(GAME)
    assert await bed.redis.hexists(keys.game(GAME), "tombstone")


async def test_workers_at_once_archive_a_game_once(bed: Bed) -> None:
    """Four of them move it in the same moment."""
    quiet = replace(bed.bench.applier, archive=_nothing)
    await bed.bench.accept(HISTORY)
    await quiet.apply(GAME)
    await asyncio.gather(*(bed.archiver.move(GAME) for _ in range(4)))

    assert (await bed.counters())["archived:finished"] == 1
    assert len(await bed.archive.log(GAME)) == len(HISTORY)


async def test_denied_game_ends_in_the_archive_as_abandoned(bed: Bed) -> None:
    """Upstream's 404 is asked for no more."""
    await bed.bench.accept(HISTORY[:9])
    await bed.bench.applier.apply(GAME)
    await bed.bench.inbox.accept(Delivery("msg_h", b"{}", Hint("game:dice-rolled", GAME)))
    bed.bench.upstream.answer = Unknown()
    await bed.bench.applier.resync(GAME)
    await bed.bench.applier.apply(GAME)

    game = await bed.archive.load(GAME)
    assert game is not None
    assert msgspec.json.decode(game.body_json)["status"] == "abandoned"
    assert (game.verified, game.confirmed) == (True, False)
    assert [kept.why for kept in await bed.archive.log(GAME)][-1] == "unknown"
    assert (await bed.counters())["abandoned:unknown"] == 1


async def test_closed_room_has_its_game_looked_at(bed: Bed) -> None:
    """A moment later, so that its last events can still come; a game that is over stays."""
    await bed.bench.accept(HISTORY[:9])
    await bed.bench.applier.apply(GAME)
    await bed.bench.inbox.accept(Delivery("msg_r", b"{}", RoomEvent("room:closed", ROOM)))
    owed = await bed.redis.hmget(keys.game(GAME), ["owed", "owed_at", "room_closed"])
    assert owed[0] == b"closed"
    assert int(owed[1]) == int(owed[2]) + 2_000
    assert await bed.redis.zscore(keys.DUE, GAME) <= int(owed[1])

    await a_bench(bed.redis).applier.apply(GAME)
    assert await bed.redis.hget(keys.game(GAME), "owed") == b"closed"


async def test_retention_counts_from_the_archiving(bed: Bed) -> None:
    """Without one nothing is ever given up."""
    await bed.play()
    game = await bed.archive.load(GAME)
    assert game is not None
    assert await bed.archiver.give_up_old(game.archived_at + 10**12) == 0
    short = replace(bed.archiver, retention=60.0)
    assert await short.give_up_old(game.archived_at + 60_000) == 0
    assert await short.give_up_old(game.archived_at + 60_001) == 1
    assert await bed.archive.load(GAME) is None


async def _nothing(_game_id: str) -> None:
    """For a worker that does not archive."""
