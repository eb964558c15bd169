"""The shared cache: one flight a key, lifetimes, and purges that nothing can outrun."""

import asyncio

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from ludo.store import cache, keys
from ludo.store.cache import (
    Entry,
    Flight,
    Found,
    Freshness,
    Landing,
    Lifetimes,
    Role,
    SharedCache,
    new_token,
)
from ludo.store.scripts import Scripts
from tests.waiting import wait_until

KEY = "/rooms/ABCD12?"
TAGS = ("rooms", "room:ABCD12")
LONG = Lifetimes(soft=60, hard=600)
ENTRY = Entry(200, (("etag", '"tag"'),), b'{"success":true}', '"tag"', 1_000)


@pytest.fixture
def shared(redis: Redis) -> SharedCache:
    return SharedCache(redis, Scripts(redis))


def flight_of(found: Found, token: str) -> Flight:
    return Flight(KEY, TAGS, token, found.generations, began=found.now)


async def led(shared: SharedCache) -> Flight:
    """A flight that is ours."""
    token = new_token()
    found = await shared.look(KEY, TAGS, token)
    assert found.role is Role.LEAD
    return flight_of(found, token)


async def looked(shared: SharedCache) -> tuple[Freshness, Role]:
    found = await shared.look(KEY, TAGS, new_token())
    return found.freshness, found.role


async def test_of_many_who_miss_one_fetches(redis: Redis) -> None:
    """100 looks at once over four replicas: one leads, the others follow."""
    replicas = [SharedCache(redis, Scripts(redis)) for _ in range(4)]
    looks = (replicas[n % 4].look(KEY, TAGS, new_token()) for n in range(100))
    roles = [found.role for found in await asyncio.gather(*looks)]
    assert sorted(roles) == [Role.FOLLOW] * 99 + [Role.LEAD]


async def test_what_was_kept_is_found(shared: SharedCache) -> None:
    """An entry comes back as it was, with the time by the same clock."""
    assert await shared.keep(await led(shared), ENTRY, LONG) is Landing.KEPT
    found = await shared.look(KEY, TAGS, new_token())
    assert (found.freshness, found.role, found.entry) == (Freshness.FRESH, Role.NONE, ENTRY)
    assert found.now > 1_700_000_000_000


@pytest.mark.parametrize(
    ("lifetimes", "freshness"),
    [
        (Lifetimes(soft=60, hard=60), Freshness.FRESH),
        (Lifetimes(soft=0, hard=60), Freshness.USABLE),
        (Lifetimes(soft=0, hard=0), Freshness.OLD),
        (Lifetimes(soft=0, hard=0, on_error=0), Freshness.NONE),
    ],
)
async def test_lifetimes_end_one_after_the_other(
    shared: SharedCache, lifetimes: Lifetimes, freshness: Freshness
) -> None:
    """Fresh, then usable while another is fetched, then only if upstream fails, then gone."""
    await shared.keep(await led(shared), ENTRY, lifetimes)
    await wait_until(lambda: _is(shared, freshness))


async def _is(shared: SharedCache, freshness: Freshness) -> bool:
    return (await looked(shared))[0] is freshness


async def test_each_stale_entry_is_refreshed_by_one(shared: SharedCache) -> None:
    """Whoever comes first leads; the others have the stale one."""
    await shared.keep(await led(shared), ENTRY, Lifetimes(soft=0, hard=60))
    roles = [(await looked(shared))[1] for _ in range(3)]
    assert roles == [Role.LEAD, Role.FOLLOW, Role.FOLLOW]


@pytest.mark.parametrize("tag", TAGS)
async def test_a_purge_of_any_tag_ends_an_entry(shared: SharedCache, tag: str) -> None:
    """It is gone at once, not even good for when upstream fails."""
    await shared.keep(await led(shared), ENTRY, LONG)
    await shared.purge([tag])
    assert await looked(shared) == (Freshness.NONE, Role.LEAD)


async def test_a_purge_of_another_tag_changes_nothing(shared: SharedCache) -> None:
    """Entries end by their own tags only."""
    await shared.keep(await led(shared), ENTRY, LONG)
    await shared.purge(["room:OTHER1"])
    assert (await looked(shared))[0] is Freshness.FRESH


async def test_a_purge_beats_what_is_on_its_way(shared: SharedCache) -> None:
    """An answer that was asked for before the purge is not kept after it."""
    flight = await led(shared)
    await shared.purge(["rooms"])
    assert await shared.keep(flight, ENTRY, LONG) is Landing.PURGED
    assert await looked(shared) == (Freshness.NONE, Role.LEAD)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=st.lists(st.sampled_from(["look", "write", "keep"]), min_size=2, max_size=14))
async def test_nobody_sees_what_was_fetched_before_a_write(redis: Redis, steps: list[str]) -> None:
    """Whatever the order of fetches, writes and purges: what is found is as new as the purge."""
    await redis.flushall()
    shared, truth, purged = SharedCache(redis, Scripts(redis)), 0, 0
    flights: list[tuple[Flight, int]] = []
    for step in steps:
        match step:
            case "look":
                token = new_token()
                found = await shared.look(KEY, TAGS, token)
                if found.entry is not None:
                    assert found.entry.stored_at >= purged
                if found.role is Role.LEAD:
                    flights.append((flight_of(found, token), truth))
            case "write":
                truth += 1
                await shared.purge(["rooms"])
                purged = truth
            case _ if flights:
                flight, seen = flights.pop()
                await shared.keep(flight, Entry(200, (), b"{}", '""', seen), LONG)


async def test_a_failure_is_shared_for_a_moment(shared: SharedCache) -> None:
    """Others are told why, instead of each trying by himself; then somebody tries again."""
    await shared.fail(await led(shared), b"1.5", 0.2)
    found = await shared.look(KEY, TAGS, new_token())
    assert (found.role, found.note) == (Role.FAILED, b"1.5")
    await wait_until(lambda: _leads(shared))


async def _leads(shared: SharedCache) -> bool:
    return (await looked(shared))[1] is Role.LEAD


async def test_a_dead_leader_is_replaced(
    shared: SharedCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A flight that nobody prolongs ends, and what its leader brings later is not kept."""
    monkeypatch.setattr(cache, "FLIGHT_MS", 100)
    late = await led(shared)
    await wait_until(lambda: _leads(shared))
    assert await shared.keep(late, ENTRY, LONG) is Landing.LOST
    assert (await looked(shared))[0] is Freshness.NONE


async def test_what_a_slow_leader_brings_is_kept_if_nobody_took_over(
    shared: SharedCache, redis: Redis
) -> None:
    """Its flight ran out, but nobody else asked; what purges forbid is forbidden all the same."""
    slow = await led(shared)
    await redis.delete(keys.cache_flight(KEY))
    assert await shared.keep(slow, ENTRY, LONG) is Landing.KEPT
    await shared.purge(["rooms"])
    purged = await led(shared)
    await redis.delete(keys.cache_flight(KEY))
    await shared.purge(["rooms"])
    assert await shared.keep(purged, ENTRY, LONG) is Landing.PURGED


async def test_what_a_slow_leader_brings_replaces_nothing_newer(
    shared: SharedCache, redis: Redis
) -> None:
    """Somebody took over, and was faster."""
    slow = await led(shared)
    await redis.delete(keys.cache_flight(KEY))
    newer = Entry(200, (), b"newer", "", 2_000)
    assert await shared.keep(await led(shared), newer, LONG) is Landing.KEPT
    assert await shared.keep(slow, ENTRY, LONG) is Landing.LOST
    assert (await shared.look(KEY, TAGS, new_token())).entry == newer


async def test_a_living_leader_keeps_the_flight(
    shared: SharedCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long upstream takes, nobody else asks meanwhile."""
    monkeypatch.setattr(cache, "FLIGHT_MS", 150)
    monkeypatch.setattr(cache, "PROLONG_S", 0.03)
    flight = await led(shared)
    async with shared.prolonged(flight):
        for _ in range(8):
            await asyncio.sleep(0.05)
            assert (await looked(shared))[1] is Role.FOLLOW
    await shared.abandon(flight)
    assert (await looked(shared))[1] is Role.LEAD


async def test_a_script_that_is_sent_twice_leads_once(shared: SharedCache) -> None:
    """The same token leads again: the connection broke before the answer came."""
    token = new_token()
    roles = [(await shared.look(KEY, TAGS, token)).role for _ in range(2)]
    assert roles == [Role.LEAD, Role.LEAD]


async def test_every_key_of_the_cache_ends(shared: SharedCache, redis: Redis) -> None:
    """Entries, flights and generations all have a time to live."""
    await shared.keep(await led(shared), ENTRY, LONG)
    await shared.purge(TAGS)
    await led(shared)
    names = await redis.keys("ludo:cache:*")
    assert keys.cache_tag("rooms").encode() in names
    assert all([await redis.pttl(name) > 0 for name in names])


ENGLISH, GERMAN = {"accept-language": "en"}, {"accept-language": "de"}


async def varied(shared: SharedCache, fields: dict[str, str], body: bytes) -> Landing:
    """Keep an answer that depends on the language that was asked for."""
    token = new_token()
    found = await shared.look(KEY, TAGS, token, fields)
    assert found.role is Role.LEAD
    flight = Flight(KEY, TAGS, token, found.generations, found.secondary, found.now)
    entry = Entry(200, (), body, "", 0)
    return await shared.keep(flight, entry, LONG, vary=("accept-language",), fields=fields)


async def test_variants_are_kept_beside_each_other(shared: SharedCache) -> None:
    """Each request gets the one that its own fields select (RFC 9111 §4.1)."""
    for fields, body in ((ENGLISH, b"hello"), (GERMAN, b"hallo"), ({}, b"...")):
        assert await varied(shared, fields, body) is Landing.KEPT
    for fields, body in ((ENGLISH | {"x": "y"}, b"hello"), (GERMAN, b"hallo"), ({}, b"...")):
        entry = (await shared.look(KEY, TAGS, new_token(), fields)).entry
        assert entry is not None
        assert entry.body == body
    assert (await shared.look(KEY, TAGS, new_token(), {"accept-language": ""})).entry is None


async def test_each_variant_has_a_flight_of_its_own(shared: SharedCache) -> None:
    """Whoever wants another language does not wait for this one."""
    await varied(shared, ENGLISH, b"hello")
    french, german = {"accept-language": "fr"}, GERMAN
    roles = [
        (await shared.look(KEY, TAGS, new_token(), each)).role for each in (french, german, french)
    ]
    assert roles == [Role.LEAD, Role.LEAD, Role.FOLLOW]


async def test_a_purge_ends_every_variant(shared: SharedCache) -> None:
    """The tags are those of the key."""
    await varied(shared, ENGLISH, b"hello")
    await varied(shared, GERMAN, b"hallo")
    await shared.purge(["rooms"])
    for fields in (ENGLISH, GERMAN):
        assert (await shared.look(KEY, TAGS, new_token(), fields)).entry is None


async def test_there_are_never_too_many_entries(
    shared: SharedCache, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What would end first leaves first."""
    monkeypatch.setattr(cache, "MOST_ENTRIES", 5)
    for number in range(9):
        token = new_token()
        found = await shared.look(f"/rooms/{number}?", TAGS, token)
        flight = Flight(f"/rooms/{number}?", TAGS, token, found.generations)
        await shared.keep(flight, ENTRY, Lifetimes(soft=60 + number, hard=600))
    names = await redis.keys(keys.cache_entry("*"))
    assert sorted(names) == [keys.cache_entry(f"/rooms/{n}?").encode() for n in range(4, 9)]


async def test_what_is_too_large_is_not_kept(shared: SharedCache, redis: Redis) -> None:
    """Its flight ends all the same."""
    large = Entry(200, (), b"x" * (cache.LARGEST + 1), "", 0)
    assert await shared.keep(await led(shared), large, LONG) is Landing.LOST
    assert await looked(shared) == (Freshness.NONE, Role.LEAD)
    assert await redis.keys(keys.cache_entry("*")) == []


async def test_an_entry_ends_before_the_purge_of_it_is_forgotten(
    shared: SharedCache, redis: Redis
) -> None:
    """Else the expiry of a tag would bring back what was purged a day ago."""
    await shared.keep(await led(shared), ENTRY, Lifetimes(soft=2**31, hard=2**31))
    await shared.purge(["rooms"])
    entry, tag = keys.cache_entry(KEY), keys.cache_tag("rooms")
    assert await redis.pttl(entry) + 3_600_000 < await redis.pttl(tag)


async def test_it_is_told_how_long_an_answer_stays_fresh(shared: SharedCache) -> None:
    """So that a process may use it for so long, and no longer."""
    await shared.keep(await led(shared), ENTRY, Lifetimes(soft=60, hard=600))
    found = await shared.look(KEY, TAGS, new_token())
    assert 50_000 < found.left <= 60_000


async def test_after_an_answer_that_is_nobody_else_s_nobody_waits(shared: SharedCache) -> None:
    """Everybody fetches alone for a moment; then one leads again."""
    await shared.scatter(await led(shared), 0.2)
    assert [await looked(shared) for _ in range(3)] == [(Freshness.NONE, Role.ALONE)] * 3
    await wait_until(lambda: _leads(shared))
