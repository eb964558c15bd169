"""What a delivery is worth, purely: genuine and readable, or why not."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ludo.store.inbox import Delivery
from ludo.upstream.keyring import KeyRing
from ludo.upstream.signing import Reason, Refused, verify
from ludo.upstream.wire import MalformedEvent, parse_event

SHOWN: Final = ("webhook-timestamp", "content-type", "user-agent", "traceparent")
"""The headers that are kept with an event; none of them is a secret, or made with one."""
LONGEST: Final = 256


@dataclass(frozen=True, slots=True)
class NotGenuine:
    """Something is wrong with the headers or the signature (401)."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class NotReadable:
    """Verified, but not an event (400)."""

    detail: str


def examine(
    ring: KeyRing, headers: Mapping[str, str], body: bytes, received_at: float
) -> Delivery | NotGenuine | NotReadable:
    """The delivery, once verified at its time of receipt (Unix seconds) and parsed; never raises.

    Nothing of the body is looked at before its signature has been verified.
    """
    checked = verify(ring, headers, body, int(received_at))
    if isinstance(checked, Refused):
        return NotGenuine(checked.reason)
    try:
        incoming = parse_event(body)
    except MalformedEvent as error:
        return NotReadable(str(error))
    kept = {name: headers[name][:LONGEST] for name in SHOWN if name in headers}
    return Delivery(checked.webhook_id, body, incoming, key_id=checked.key_id, headers=kept)
