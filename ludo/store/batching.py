"""Scripts that share pipelines: what is asked at the same moment goes to Redis together.

One EVALSHA alone costs ten times the processor time that it costs in a pipeline of a hundred, and
with `appendfsync always` all commands of a pipeline share one sync of the disk. Several pipelines
are under way at once, so that callers are answered, and the next calls come, while Redis syncs;
what reaches it meanwhile shares its next sync.
"""

import asyncio
import copy
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, Final

import hiredis
import structlog
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoScriptError, RedisError

from ludo.store.pipeline import ask
from ludo.store.scripts import Arg, Scripts, source

BATCH: Final = 128
UNDER_WAY: Final = 4
"""Pipelines that wait for Redis at once; calls beyond them gather, so batches grow under load."""
WAITING: Final = 4_096
"""Calls that may wait for the next batch; more could not be answered within their deadlines."""
SWEEP_S: Final = 0.1
"""How often calls past their deadline are looked for: one timer for all of them."""

log = structlog.get_logger("batching")


@dataclass(slots=True, eq=False)
class _Call:
    name: str
    keys: Sequence[str]
    args: Sequence[Arg]
    answer: asyncio.Future[Any]
    until: float


class BatchedScripts(Scripts):
    """Runs scripts by name, concurrent calls in shared pipelines, while `serve` runs.

    The order of calls means nothing. Each call succeeds or fails for itself; a caller that gives
    up takes nothing away from the others, and a call that nobody waits for any more is not sent.
    """

    def __init__(self, redis: Redis) -> None:
        super().__init__(redis)
        self._calls: asyncio.Queue[_Call] = asyncio.Queue(WAITING)
        self._timed: list[_Call] = []
        self._sweeping: asyncio.TimerHandle | None = None
        self._ended = False

    async def run(
        self, name: str, *, keys: Sequence[str], args: Sequence[Arg], within: float | None = None
    ) -> Any:
        """What the script returns; raises RedisError, or TimeoutError when too many calls wait.

        `within` ends the wait, a tenth of a second late at most; without it the deadline is the
        caller's own.
        """
        if self._ended:
            raise RedisConnectionError("the process is ending")
        loop = asyncio.get_running_loop()
        call = _Call(name, keys, args, loop.create_future(), 0.0)
        try:
            self._calls.put_nowait(call)
        except asyncio.QueueFull:
            raise TimeoutError(f"{WAITING} calls wait for Redis already") from None
        if within is not None:
            call.until = loop.time() + within
            self._timed.append(call)
            if self._sweeping is None:
                self._sweeping = loop.call_later(SWEEP_S, self._sweep)
        return await call.answer

    async def serve(self) -> None:
        """Answers calls until cancelled; whoever waits then is told so. One task a process."""
        try:
            async with asyncio.TaskGroup() as pipelines:
                turns = asyncio.Semaphore(UNDER_WAY)
                while True:
                    await turns.acquire()
                    calls = await self._next()
                    answering = pipelines.create_task(self._answer(calls))
                    answering.add_done_callback(partial(_over, turns, calls))
        finally:
            self._ended = True
            while not self._calls.empty():
                _settle(self._calls.get_nowait(), RedisConnectionError("the process is ending"))

    def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        now, waiting = loop.time(), []
        for call in self._timed:
            if now >= call.until:
                _settle(call, TimeoutError("Redis did not answer within the deadline"))
            elif not call.answer.done():
                waiting.append(call)
        self._timed = waiting
        self._sweeping = loop.call_later(SWEEP_S, self._sweep) if waiting else None

    async def _next(self) -> list[_Call]:
        """The calls that are there, at least one."""
        calls = [await self._calls.get()]
        while len(calls) < BATCH and not self._calls.empty():
            calls.append(self._calls.get_nowait())
        return [call for call in calls if not call.answer.done()]

    async def _answer(self, calls: list[_Call]) -> None:
        try:
            answers = await self._asked(calls) if calls else []
        except Exception as error:  # the task must outlive whatever one batch meets
            if not isinstance(error, RedisError | OSError):
                log.exception("batch.failed")
            answers = [copy.copy(error) for _ in calls]
        for call, answer in zip(calls, answers, strict=True):
            _settle(call, answer)

    async def _asked(self, calls: list[_Call]) -> list[Any]:
        answers = await self._piped(calls)
        unknown = [at for at, answer in enumerate(answers) if isinstance(answer, NoScriptError)]
        if unknown:  # Redis was started again, or somebody flushed its scripts
            for name in {calls[at].name for at in unknown}:
                await self._redis.script_load(source(name))
            again = await self._piped([calls[at] for at in unknown])
            for at, answer in zip(unknown, again, strict=True):
                answers[at] = answer
        return answers

    async def _piped(self, calls: list[_Call]) -> list[Any]:
        """The answer to each call, which may be an exception."""
        return await ask(self._redis, [_packed(call) for call in calls])


def _packed(call: _Call) -> bytes:
    command: Any = (b"EVALSHA", _sha(call.name), len(call.keys), *call.keys, *call.args)
    packed: bytes = hiredis.pack_command(command)
    return packed


@cache
def _sha(name: str) -> str:
    return hashlib.sha1(source(name).encode(), usedforsecurity=False).hexdigest()


def _over(turns: asyncio.Semaphore, calls: Sequence[_Call], answering: asyncio.Task[None]) -> None:
    turns.release()
    if answering.cancelled():  # perhaps before it began, so that it could not tell them itself
        for call in calls:
            _settle(call, RedisConnectionError("the process is ending"))


def _settle(call: _Call, answer: Any) -> None:
    if call.answer.done():
        return
    if isinstance(answer, Exception):
        call.answer.set_exception(answer)
    else:
        call.answer.set_result(answer)
