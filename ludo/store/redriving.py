"""Sending dead letters in again: through the inbox as anything else, so never backwards."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final, assert_never

from ludo.mirror.incoming import GameEvent, Hint, RoomEvent, UnknownEvent
from ludo.mirror.settle import Outcome
from ludo.store.errors import StoreUnavailable
from ludo.store.inbox import Delivery, Inbox, Verdict
from ludo.store.letters import PENDING, REDRIVE, REFUSED, DeadLetters, Letter, redrive_id
from ludo.upstream.errors import MalformedEvent
from ludo.upstream.wire import parse_event

MISSING: Final = "missing"
LOOK_EVERY_S: Final = 0.05


@dataclass(frozen=True, slots=True)
class Redriven:
    """What became of one letter.

    `outcome` is the event's, or `pending` (it waits for an earlier event, or for a worker),
    `refused` (the store did not take it) or `missing` (the letter is gone). `cause` says why it
    died again or was refused.
    """

    letter: Letter
    outcome: str
    cause: str = ""

    @property
    def failed(self) -> bool:
        """Whether the letter is as dead as before."""
        return self.outcome in (Outcome.DEAD, REFUSED, MISSING)


@dataclass(frozen=True, slots=True)
class Redriver:
    """Each letter is accepted anew under an id of its own, whatever was made of it before.

    What it says is decided against the mirror as it stands: what was applied already is a
    duplicate, what a resync went past is stale. Calls raise StoreUnavailable and RedisError.
    """

    letters: DeadLetters
    inbox: Inbox

    async def run(
        self, letters: AsyncIterator[Letter], *, pause: float = 0.0, within: float = 5.0
    ) -> AsyncIterator[Redriven]:
        """What became of each letter, as soon as it is known.

        `pause` is the time between two letters; `within` how long the last ones are waited for.
        """
        waiting: dict[str, tuple[Letter, str]] = {}
        async for letter in letters:
            nonce, redriven = await self._one(letter)
            if redriven.outcome == PENDING:
                waiting[letter.id] = letter, nonce
            else:
                yield redriven
            if pause:
                await asyncio.sleep(pause)
        deadline = asyncio.get_running_loop().time() + within
        while waiting:
            for letter, nonce in list(waiting.values()):
                redriven = await self._looked_at(letter, nonce)
                if redriven.outcome != PENDING:
                    del waiting[letter.id]
                    yield redriven
            if asyncio.get_running_loop().time() >= deadline:
                break
            await asyncio.sleep(LOOK_EVERY_S)
        for letter, _ in waiting.values():
            yield Redriven(letter, PENDING)

    async def _one(self, letter: Letter) -> tuple[str, Redriven]:
        nonce = await self.letters.begin_redrive(letter.id)
        if nonce is None:
            return "", Redriven(letter, MISSING)
        try:
            outcome, cause = await self._accepted(letter, nonce)
        except StoreUnavailable:
            await self.letters.settle_redrive(letter.id, nonce, REFUSED, "store-unavailable")
            raise
        if outcome != PENDING:
            await self.letters.settle_redrive(letter.id, nonce, outcome, cause)
        return nonce, Redriven(letter, outcome, cause)

    async def _accepted(self, letter: Letter, nonce: str) -> tuple[str, str]:
        try:
            incoming = parse_event(letter.body)
        except MalformedEvent:
            return REFUSED, "unreadable"
        delivery = Delivery(
            redrive_id(letter.id, nonce),
            letter.body,
            incoming,
            source=REDRIVE,
            key_id=letter.key_id,
            headers=letter.headers,
        )
        match await self.inbox.accept(delivery):
            case Verdict.FULL:
                return REFUSED, "backlog-full"
            case Verdict.OVERFLOW | Verdict.ID_CONFLICT as verdict:
                return Outcome.DEAD, verdict.value
            case Verdict.STALE:
                return Outcome.STALE, ""
            case Verdict.ACCEPTED | Verdict.DUPLICATE:
                return _at_once(incoming), ""

    async def _looked_at(self, letter: Letter, nonce: str) -> Redriven:
        found = await self.letters.last_redrive(letter.id)
        if found is None or found.nonce != nonce:  # somebody else redrives it as well
            return Redriven(letter, MISSING)
        return Redriven(letter, found.outcome, found.cause)


def _at_once(incoming: GameEvent | RoomEvent | Hint | UnknownEvent) -> str:
    """What is decided by accepting it; a game's event waits for a worker."""
    match incoming:
        case GameEvent():
            return PENDING
        case RoomEvent():
            return Outcome.APPLIED
        case Hint() | UnknownEvent():
            return Outcome.FILTERED
        case _:
            assert_never(incoming)
