"""From raw bytes to an answer: verify, parse, accept; nothing costs before the signature."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, assert_never

import structlog

from ludo.store.errors import StoreUnavailable
from ludo.store.inbox import Delivery, Inbox, Verdict
from ludo.upstream.keyring import KeyRing
from ludo.upstream.signing import Reason, Refused, verify
from ludo.upstream.wire import MalformedEvent, parse_event
from proxy.webhooks.evidence import Evidence, Rejected

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


@dataclass(frozen=True, slots=True)
class NotGenuine:
    """Something is wrong with the headers or the signature (401)."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class NotReadable:
    """Verified, but not an event (400)."""

    detail: str


@dataclass(frozen=True, slots=True)
class NotNow:
    """Nothing was stored; the sender is to come again (503)."""

    detail: str
    retry_after: int


Received = Accepted | NotGenuine | NotReadable | NotNow


@dataclass(frozen=True, slots=True)
class Intake:
    """The receiver's use case. `ring` is asked at every delivery, so keys can change."""

    ring: Callable[[], KeyRing]
    inbox: Inbox
    evidence: Evidence
    clock: Callable[[], float]

    async def receive(self, headers: Mapping[str, str], body: bytes) -> Received:
        """What becomes of a delivery; never raises for anything that a sender can send."""
        ring = self.ring()
        if not ring:
            return NotNow("no webhook secret is configured (LUDO_WEBHOOK_SECRETS)", 60)
        now = self.clock()
        checked = verify(ring, headers, body, int(now))
        if isinstance(checked, Refused):
            self.evidence.note(Rejected.of(checked.reason.value, headers, body, now))
            return NotGenuine(checked.reason)
        try:
            incoming = parse_event(body)
        except MalformedEvent as error:
            self.evidence.note(Rejected.of("malformed-event", headers, body, now))
            return NotReadable(str(error))
        delivery = Delivery(checked.webhook_id, body, incoming, key_id=checked.key_id)
        return await self._stored(delivery)

    async def _stored(self, delivery: Delivery) -> Received:
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
            case Verdict.ACCEPTED | Verdict.DUPLICATE:
                return Accepted(verdict)
            case _:
                assert_never(verdict)
