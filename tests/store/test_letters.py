"""Dead letters: kept with their reason, found by what they are, discarded for good."""

import pytest
from redis.asyncio import Redis

from ludo.rules.events import Rolled
from ludo.store import keys
from ludo.store.inbox import Delivery
from ludo.store.letters import DeadLetters, Letter, Redrive, Wanted
from ludo.store.scripts import Scripts
from tests.store.test_inbox import TwiceSent
from tests.workers.builders import GAME, a_bench, a_history, delivery, told

HISTORY = a_history()


@pytest.fixture
def letters(redis: Redis) -> DeadLetters:
    return DeadLetters(redis, Scripts(redis))


async def selected(letters: DeadLetters, wanted: Wanted) -> list[Letter]:
    """All letters that are meant."""
    return [letter async for letter in letters.select(wanted)]


async def an_illegal_event(redis: Redis) -> None:
    """A game whose second event broke R4."""
    bench = a_bench(redis)
    false = delivery(told(Rolled(2, "a stranger", 3)), "msg_false")
    headers = {"webhook-timestamp": "1800000000", "user-agent": "upstream/1"}
    await bench.accept(HISTORY[:1])
    await bench.inbox.accept(
        Delivery("msg_false", false.body, false.incoming, key_id="key-1", headers=headers)
    )
    await bench.applier.apply(GAME)


async def test_letter_says_what_happened(redis: Redis, letters: DeadLetters) -> None:
    """Clause, cause, times, the key and the headers that may be shown."""
    await an_illegal_event(redis)
    (letter,) = await selected(letters, Wanted())

    assert (letter.game_id, letter.sequence, letter.cause) == (GAME, 2, "illegal")
    assert (letter.clause, letter.attempts, letter.is_open) == ("R4", 1, True)
    assert letter.sentence.startswith("R4: it is the turn of")
    assert letter.key_id == "key-1"
    assert letter.headers == {"webhook-timestamp": "1800000000", "user-agent": "upstream/1"}
    assert letter.received_at <= letter.decided_at
    assert await letters.find(letter.id) == letter


async def test_letter_of_the_receiver_says_the_same(redis: Redis, letters: DeadLetters) -> None:
    """An id that came with another body is given up without a worker."""
    bench = a_bench(redis)
    await bench.inbox.accept(delivery(HISTORY[0], "msg_1"))
    other = delivery(HISTORY[1], "msg_1")
    await bench.inbox.accept(
        Delivery("msg_1", other.body, other.incoming, headers={"user-agent": "upstream/1"})
    )
    (letter,) = await selected(letters, Wanted(cause="id-conflict"))

    assert letter.headers == {"user-agent": "upstream/1"}
    assert (letter.sequence, letter.body) == (2, other.body)


def a_letter(**fields: object) -> Letter:
    whole = {
        "id": "1-0",
        "game_id": "gm_a",
        "sequence": 4,
        "cause": "illegal",
        "source": "webhook",
        "webhook_id": "msg",
        "received_at": 1_000_000,
        "decided_at": 1_000_000,
        "body": b"{}",
    }
    return Letter(**whole | fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wanted", "matches"),
    [
        (Wanted(), True),
        (Wanted(game_id="gm_a", cause="illegal"), True),
        (Wanted(game_id="gm_a", cause="overflow"), False),
        (Wanted(game_id="gm_b"), False),
        (Wanted(older_than=59), True),
        (Wanted(older_than=61), False),
        (Wanted(newer_than=61), True),
        (Wanted(newer_than=59), False),
    ],
)
def test_filter_means_all_of_it(wanted: Wanted, matches: bool) -> None:
    """Every part of a filter has to hold; ages count from when the letter was given up."""
    assert wanted.matches(a_letter(), 1_060_000) is matches


@pytest.mark.parametrize(
    ("outcome", "is_open"),
    [("applied", False), ("stale", False), ("dead", True), ("pending", True), ("refused", True)],
)
def test_letter_whose_event_found_its_place_is_settled(outcome: str, is_open: bool) -> None:
    """It is left out of what is listed and redriven, unless somebody asks for it."""
    letter = a_letter(redrive=Redrive(1, 0, "n", outcome))

    assert letter.is_open is is_open
    assert Wanted().matches(letter, 0) is is_open
    assert Wanted(settled=True).matches(letter, 0)


async def test_discarded_letter_is_counted_and_recorded(redis: Redis) -> None:
    """Even if Redis loses the first answer: once, with its reason and with who did it."""
    await an_illegal_event(redis)
    letters = DeadLetters(redis, TwiceSent(redis))
    (letter,) = await selected(letters, Wanted())

    assert await letters.discard([letter.id, "5-5", "nonsense"], by="operator") == [letter.id]
    assert await letters.count() == 0
    assert await redis.hget(keys.COUNTERS, "discarded") == b"1"
    ((_, record),) = await redis.xrange(keys.DISCARDED)
    assert record[b"letter"].decode() == letter.id
    assert (record[b"by"], record[b"cause"], record[b"clause"]) == (b"operator", b"illegal", b"R4")


@pytest.mark.parametrize("letter_id", ["", "x", "1-x", "1-1-1", "9" * 30 + "-0", "*"])
async def test_what_is_no_id_is_no_letter(letters: DeadLetters, letter_id: str) -> None:
    """A mistyped id is not an error of Redis."""
    assert await letters.find(letter_id) is None
    assert await letters.begin_redrive(letter_id) is None


async def test_letters_that_come_meanwhile_are_left_out(redis: Redis, letters: DeadLetters) -> None:
    """A selection ends, however fast letters are added."""
    await redis.xadd(keys.DEAD_LETTERS, {"game": "gm_a", "cause": "illegal"})
    seen = 0
    async for _ in letters.select(Wanted()):
        seen += 1
        await redis.xadd(keys.DEAD_LETTERS, {"game": "gm_a", "cause": "illegal"})

    assert seen == 1
