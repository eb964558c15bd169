"""The one Redis pub/sub link of a process: subscribed to what is wanted, reconnecting for ever."""

import asyncio
import random
from collections.abc import Callable, Coroutine, Iterable
from contextlib import suppress
from typing import Final, Protocol

import structlog
from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import RedisError

from ludo.store.connection import Patience
from ludo.tasks import end
from proxy.relay.keeper import Clock

log = structlog.get_logger()

LINK: Final = Patience(
    connect_within=2.0, answer_within=5.0, attempts=0, longest_pause=0.1, again_on=()
)
"""The link must not mend itself unseen: what was published meanwhile would be missed."""

PING_EVERY: Final = 2.0
_FIRST_PAUSE: Final = 0.05
_LONGEST_PAUSE: Final = 1.0
_CHANNELS_AT_ONCE: Final = 500


class Audience(Protocol):
    """Who hears what the link brings; no method may wait."""

    def tuned(self, channel: str) -> None:
        """From now on nothing published on this channel is missed."""
        ...

    def deafened(self, channels: Iterable[str]) -> None:
        """These channels are not listened to any more."""
        ...

    def heard(self, channel: str, payload: bytes) -> None:
        """Something was published."""
        ...


class Reader:
    """Keeps one link subscribed to the channels that are wanted.

    `standing` ones are wanted from the start. `connect` gives a client made with `LINK`. A Redis
    that is silent is noticed within `LINK.answer_within`, because the link is pinged all the time.
    """

    def __init__(
        self,
        connect: Callable[[], Redis],
        clock: Clock,
        *,
        ping_every: float = PING_EVERY,
        standing: Iterable[str] = (),
    ) -> None:
        self._connect = connect
        self._clock = clock
        self._ping_every = ping_every
        self._standing = frozenset(standing)
        self._wanted: set[str] = set(self._standing)
        self._sent: set[str] = set()
        self._unanswered: dict[str, int] = {}
        self._changed = asyncio.Event()
        self.heard_at: float | None = None
        """When the link last brought anything; None while there is no link."""

    @property
    def subscriptions(self) -> int:
        """How many channels Redis was told of, besides the standing ones."""
        return len(self._sent - self._standing)

    def want(self, channel: str) -> bool:
        """Subscribe, and stay subscribed over every loss of the link; True: it is already so."""
        self._wanted.add(channel)
        self._changed.set()
        return channel in self._sent and channel not in self._unanswered

    def unwant(self, channel: str) -> None:
        """Subscribe no longer."""
        self._wanted.discard(channel)
        self._changed.set()

    async def run(self, audience: Audience, relinked: Callable[[], None]) -> None:
        """Listen for ever; `relinked` is called when every wanted channel is heard again."""
        pause = _FIRST_PAUSE
        while True:
            try:
                await self._link(audience, relinked)
            except (RedisError, OSError) as lost:
                log.warning("relay.link_lost", error=repr(lost))
            except Exception:  # whatever it is, a relay without a link is deaf until a restart
                log.exception("relay.link_failed")
            pause = _FIRST_PAUSE if self.heard_at is not None else min(2 * pause, _LONGEST_PAUSE)
            self._forget(audience)
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))

    async def _link(self, audience: Audience, relinked: Callable[[], None]) -> None:
        # A connection of its own instead of redis-py's PubSub, which mends itself unseen and takes
        # three times as long for each message.
        async with self._connect() as redis:
            link = redis.connection_pool.make_connection()  # type: ignore[no-untyped-call]
            try:
                await link.connect()
                patience = link.socket_timeout
                link.socket_timeout = None  # one timer for each message; `_tune` has one for all
                await _until_one_ends(
                    self._listen(link, audience, relinked), self._tune(link, patience)
                )
            finally:
                await link.disconnect()

    async def _listen(
        self, link: AbstractConnection, audience: Audience, relinked: Callable[[], None]
    ) -> None:
        new = True
        while True:
            # By itself it would close the connection, and not wait until it is closed.
            came = await link.read_response(disable_decoding=True, disconnect_on_error=False)
            self.heard_at = self._clock()
            match came:
                case [b"message", channel, data]:
                    audience.heard(channel.decode(), data)
                case [b"subscribe" | b"unsubscribe" as kind, channel, _]:
                    self._answered(channel.decode(), kind, audience)
            if new and not self._unanswered and self._wanted <= self._sent:
                new = False
                relinked()

    def _answered(self, channel: str, kind: bytes, audience: Audience) -> None:
        # Commands and answers keep their order, so only the last answer tells what holds now: an
        # unsubscribe that crossed a new subscribe must not leave the new listener deaf.
        left = self._unanswered.pop(channel, 1) - 1
        if left > 0:
            self._unanswered[channel] = left
        elif kind == b"subscribe":
            audience.tuned(channel)

    async def _tune(self, link: AbstractConnection, patience: float) -> None:
        """Tell Redis what is wanted as it changes, and make it speak; raises if it does not."""
        ping_at = begun = self._clock()
        while True:
            self._changed.clear()
            await self._send(link, "SUBSCRIBE", self._wanted - self._sent)
            await self._send(link, "UNSUBSCRIBE", self._sent - self._wanted)
            given_up_at = (self.heard_at or begun) + patience
            if self._clock() >= given_up_at:
                raise TimeoutError(f"expected an answer within {patience:g} s; found none")
            if self._clock() >= ping_at:
                ping_at = self._clock() + self._ping_every
                await link.send_command("PING", check_health=False)
            with suppress(TimeoutError):
                async with asyncio.timeout(min(ping_at, given_up_at) - self._clock()):
                    await self._changed.wait()

    async def _send(self, link: AbstractConnection, command: str, channels: set[str]) -> None:
        ordered = sorted(channels)
        for start in range(0, len(ordered), _CHANNELS_AT_ONCE):
            some = ordered[start : start + _CHANNELS_AT_ONCE]
            for channel in some:
                self._unanswered[channel] = self._unanswered.get(channel, 0) + 1
            self._sent.symmetric_difference_update(some)
            await link.send_command(command, *some, check_health=False)

    def _forget(self, audience: Audience) -> None:
        self.heard_at = None
        deaf = tuple(self._sent)
        self._sent.clear()
        self._unanswered.clear()
        audience.deafened(deaf)


async def _until_one_ends(*works: Coroutine[None, None, None]) -> None:
    """Raise what the first of them raises; the others are cancelled.

    Not a TaskGroup: before Python 3.13 it forgets a cancellation of ours that meets an error.
    """
    tasks = [asyncio.create_task(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        await end(*tasks)
