"""No byte of one caller in another's answer: the leaks of others by name, and thousands of cases.

In production upstream is asked with our key and with nothing of the caller's. Here a route passes
the caller's Authorization on, and every answer says whose it is: the worst case for a cache.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
import msgspec
import pytest
from redis.asyncio import Redis

from ludo.store.cache import Lifetimes, SharedCache
from ludo.store.scripts import Scripts
from ludo.upstream.budget import CallClass
from ludo.upstream.call import Call, UpstreamResponse
from proxy.facade.fetching import Fetcher
from proxy.facade.layer import Layer
from proxy.facade.policy import Plan, Scope
from proxy.facade.reading import Reader
from proxy.facade.ready import Ready
from tests.proxy.builders import a_token, bearer, replicas
from tests.proxy.upstream import Upstream, data
from tests.waiting import wait_until

POLICY: Final = Lifetimes(soft=30, hard=60)
CALLERS: Final = (None, "ann", "bob", "cid")
DIRECTIVES: Final = (
    "",
    "private",
    "private, max-age=60",
    'private="x-owner"',
    "no-store",
    "no-store, max-age=60",
    "no-cache",
    "max-age=60",
    "max-age=0",
    "public, max-age=60",
    "public",
    "s-maxage=60",
    "max-age=60, must-revalidate",
    "PRIVATE, s-maxage=60",
    "max-age=60, stale-while-revalidate=60, stale-if-error=60",
)
VARY: Final = (None, "Authorization", "Cookie", "*", "Accept-Language, Authorization")
STATUSES: Final = (200, 200, 200, 203, 404, 410, 403, 503)


@dataclass
class Answering:
    """An origin whose answers name the caller they are for, with headers as each path was given."""

    headers: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    statuses: dict[str, int] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)

    @property
    def stretch(self) -> float:
        """Nothing runs low."""
        return 1.0

    async def request(self, call: Call, *, klass: CallClass) -> UpstreamResponse:
        """See `proxy.facade.fetching.Origin`."""
        self.calls[call.path] += 1
        await asyncio.sleep(0)
        owner = call.headers.get("authorization", "nobody")
        body = {"owner": owner, "sessionToken": f"secret-{owner}", "list": [{"session_token": "x"}]}
        headers = [*self.headers.get(call.path, []), ("Set-Cookie", f"session={owner}")]
        headers.append(("X-Owner", owner))
        if "if-none-match" in call.headers:
            return UpstreamResponse(304, httpx.Headers(headers), b"", 0.0)
        status = self.statuses.get(call.path, 200)
        return UpstreamResponse(status, httpx.Headers(headers), msgspec.json.encode(body), 0.0)


def a_reader(redis: Redis, origin: Answering) -> Reader:
    """The facade's cache in front of this origin, with a layer that always hears."""
    cache = SharedCache(redis, Scripts(redis))
    layer = Layer(time.monotonic, lambda: True)
    return Reader(cache, Fetcher(cache, origin, time.monotonic, 5.0), layer)


def a_plan(path: str, caller: str | None, language: str = "en") -> Plan:
    """A read on a route that passes on who asks."""
    fields = {} if caller is None else {"authorization": caller}
    fields["accept-language"] = language
    return Plan(Call("GET", path), (path,), POLICY, Scope.CALLER, fields, passed=None, told=None)


def owner_of(ready: Ready) -> str:
    """Whose answer this is, by its body; nothing of it may be another one's."""
    owner: str = msgspec.json.decode(ready.body)["owner"]
    return owner


def may_have(owner: str, caller: str | None, said: str) -> bool:
    """Whether upstream lets this caller have that one's answer (RFC 9111 §3.5)."""
    if owner in ("nobody", caller or "nobody"):
        return True
    directives = {part.strip().partition("=")[0].lower() for part in said.split(",")}
    forbidden = {"no-store", "no-cache"} & directives or said.lower().split(",")[0] == "private"
    return not forbidden and bool({"public", "s-maxage", "must-revalidate"} & directives)


def check(ready: Ready, caller: str | None, said: str) -> None:
    """Nothing of another caller is in this answer, and nothing secret of anybody."""
    owner = owner_of(ready)
    assert may_have(owner, caller, said), f"{caller} got what is {owner}'s under {said!r}"
    named = (ready.field(b"x-owner") or b"nobody").decode()
    assert may_have(named, caller, said), f"{caller} got a header of {named}'s under {said!r}"
    assert b"secret-" not in ready.body
    assert b"session_token" not in ready.body
    assert ready.field(b"set-cookie") is None


async def play(reader: Reader, origin: Answering, dice: random.Random, number: int) -> int:
    """One case: a path with its headers, and several callers at once and after each other."""
    path, said, vary = f"/case/{number}", dice.choice(DIRECTIVES), dice.choice(VARY)
    headers = [("Cache-Control", said)] if said else []
    headers += [("Vary", vary)] if vary else []
    headers += [("ETag", '"1"')] if dice.random() < 0.3 else []
    origin.headers[path] = headers
    origin.statuses[path] = dice.choice(STATUSES)
    served = 0
    for _ in range(dice.randint(1, 2)):
        callers = dice.choices(CALLERS, k=dice.randint(1, 3))
        reads = (reader.read(a_plan(path, each, dice.choice(("en", "de")))) for each in callers)
        for caller, answer in zip(callers, await asyncio.gather(*reads), strict=True):
            check(answer.ready, caller, said)
            served += answer.source.value == "hit"
    return served


@pytest.fixture
async def hasty(redis: Redis) -> AsyncIterator[Redis]:
    """A Redis that need not have everything on disk at once: nothing of this is to survive."""
    await redis.config_set("appendfsync", "no")
    yield redis
    await redis.flushall()
    await redis.config_set("appendfsync", "always")


async def play_many(redis: Redis, cases: int, seed: int) -> None:
    """Cases at two replicas, in groups at once; at least some answers have to come from cache."""
    origin, dice = Answering(), random.Random(seed)
    readers = [a_reader(redis, origin), a_reader(redis, origin)]
    hits = 0
    for start in range(0, cases, 20):
        numbers = range(start, min(start + 20, cases))
        played = (play(dice.choice(readers), origin, dice, number) for number in numbers)
        hits += sum(await asyncio.gather(*played))
    assert hits > cases / 20, "the cache was hardly used, so nothing was tried"
    for reader in readers:
        await reader.aclose()


async def test_no_byte_of_one_caller_in_another_s_answer(hasty: Redis) -> None:
    """Over generated headers, statuses, callers and orders."""
    await play_many(hasty, 1_000, seed=1)


@pytest.mark.prove
async def test_no_byte_of_one_caller_in_another_s_answer_in_ten_thousand_cases(
    hasty: Redis,
) -> None:
    """The same, for longer."""
    await play_many(hasty, 10_000, seed=2)


async def test_what_litestar_s_cache_leaks(redis: Redis) -> None:
    """It gave Bob Alice's body and cookie, under `private, no-store` and `Vary: Authorization`."""
    origin = Answering()
    origin.headers["/me"] = [("Cache-Control", "private, no-store"), ("Vary", "Authorization")]
    reader = a_reader(redis, origin)
    ann, bob = [(await reader.read(a_plan("/me", each))).ready for each in ("ann", "bob")]
    assert (owner_of(ann), owner_of(bob)) == ("ann", "bob")
    assert ann.field(b"set-cookie") is None
    assert bob.field(b"set-cookie") is None
    assert await redis.keys("ludo:cache:entry:*") == []


async def test_what_hishel_s_transport_leaks(redis: Redis) -> None:
    """Without its RFC mode it gave Bob Alice's private answer; so would one without a directive."""
    origin = Answering()
    origin.headers["/me"] = [("Cache-Control", "private, max-age=60")]
    reader = a_reader(redis, origin)
    for path in ("/me", "/silent"):
        owners = [
            owner_of((await reader.read(a_plan(path, each))).ready) for each in ("ann", "bob", None)
        ]
        assert owners == ["ann", "bob", "nobody"]
    assert origin.calls == {"/me": 3, "/silent": 3}


async def test_whoever_waits_does_not_get_what_is_another_s(redis: Redis) -> None:
    """A hundred at once for one private path: each has an answer of his own."""
    origin = Answering()
    origin.headers["/me"] = [("Cache-Control", "private")]
    reader = a_reader(redis, origin)
    names = [f"user{number}" for number in range(100)]
    answers = await asyncio.gather(*(reader.read(a_plan("/me", name)) for name in names))
    assert [owner_of(answer.ready) for answer in answers] == names


async def test_what_must_not_be_kept_is_not_shared_by_those_who_wait(
    redis_url: str, upstream: Upstream
) -> None:
    """Upstream says `no-store`: each of ten at once is answered for himself."""
    upstream.says("GET", "/rooms/ABCD12", data({}, cache_control="no-store"))
    upstream.hold()
    async with replicas(1, redis_url, upstream) as (proxy,):
        reads = [asyncio.create_task(proxy.get("/v1/rooms/ABCD12")) for _ in range(10)]
        await wait_until(lambda: upstream.arrived)
        upstream.go_on()
        await asyncio.gather(*reads)
    assert len(upstream.arrived) == 10


async def test_each_language_has_its_own_answer(redis: Redis) -> None:
    """What varies is never mixed up: not by those who wait together, not from the layer."""
    origin = Answering()
    origin.headers["/page"] = [("Cache-Control", "max-age=60"), ("Vary", "X-Language")]
    reader = a_reader(redis, origin)

    def plan(language: str) -> Plan:
        fields = {"authorization": language, "x-language": language}
        return Plan(Call("GET", "/page"), ("t",), POLICY, Scope.PUBLIC, fields, passed=None)

    for _ in range(3):
        wanted = ["en", "de", "fr", "de", "en"]
        answers = await asyncio.gather(*(reader.read(plan(language)) for language in wanted))
        assert [owner_of(answer.ready) for answer in answers] == wanted
    assert origin.calls["/page"] == 3


async def test_each_token_has_its_own_me(redis_url: str, upstream: Upstream) -> None:
    """At the real routes, over two replicas with their layers, in any order."""
    names = [f"plr_{number}" for number in range(8)]
    for name in names:
        body: dict[str, Any] = {"playerId": name, "sessionToken": f"secret-{name}"}
        upstream.says("GET", f"/players/{name}", data(body, set_cookie=f"session={name}"))
    dice = random.Random(3)
    async with replicas(2, redis_url, upstream) as proxies:
        for _ in range(60):
            name = dice.choice(names)
            headers = bearer(a_token(name)) | {"Cookie": "a=b"}
            answer = await dice.choice(proxies).get("/v1/players/me", headers=headers)
            assert answer.json()["data"] == {"playerId": name}
            assert "set-cookie" not in answer.headers
    assert len(upstream.arrived) == len({str(request.url) for request in upstream.arrived})
