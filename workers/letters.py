"""What a decision writes of the events that it gave up, and of those that came a second time."""

from collections.abc import Iterable

import msgspec

from ludo.mirror.settle import Decided
from ludo.store.claims import Redriven
from ludo.store.letters import REDRIVE, redrive_of


def dead_letters(decided: Iterable[Decided]) -> list[bytes]:
    """The new dead letters, as JSON objects of their fields.

    A redriven event that dies again is the same dead letter, not a further one.
    """
    return [_letter(item) for item in decided if item.cause and item.waiting.source != REDRIVE]


def redriven(decided: Iterable[Decided]) -> list[Redriven]:
    """What became of the redriven dead letters among the events."""
    return [
        Redriven(*redrive_of(item.waiting.webhook_id), item.outcome.value, item.cause or "")
        for item in decided
        if item.waiting.source == REDRIVE
    ]


def _letter(item: Decided) -> bytes:
    waiting = item.waiting
    fields = {
        "game": waiting.event.game_id,
        "sequence": str(waiting.event.event.sequence),
        "cause": item.cause.value if item.cause else "",
        "webhook_id": waiting.webhook_id,
        "source": waiting.source,
        "key_id": waiting.key_id,
        "headers": waiting.headers,
        "received_at": str(waiting.arrived),
        "body": waiting.body.decode(),
    }
    if item.breach is not None:
        fields |= {"clause": item.breach.clause, "sentence": item.breach.sentence}
    return msgspec.json.encode(fields)
