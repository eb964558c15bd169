"""What waits to be delivered: in order within a game, games side by side, none for ever."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Final

import structlog

from sandbox.retry import Reply, Schedule
from sandbox.sending import Sending
from sandbox.tally import Tally

_HOLD: Final = 1.0
"""How long, in seconds, a sending that is to be passed waits for the next one of its game."""
_log = structlog.get_logger(__name__)

Attempt = Callable[[Sending, int], Awaitable[Reply]]


@dataclass(slots=True)
class _Lane:
    """The sendings of one game that leave in order."""

    waiting: deque[Sending] = field(default_factory=deque)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    async def next(self) -> Sending | None:
        """What leaves next; a swapped sending lets the one behind it pass, if one comes."""
        if not self.waiting:
            return None
        if self.waiting[0].swapped:
            await self._second()
            first = replace(self.waiting.popleft(), swapped=False)
            self.waiting.insert(1, first)
        return self.waiting.popleft()

    async def _second(self) -> None:
        if len(self.waiting) > 1:
            return
        self.arrived.clear()
        try:
            async with asyncio.timeout(_HOLD):
                await self.arrived.wait()
        except TimeoutError:
            return


class Outbox:
    """Delivers what is put into it, again and again until it is acknowledged or given up.

    At most `connections` deliveries are under way at once. With `bound` sendings pending it is
    full: whoever makes events waits for `ready`. Without `attempt` there is no receiver, and what
    is put into it is gone.
    """

    def __init__(
        self,
        attempt: Attempt | None,
        schedule: Schedule,
        tally: Tally,
        *,
        connections: int = 32,
        bound: int = 10_000,
    ) -> None:
        self._attempt = attempt
        self._schedule = schedule
        self._tally = tally
        self._slots = asyncio.Semaphore(connections)
        self._bound = bound
        self._lanes: dict[str, _Lane] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._settled = asyncio.Event()
        self.pending = 0

    @property
    def full(self) -> bool:
        """Whether so much is pending that no further event should be made."""
        return self.pending >= self._bound

    def put(self, sending: Sending) -> None:
        """Take a sending; it leaves at once, in its turn, or after its delay."""
        if self._attempt is None:
            return
        self.pending += 1
        if sending.delay is not None:
            self._spawn(self._alone(self._attempt, sending, sending.delay))
            return
        lane = self._lanes.get(sending.game_id)
        if lane is None:
            lane = self._lanes[sending.game_id] = _Lane()
            self._spawn(self._serve(self._attempt, sending.game_id, lane))
        lane.waiting.append(sending)
        lane.arrived.set()

    async def ready(self, game_id: str = "", ahead: int | None = None) -> None:
        """Wait until it is not full and no more than `ahead` sendings of the game wait."""
        while self.full or (ahead is not None and self._waiting(game_id) > ahead):
            self._settled.clear()
            await self._settled.wait()

    async def aclose(self) -> None:
        """Give up everything that is pending."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _waiting(self, game_id: str) -> int:
        lane = self._lanes.get(game_id)
        return len(lane.waiting) if lane else 0

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, attempt: Attempt, game_id: str, lane: _Lane) -> None:
        while (sending := await lane.next()) is not None:
            await self._deliver(attempt, sending)
        # No await since the lane was found empty, so nothing can have been put into it.
        del self._lanes[game_id]

    async def _alone(self, attempt: Attempt, sending: Sending, delay: float) -> None:
        await asyncio.sleep(delay)
        await self._deliver(attempt, sending)

    async def _deliver(self, attempt: Attempt, sending: Sending) -> None:
        for number in count(1):
            async with self._slots:
                reply = await attempt(sending, number)
            self._tally.attempted(number, reply.status)
            verdict = self._schedule.after(number, reply)
            if isinstance(verdict, str):
                self._settle(sending, verdict, reply)
                return
            await asyncio.sleep(verdict)

    def _settle(self, sending: Sending, verdict: str, reply: Reply) -> None:
        if verdict == "acknowledged":
            self._tally.acknowledged[sending.worth] += 1
        else:
            self._tally.given_up[sending.worth] += 1
            _log.warning("sending.given_up", id=sending.webhook_id, status=reply.status)
        self.pending -= 1
        self._settled.set()
