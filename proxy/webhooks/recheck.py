"""Verifies refused deliveries again, after a secret was mended; genuine ones go the normal way."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, assert_never

import structlog

from ludo.store.errors import StoreUnavailable
from ludo.store.inbox import Delivery, Inbox, Verdict
from ludo.store.rejected import Entry, RejectedRing
from ludo.upstream.keyring import KeyRing
from proxy.webhooks.examining import NotGenuine, NotReadable, examine

LONGEST_S: Final = 7 * 24 * 3600.0
"""A day less than what was accepted is remembered: an older one could not be told apart."""

log = structlog.get_logger("webhooks")


class Outcome(StrEnum):
    """What a recheck made of a refused delivery; the last two stay in the ring."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    DEAD = "dead"
    EXPIRED = "expired"
    INCOMPLETE = "incomplete"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Rechecked:
    """The outcome for one entry of the ring; `detail` says why, where there is a why."""

    id: str
    webhook_id: str
    outcome: Outcome
    detail: str = ""

    @property
    def is_settled(self) -> bool:
        """Whether the entry has left the ring."""
        return self.outcome not in (Outcome.INCOMPLETE, Outcome.REFUSED)


@dataclass(frozen=True, slots=True)
class Recheck:
    """Goes through the ring. `ring` is asked once a run; `clock` is Unix seconds."""

    ring: Callable[[], KeyRing]
    inbox: Inbox
    rejected: RejectedRing
    clock: Callable[[], float]

    async def run(self) -> AsyncIterator[Rechecked]:
        """The outcome for each entry, oldest first, as it comes about.

        Each is verified against its own time of receipt. An entry leaves the ring only after the
        store has it, and the store takes it once, so a run that is repeated, doubled or cut off
        does no harm. Raises StoreUnavailable, also for a full backlog, and RedisError.
        """
        ring = self.ring()
        async for entry in self.rejected.oldest_first():
            rechecked = await self._one(ring, entry)
            if rechecked.is_settled:
                log.info(
                    "delivery.rechecked",
                    webhook_id=rechecked.webhook_id,
                    outcome=rechecked.outcome.value,
                )
                await self.rejected.remove([entry.id])
            yield rechecked

    async def _one(self, ring: KeyRing, entry: Entry) -> Rechecked:
        rejected = entry.rejected

        def told(outcome: Outcome, detail: str = "") -> Rechecked:
            return Rechecked(entry.id, rejected.webhook_id, outcome, detail)

        if self.clock() - rejected.received_at > LONGEST_S:
            return told(Outcome.EXPIRED, "received more than 7 days ago")
        if not rejected.is_whole:
            return told(Outcome.INCOMPLETE, "its body was not kept")
        found = examine(ring, dict(rejected.headers), rejected.body, rejected.received_at)
        match found:
            case NotGenuine(reason=reason):
                return told(Outcome.REFUSED, reason.value)
            case NotReadable(detail=detail):
                return told(Outcome.REFUSED, detail)
            case Delivery():
                return told(*_outcome(await self.inbox.accept(found)))
            case _:
                assert_never(found)


def _outcome(verdict: Verdict) -> tuple[Outcome, str]:
    match verdict:
        case Verdict.ACCEPTED | Verdict.STALE:
            return Outcome.ACCEPTED, ""
        case Verdict.DUPLICATE:
            return Outcome.DUPLICATE, "it came again and was accepted meanwhile"
        case Verdict.ID_CONFLICT | Verdict.OVERFLOW:
            return Outcome.DEAD, verdict.value
        case Verdict.FULL:
            raise StoreUnavailable("too many events wait to be decided; recheck again later")
        case _:
            assert_never(verdict)
