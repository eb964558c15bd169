"""Writes: passed on once, whatever callers, we or upstream repeat."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final
from uuid import uuid4

import msgspec
import structlog
from redis.exceptions import RedisError

from ludo.store.cache import SharedCache
from ludo.store.replies import Begun, Busy, Done, Go, Replies, Reused, new_token, request_name
from ludo.store.writes import Writes
from ludo.upstream.budget import CallClass
from ludo.upstream.call import IDEMPOTENCY_HEADER, Call
from ludo.upstream.client import LudoClient
from ludo.upstream.deadline import Deadline
from ludo.upstream.errors import BudgetSpent, CircuitOpen
from proxy import tracing
from proxy.errors import BadRequest, KeyBusy, KeyReused
from proxy.facade.acting import Body
from proxy.facade.fetching import without_tokens

BUSY_WITHIN_S: Final = 5.0
POLL_S: Final = 0.05
RELEASED_WITHIN_S: Final = 0.5
"""Without Redis nobody waits longer for this: the key becomes free by itself (`RUNNING_MS`)."""
_KEY: Final = re.compile(r"[\x21-\x7e]{1,255}")
_UNDECIDED: Final = frozenset({401, 403, 408, 425})
"""Refusals that say nothing about the request itself: the same one may succeed later."""

log = structlog.get_logger("facade")


Check = Callable[[], Awaitable[None]]
"""Raises if the write needs not go out at all."""


@dataclass(frozen=True, slots=True)
class Write:
    """One write: `tags` lose their meaning by it; `game_id` if it changes a game.

    `check` is asked before it goes out, but not before a repeated one is answered.
    """

    route: str
    params: dict[str, str]
    body: Body
    tags: Sequence[str] = ()
    game_id: str | None = None
    klass: CallClass = CallClass.WRITE
    check: Check | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """Upstream's answer, a refusal (4xx) too; `replayed` if it was given before."""

    status: int
    body: bytes
    key: str
    replayed: bool = False


class Writer:
    """Passes writes on under an idempotency key, the caller's or a fresh one."""

    def __init__(
        self,
        client: LudoClient,
        replies: Replies,
        writes: Writes,
        cache: SharedCache,
        new_key: Callable[[], str] = lambda: uuid4().hex,
    ) -> None:
        self._client = client
        self._replies = replies
        self._writes = writes
        self._cache = cache
        self._new_key = new_key

    async def write(self, write: Write, caller: str, key: str | None) -> Reply:
        """The answer to a write.

        Raises UpstreamError, RedisError, KeyReused for a key that came with another body,
        KeyBusy while the first request runs, BadRequest for a key that is none.
        """
        encoded = msgspec.json.encode(write.body, order="sorted")
        if key is None:
            return await self._sent(write, caller, self._new_key(), encoded)
        if _KEY.fullmatch(key) is None:
            raise BadRequest("expected an Idempotency-Key of 1–255 visible ASCII characters")
        return await self._once(write, caller, key, encoded)

    async def _once(self, write: Write, caller: str, key: str, encoded: bytes) -> Reply:
        path = Call("POST", write.route, write.params).path
        request = request_name(caller, "POST", path, key)
        token = new_token()
        begun = await self._begun(request, token, encoded)
        if isinstance(begun, Done):
            return Reply(begun.status, begun.body, key, replayed=True)
        try:
            reply = await self._sent(write, caller, key, encoded)
        except BaseException:
            await asyncio.shield(self._released(request, token))
            raise
        # A caller who hangs up here has had the write made: its answer is kept all the same.
        await asyncio.shield(self._kept(request, token, reply))
        return reply

    async def _begun(self, request: str, token: str, encoded: bytes) -> Go | Done:
        deadline = Deadline.after(BUSY_WITHIN_S)
        while True:
            match await self._asked(request, token, encoded):
                case Go() | Done() as begun:
                    return begun
                case Reused():
                    raise KeyReused("expected a fresh Idempotency-Key; this one had another body")
                case Busy() if deadline.left() == 0:
                    raise KeyBusy("the first request with this Idempotency-Key is still running")
                case Busy():
                    await asyncio.sleep(POLL_S)

    async def _asked(self, request: str, token: str, encoded: bytes) -> Begun:
        begin = asyncio.create_task(self._replies.begin(request, token, encoded), name="begin")
        try:
            return await asyncio.shield(begin)
        except (asyncio.CancelledError, RedisError, OSError):
            # Redis may have given the key to this token, and nobody would hear of it: it would
            # stay locked. Scripts may overtake each other, so it is released after the answer.
            await asyncio.shield(self._taken_back(begin, request, token))
            raise

    async def _taken_back(self, begin: asyncio.Task[Begun], request: str, token: str) -> None:
        with suppress(RedisError, OSError):
            await begin
        await self._released(request, token)

    async def _sent(self, write: Write, caller: str, key: str, encoded: bytes) -> Reply:
        if write.check is not None:
            await write.check()
        if write.game_id is not None:
            await self._writes.mark(write.game_id, caller)
        headers = {IDEMPOTENCY_HEADER: key, **tracing.headers()}
        call = Call("POST", write.route, write.params, body=encoded, headers=headers)
        changed = True
        try:
            response = await self._client.request(call, klass=write.klass)
            changed = not response.refused
        except (BudgetSpent, CircuitOpen):
            changed = False  # it never left this house
            raise
        finally:
            # Also after any other error: it may have reached upstream all the same.
            await asyncio.shield(self._noted(write, caller, changed))
        return Reply(response.status, response.body, key)

    async def _noted(self, write: Write, caller: str, changed: bool) -> None:
        try:
            if changed:
                await self._cache.purge(write.tags)
            elif write.game_id is not None:
                await self._writes.forget(write.game_id, caller)
        except (RedisError, OSError) as error:
            log.warning("write.not_noted", route=write.route, error=repr(error))

    async def _kept(self, request: str, token: str, reply: Reply) -> None:
        # A session token is not kept here either: upstream, asked again under the same key,
        # repeats its own first answer.
        secret = without_tokens(reply.body) != reply.body
        if secret or reply.status in _UNDECIDED:
            await self._released(request, token)
            return
        try:
            await self._replies.keep(request, token, reply.status, reply.body)
        except (RedisError, OSError) as error:
            log.warning("reply.not_kept", error=repr(error))

    async def _released(self, request: str, token: str) -> None:
        try:
            async with asyncio.timeout(RELEASED_WITHIN_S):
                await self._replies.release(request, token)
        except (RedisError, OSError) as error:
            log.warning("reply.not_released", error=repr(error))
