"""What is sent for an event: once, twice, wrong or not at all, as its faults have it. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from ludo.mirror.incoming import GameEvent
from ludo.rules.events import Player
from ludo.upstream.wire.events import event_body, game_event
from sandbox import chance
from sandbox.faults import Fault, Faults
from sandbox.forging import forge


class Worth(StrEnum):
    """What a sending is to the receiver."""

    GENUINE = "genuine"
    REPEATED = "repeated"
    FORGED = "forged"


@dataclass(frozen=True, slots=True)
class Sending:
    """A body on its way under one webhook id; it may take several deliveries.

    Those of a game leave in order, each after the one before was acknowledged, except: `delay` is
    the seconds after which it leaves on its own, and `swapped` lets the next one pass.
    `tamper_at` is the byte that is changed after signing, in the first delivery only.
    """

    webhook_id: str
    game_id: str
    body: bytes
    worth: Worth = Worth.GENUINE
    delay: float | None = None
    swapped: bool = False
    tamper_at: int | None = None


def of_news(game_id: str, nth: int, body: dict[str, object]) -> Sending:
    """The sending of a room's event; rooms suffer no faults."""
    return Sending(_webhook_id(game_id, "room", nth), game_id, msgspec.json.encode(body))


def of_event(
    event: GameEvent, players: tuple[Player, ...], faults: Faults
) -> tuple[frozenset[Fault], tuple[Sending, ...]]:
    """The faults that befall a game's event, and what is sent because of them, in order."""
    suffered = faults.of_event(event.game_id, event.event.sequence)
    if Fault.DROPPED in suffered:
        return suffered, ()
    wrong = _forged(event, players, faults, suffered)
    if Fault.FORGED_LOST in suffered:
        return suffered, wrong
    return suffered, (*wrong, *_genuine(event, faults, suffered))


def _forged(
    event: GameEvent, players: tuple[Player, ...], faults: Faults, suffered: frozenset[Fault]
) -> tuple[Sending, ...]:
    """Wrong content; instead of the event it carries the event's id, beside it one of its own."""
    if not suffered & {Fault.FORGED, Fault.FORGED_LOST}:
        return ()
    game_id, sequence = event.game_id, event.event.sequence
    content = forge(event.event, players, faults.draw(f"forge {game_id}", sequence))
    wrong = game_event(game_id, content, room_code=event.room_code, at=event.at)
    source = "event" if Fault.FORGED_LOST in suffered else "forged"
    webhook_id = _webhook_id(game_id, source, sequence)
    return (Sending(webhook_id, game_id, _encoded(wrong), Worth.FORGED),)


def _genuine(event: GameEvent, faults: Faults, suffered: frozenset[Fault]) -> tuple[Sending, ...]:
    game_id, sequence = event.game_id, event.event.sequence
    body, webhook_id = _encoded(event), _webhook_id(game_id, "event", sequence)

    def within(fault: Fault, value: Callable[[], float]) -> float | None:
        return value() if fault in suffered else None

    first = Sending(
        webhook_id,
        game_id,
        body,
        delay=within(Fault.LATE, lambda: faults.delay(Fault.LATE, game_id, sequence)),
        swapped=Fault.OUT_OF_ORDER in suffered,
        tamper_at=_tampered_byte(body, event, faults) if Fault.TAMPERED in suffered else None,
    )
    if Fault.TWICE not in suffered:
        return (first,)
    again = faults.delay(Fault.TWICE, game_id, sequence)
    return first, Sending(webhook_id, game_id, body, Worth.REPEATED, delay=again)


def _tampered_byte(body: bytes, event: GameEvent, faults: Faults) -> int:
    return faults.draw(f"tamper {event.game_id}", event.event.sequence) % len(body)


def _encoded(event: GameEvent) -> bytes:
    return msgspec.json.encode(event_body(event))


def _webhook_id(game_id: str, source: str, nth: int) -> str:
    """Stable for an event over all its deliveries, and over runs with one seed."""
    return chance.name("msg", game_id, source, nth)
