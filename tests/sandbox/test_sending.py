"""What is sent for an event under its faults."""

import msgspec

from ludo.rules.events import Rolled
from ludo.upstream.wire.events import event_body, game_event
from sandbox.faults import Fault, Faults
from sandbox.sending import Sending, Worth, of_event, of_news
from tests.sandbox.builders import some_players

EVENT = game_event("gm_1", Rolled(5, "plr_0", 3), at="2026-01-01T00:00:00.000Z")
BODY = msgspec.json.encode(event_body(EVENT))


def sent(*faults: Fault) -> tuple[Sending, ...]:
    return of_event(EVENT, some_players(), Faults("7", dict.fromkeys(faults, 1.0)))[1]


def test_an_event_is_sent_as_it_is() -> None:
    """Without faults there is one sending, and its id belongs to the event."""
    (first,) = sent()

    assert first == Sending(first.webhook_id, "gm_1", BODY)
    assert sent() == (first,)


def test_ids_differ_between_events_and_games() -> None:
    """No two events share an id, nor does a room's event with its game's."""
    other = game_event("gm_2", EVENT.event)
    ids = [
        sent()[0].webhook_id,
        of_event(other, some_players(), Faults("7"))[1][0].webhook_id,
        of_news("gm_1", 5, {}).webhook_id,
    ]

    assert len(set(ids)) == 3


def test_a_dropped_event_is_not_sent() -> None:
    """Nothing leaves, and the fault is told."""
    suffered, sendings = of_event(EVENT, some_players(), Faults("7", {Fault.DROPPED: 1.0}))

    assert suffered == {Fault.DROPPED}
    assert sendings == ()


def test_a_late_event_leaves_on_its_own() -> None:
    """It has a delay and no place in the order."""
    (late,) = sent(Fault.LATE)

    assert late.delay is not None
    assert late.delay > 0


def test_an_event_sent_twice_repeats_its_id_and_body() -> None:
    """The second sending is a delivery of the same event."""
    first, again = sent(Fault.TWICE)

    assert (again.webhook_id, again.body, again.worth) == (
        first.webhook_id,
        first.body,
        Worth.REPEATED,
    )


def test_a_forgery_comes_before_the_event_under_an_id_of_its_own() -> None:
    """The genuine event is not taken for a redelivery of it."""
    wrong, genuine = sent(Fault.FORGED)

    assert wrong.worth is Worth.FORGED
    assert wrong.body != BODY == genuine.body
    assert wrong.webhook_id != genuine.webhook_id


def test_a_forgery_in_place_of_the_event_carries_its_id() -> None:
    """The genuine content never leaves."""
    (wrong,) = sent(Fault.FORGED_LOST)

    assert wrong.worth is Worth.FORGED
    assert wrong.body != BODY
    assert wrong.webhook_id == sent()[0].webhook_id


def test_tampering_names_a_byte_of_the_body() -> None:
    """The body itself is right: it is spoilt on its way."""
    (first,) = sent(Fault.TAMPERED)

    assert first.body == BODY
    assert first.tamper_at is not None
    assert 0 <= first.tamper_at < len(BODY)
