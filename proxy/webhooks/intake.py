"""From raw bytes to an answer: verify, parse, accept; nothing costs before the signature."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, assert_never

import structlog

from ludo.store.errors import StoreUnavailable
from ludo.store.inbox import Delivery, Inbox, Verdict
from ludo.store.quota import Quota
from ludo.store.rejected import Rejected
from ludo.store.windows import Spent
from ludo.upstream.keyring import KeyRing
from proxy.webhooks.evidence import Evidence
from proxy.webhooks.examining import NotGenuine, NotReadable, examine
from proxy.webhooks.measures import Measures

MALFORMED: Final = "malformed-event"
RETRY_UNCONFIGURED_S: Final = 60
RETRY_STORE_S: Final = 5
RETRY_BACKLOG_S: Final = 10

log = structlog.get_logger("webhooks")


@dataclass(frozen=True, slots=True)
class Accepted:
    """The delivery is stored; `again` says that it was before."""

    verdict: Verdict

    @property
    def again(self) -> bool:
        """Whether this very delivery was accepted earlier."""
        return self.verdict is Verdict.DUPLICATE

    @property
    def status(self) -> int:
        """200 for one that was accepted earlier, else 202."""
        return 200 if self.again else 202


@dataclass(frozen=True, slots=True)
class TooMany:
    """Genuine, and more than its signer may send; nothing was stored (429)."""

    detail: str
    retry_after: int


@dataclass(frozen=True, slots=True)
class NotNow:
    """Nothing was stored; the sender is to come again (503)."""

    detail: str
    retry_after: int


Received = Accepted | NotGenuine | NotReadable | TooMany | NotNow


@dataclass(frozen=True, slots=True)
class Intake:
    """The receiver's use case. `ring` is asked at every delivery, so keys can change."""

    ring: Callable[[], KeyRing]
    inbox: Inbox
    quota: Quota
    evidence: Evidence
    measures: Measures
    clock: Callable[[], float]
    trouble: Callable[[], str | None] = lambda: None
    """Why nothing may be accepted at this moment, or None."""

    async def receive(self, headers: Mapping[str, str], body: bytes) -> Received:
        """What becomes of a delivery; never raises for anything that a sender can send."""
        ring = self.ring()
        if not ring:
            detail = "no webhook secret is configured (LUDO_WEBHOOK_SECRETS)"
            return NotNow(detail, RETRY_UNCONFIGURED_S)
        now = self.clock()
        found = examine(ring, headers, body, now)
        match found:
            case Delivery():
                return await self._genuine(found)
            case NotGenuine(reason=reason):
                self._refuse(reason.value, headers, body, now)
            case NotReadable():
                self._refuse(MALFORMED, headers, body, now)
            case _:
                assert_never(found)
        return found

    def refuse_unread(self, reason: str, headers: Mapping[str, str]) -> None:
        """Notes a delivery that was refused before its body was read to the end."""
        self._refuse(reason, headers, None, self.clock())

    def _refuse(
        self, reason: str, headers: Mapping[str, str], body: bytes | None, now: float
    ) -> None:
        self.measures.refused(reason)
        self.evidence.note(Rejected.of(reason, headers, body, now))

    async def _genuine(self, delivery: Delivery) -> Received:
        self.measures.verified(delivery.key_id)
        # Counted here and not earlier: what strangers send must not use up the signer's quota.
        if self.quota.counts:
            taken = await self.quota.take(f"webhook:{delivery.key_id}")
            if isinstance(taken, Spent):
                detail = f"more than {taken.rate} genuine deliveries (LUDO_WEBHOOK_QUOTA)"
                return TooMany(detail, math.ceil(taken.retry_after))
        return await self._stored(delivery)

    async def _stored(self, delivery: Delivery) -> Received:
        if (trouble := self.trouble()) is not None:
            return NotNow(f"nothing was accepted: {trouble}", RETRY_STORE_S)
        try:
            verdict = await self.inbox.accept(delivery)
        except StoreUnavailable as error:
            log.warning("delivery.not_stored", webhook_id=delivery.webhook_id, error=str(error))
            return NotNow("the store does not answer; nothing was accepted", RETRY_STORE_S)
        match verdict:
            case Verdict.FULL:
                return NotNow("too many events wait to be decided", RETRY_BACKLOG_S)
            case Verdict.ID_CONFLICT | Verdict.OVERFLOW:
                log.warning("delivery.dead", webhook_id=delivery.webhook_id, cause=verdict.value)
                return Accepted(verdict)
            case Verdict.ACCEPTED | Verdict.DUPLICATE | Verdict.STALE:
                return Accepted(verdict)
            case _:
                assert_never(verdict)
