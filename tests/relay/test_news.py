"""What is published on a game's channel."""

from hypothesis import given
from hypothesis import strategies as st

from ludo.store.feed import delta_message, freshness_message, replaced_message
from proxy.relay.framing import framed
from proxy.relay.news import Delta, Freshness, Garbled, Replaced, read_news
from tests.relay.builders import place


def test_messages_are_read_as_the_store_writes_them() -> None:
    """A delta keeps its frame to the byte, spaces and all."""
    frame = '{"t":"d", "ev":{"who":"Zoë Å"}}'.encode()

    assert read_news(delta_message("e", 7, frame)) == Delta(
        place(7), framed(frame), len(frame), may_end=False
    )
    assert read_news(replaced_message("e", 7, "gap")) == Replaced(place(7))
    assert read_news(freshness_message("e", 7, 123, True)) == Freshness(place(7), 123, True)


def test_a_delta_that_may_end_the_game_is_marked() -> None:
    """Only a frame that mentions the end has to be looked into."""
    news = read_news(delta_message("e", 7, b'{"ev":{"type":"game:ended"}}'))

    assert isinstance(news, Delta)
    assert news.may_end


@given(st.binary() | st.binary().map(b"1 d ".__add__) | st.binary().map(b"1 m e 1 ".__add__))
def test_anything_may_be_published(payload: bytes) -> None:
    """Whoever else writes to the channel cannot make the reader fail."""
    assert isinstance(read_news(payload), Delta | Replaced | Freshness | Garbled)
