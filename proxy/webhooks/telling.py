"""How refused deliveries are told to an operator; signatures stay where they are."""

from typing import Any, Final

from ludo.store.rejected import Entry
from ludo.upstream.keyring import Scheme
from proxy.webhooks.recheck import Rechecked

PREVIEW: Final = 200


def told(entry: Entry) -> dict[str, Any]:
    """The entry as JSON; `receivedAt` is Unix milliseconds, `schemes` the tags of its signatures.

    What it claims of itself (`webhookId`, `timestamp`, `preview`) has not been verified.
    """
    rejected = entry.rejected
    headers = dict(rejected.headers)
    return {
        "id": entry.id,
        "reason": rejected.reason,
        "receivedAt": round(rejected.received_at * 1000),
        "webhookId": rejected.webhook_id,
        "timestamp": headers.get("webhook-timestamp", ""),
        "schemes": _schemes(headers.get("webhook-signature", "")),
        "size": rejected.size,
        "whole": rejected.is_whole,
        "preview": rejected.body[:PREVIEW].decode("utf-8", "replace"),
    }


def told_outcome(rechecked: Rechecked) -> dict[str, Any]:
    """What became of an entry, as JSON."""
    return {
        "id": rechecked.id,
        "webhookId": rechecked.webhook_id,
        "outcome": rechecked.outcome.value,
        "detail": rechecked.detail,
    }


def _schemes(signatures: str) -> list[str]:
    """The tags before the commas; an entry without a comma could be a bare signature."""
    tags = {tag for tag, comma, _ in (each.partition(",") for each in signatures.split()) if comma}
    known = sorted(tags & set(Scheme))
    return known if known or not tags else ["unknown"]
