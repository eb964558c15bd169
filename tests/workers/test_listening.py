"""Who listens to upstream's WebSocket, to which rooms, and what becomes of what is heard."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial

import msgspec
import pytest
from redis.asyncio import Redis

from ludo import tasks
from ludo.mirror.incoming import Hint
from ludo.store import keys
from ludo.store.counters import accounts, read_counters
from ludo.store.errors import StoreUnavailable
from ludo.store.games import GameReader
from ludo.store.inbox import Inbox
from ludo.store.ownership import Ownership
from ludo.store.scripts import Scripts
from ludo.upstream.errors import UpstreamUnavailable
from ludo.upstream.socket import Heard
from ludo.upstream.wire import event_body
from ludo.upstream.wire.models import Room
from tests.waiting import wait_until
from tests.workers.builders import GAME, Bench, a_bench, a_history
from tests.workers.test_applying import snapshot_after
from workers.census import Census
from workers.hearing import Hearing
from workers.listening import Listener

HISTORY = a_history()


@dataclass
class Upstream:
    """The rooms that upstream lists, and who follows them."""

    rooms: list[Room] = field(default_factory=list)
    followed: list[str] = field(default_factory=list)
    is_away: bool = False

    async def list(self) -> Iterable[Room]:
        if self.is_away:
            raise UpstreamUnavailable("away", sent=False)
        return tuple(self.rooms)

    def socket(self, room: Room) -> "Following":
        return Following(room.code, self.followed)


@dataclass
class Following:
    """A socket that follows its room until it is ended."""

    code: str
    followed: list[str]

    async def run(self) -> None:
        self.followed.append(self.code)
        try:
            await asyncio.Event().wait()
        finally:
            self.followed.remove(self.code)


def a_listener(redis: Redis, upstream: Upstream, most: int = 10) -> Listener:
    ownership = Ownership(Scripts(redis), keys.LISTENER, 1.5)
    return Listener(ownership, upstream.list, upstream.socket, every=0.0, most=most)


def rooms(*codes: str) -> list[Room]:
    """Open rooms of these codes."""
    return [Room(code, "playing") for code in codes]


async def test_every_room_is_followed_by_one_worker(redis: Redis) -> None:
    """Of two listeners one follows; when it ends the other takes over at once."""
    upstream = Upstream(rooms("AAA", "BBB"))
    one, other = a_listener(redis, upstream), a_listener(redis, upstream)
    first = asyncio.create_task(one.run())
    await wait_until(lambda: one.following == {"AAA", "BBB"})
    second = asyncio.create_task(other.run())
    await asyncio.sleep(0.05)
    assert (sorted(upstream.followed), other.following) == (["AAA", "BBB"], frozenset())

    await tasks.end(first)
    await wait_until(lambda: other.following and sorted(upstream.followed) == ["AAA", "BBB"], 10)
    await tasks.end(second)
    assert upstream.followed == []


async def test_a_listener_that_was_killed_is_replaced(redis: Redis) -> None:
    """Its key ends by itself; nobody has to say goodbye."""
    upstream = Upstream(rooms("AAA"))
    await redis.set(keys.LISTENER, "somebody who was killed", px=300)
    listener = a_listener(redis, upstream)
    running = asyncio.create_task(listener.run())

    await wait_until(lambda: listener.following == {"AAA"}, 10)
    await tasks.end(running)


async def test_a_listener_that_lost_its_key_stops_listening(redis: Redis) -> None:
    """After a pause another may have it: two would only double the work."""
    upstream = Upstream(rooms("AAA"))
    listener = a_listener(redis, upstream)
    running = asyncio.create_task(listener.run())
    await wait_until(lambda: listener.following == {"AAA"})
    await redis.set(keys.LISTENER, "another", px=60_000)

    await wait_until(lambda: not listener.following, 10)
    await tasks.end(running)


async def test_rooms_come_and_go(redis: Redis) -> None:
    """New ones are followed; one that is closed only after its last words had time to arrive."""
    upstream = Upstream(rooms("AAA"))
    listener = a_listener(redis, upstream, most=2)
    await listener._step()
    upstream.rooms = rooms("BBB", "CCC", "DDD")
    await listener._step()
    assert listener.following == {"AAA", "BBB"}
    upstream.is_away = True
    await listener._step()
    assert listener.following == {"AAA", "BBB"}
    upstream.is_away = False
    await listener._step()
    await asyncio.sleep(0)

    assert listener.following == {"BBB", "CCC"}
    await listener._leave()


def heard(number: int) -> Heard:
    """An event of the history as the socket tells it."""
    event = HISTORY[number - 1]
    body = event_body(event)
    return Heard(body["type"], event, msgspec.json.encode(body), body["data"])


@pytest.fixture
def bench(redis: Redis) -> Bench:
    return a_bench(redis)


async def test_event_by_webhook_and_socket_is_applied_once(bench: Bench) -> None:
    """One is applied, the other is a duplicate; each source's account adds up."""
    hearing = Hearing(bench.inbox, bench.claims, GAME)
    for number in range(1, 11):
        await bench.accept(HISTORY[number - 1 : number])
        await hearing.heard(heard(number))
        await hearing.heard(heard(number))
    await bench.applier.apply(GAME)

    counted = await read_counters(bench.redis)
    assert counted["outcome:applied:webhook"] + counted.get("outcome:applied:socket", 0) == 10
    both = [counted.get(f"outcome:duplicate:{source}", 0) for source in ("webhook", "socket")]
    assert sum(both) == 10
    assert counted["redelivered:socket"] == 10
    assert [account.unaccounted for account in accounts(counted)] == [0, 0]


async def test_event_without_a_sequence_is_a_hint_each_time(bench: Bench) -> None:
    """Two that look alike are two: both say that the state has changed."""
    hearing = Hearing(bench.inbox, bench.claims, None)
    hint = Heard("game:dice-rolled", Hint("game:dice-rolled", GAME), b"{}", {})
    await hearing.heard(hint)
    await hearing.heard(hint)

    counted = await read_counters(bench.redis)
    assert counted["outcome:filtered:socket"] == 2
    assert await bench.redis.hget(keys.game(GAME), "owed") == b"hint"


async def test_a_second_join_has_the_state_fetched(bench: Bench) -> None:
    """What was said in between is a repair, counted by its own reason."""
    hearing = Hearing(bench.inbox, bench.claims, None)
    await hearing.heard(heard(1))
    await bench.applier.apply(GAME)
    await hearing.joined(again=True)
    bench.upstream.answer = snapshot_after(9)
    await bench.applier.resync(GAME)

    stored = await GameReader(bench.redis).load(GAME)
    assert stored is not None
    assert stored.seq == 9
    assert (await read_counters(bench.redis))["repaired:reconnect"] == 1


async def test_a_join_in_mid_game_has_an_unknown_game_fetched(bench: Bench) -> None:
    """One that has a mirror already costs nothing."""
    hearing = Hearing(bench.inbox, bench.claims, GAME)
    await hearing.joined(again=False)
    assert await bench.redis.hget(keys.game(GAME), "owed") == b"census"

    await bench.redis.delete(keys.game(GAME))
    await bench.accept(HISTORY[:1])
    await bench.applier.apply(GAME)
    await hearing.joined(again=False)
    assert await bench.redis.hget(keys.game(GAME), "owed") is None


async def test_a_store_that_is_full_ends_the_connection(bench: Bench, redis: Redis) -> None:
    """The event is not in the inbox, so the state has to be fetched after the next join."""
    hearing = Hearing(Inbox(Scripts(redis), backlog=0), bench.claims, GAME)
    with pytest.raises(StoreUnavailable):
        await hearing.heard(heard(1))


async def test_a_game_that_nobody_told_us_of_is_mirrored(bench: Bench) -> None:
    """The census finds it, the resync fetches it, and the repair is counted."""
    upstream = Upstream([Room("AAA", "playing", game_id=GAME), Room("BBB", "waiting")])
    census = Census(upstream.list, bench.claims, bench.redis)
    assert await census.take() == 1
    bench.upstream.answer = snapshot_after(20)
    await bench.applier.resync(GAME)

    stored = await GameReader(bench.redis).load(GAME)
    assert stored is not None
    assert stored.seq == 20
    counted = await read_counters(bench.redis)
    assert (counted["repaired:census"], counted["skipped"]) == (1, 20)
    assert await census.take() == 0


async def test_one_census_is_enough_for_all_who_start(redis: Redis, bench: Bench) -> None:
    """And one that failed is taken again by whoever looks next."""
    upstream, asked = Upstream(is_away=True), []

    async def count(note: list[int]) -> Iterable[Room]:
        note.append(1)
        return await upstream.list()

    census = Census(partial(count, asked), bench.claims, redis)
    assert await census._is_due(began=True)
    with pytest.raises(UpstreamUnavailable):
        await census._taken()
    upstream.is_away = False
    running = [asyncio.create_task(census.run()) for _ in range(3)]
    await wait_until(lambda: len(asked) == 2)
    await asyncio.sleep(0.05)
    await tasks.end(*running)

    assert len(asked) == 2
    assert await redis.ttl(keys.CENSUS) > 3_500


async def test_who_starts_after_an_outage_takes_a_census(redis: Redis, bench: Bench) -> None:
    """The last one may be a while ago, and nobody was there since."""
    census = Census(Upstream().list, bench.claims, redis)
    await redis.set(keys.CENSUS, "1", ex=3_000)

    assert not await census._is_due(began=False)
    assert await census._is_due(began=True)
    assert not await census._is_due(began=True)
