"""Parts of an answer and 304, from what is kept."""

import pytest

from proxy.facade.conditions import selected
from proxy.facade.ready import Ready

OLD, NEW = "Fri, 15 Jan 2027 08:00:00 GMT", "Fri, 15 Jan 2027 09:00:00 GMT"
BODY = b"0123456789"
WHOLE = Ready(
    200,
    (
        (b"content-type", b"text/plain"),
        (b"last-modified", OLD.encode()),
        (b"etag", b'"a"'),
        (b"content-length", b"10"),
    ),
    BODY,
    '"a"',
    0.0,
    0.0,
)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"if-none-match": '"a"'}, 304),
        ({"if-none-match": 'W/"a"'}, 304),
        ({"if-none-match": '"b", "a"'}, 304),
        ({"if-none-match": "*"}, 304),
        ({"if-none-match": '"b"'}, 200),
        ({"if-none-match": '"b"', "if-modified-since": NEW}, 200),
        ({"if-modified-since": OLD}, 304),
        ({"if-modified-since": NEW}, 304),
        ({"if-modified-since": "Thu, 14 Jan 2027 08:00:00 GMT"}, 200),
        ({"if-modified-since": "yesterday"}, 200),
    ],
)
def test_whoever_has_it_is_not_sent_it_again(headers: dict[str, str], status: int) -> None:
    """RFC 9110 §13.1: an entity tag decides over a date; a 304 has the tag and no body."""
    answer = selected(WHOLE, headers)
    assert answer.status == status
    assert answer.field(b"etag") == b'"a"'
    if status == 304:
        assert (answer.body, answer.field(b"content-length")) == (b"", None)


@pytest.mark.parametrize(
    ("wanted", "body", "told"),
    [
        ("bytes=0-0", b"0", b"bytes 0-0/10"),
        ("bytes=2-5", b"2345", b"bytes 2-5/10"),
        ("bytes=7-", b"789", b"bytes 7-9/10"),
        ("bytes=7-99", b"789", b"bytes 7-9/10"),
        ("bytes=-3", b"789", b"bytes 7-9/10"),
        ("bytes=-99", BODY, b"bytes 0-9/10"),
    ],
)
def test_a_part_is_cut_from_the_whole(wanted: str, body: bytes, told: bytes) -> None:
    """RFC 9110 §14.2, with how long it is and where it belongs."""
    part = selected(WHOLE, {"range": wanted})
    assert (part.status, part.body, part.field(b"content-range")) == (206, body, told)
    assert part.field(b"content-length") == str(len(body)).encode()


@pytest.mark.parametrize(
    "wanted",
    [
        "bytes=5-2",
        "bytes=0-1,3-4",
        "bytes=-",
        "lines=1-2",
        "bytes=a-b",
        "",
        "bytes=1" + "0" * 40 + "-",
    ],
)
def test_what_is_no_single_range_gets_the_whole(wanted: str) -> None:
    """A range that cannot be read may be ignored (RFC 9110 §14.2)."""
    assert selected(WHOLE, {"range": wanted}) == WHOLE


@pytest.mark.parametrize("wanted", ["bytes=10-", "bytes=99-100", "bytes=-0"])
def test_a_range_behind_the_end_is_refused(wanted: str) -> None:
    """416 with how long the whole is."""
    answer = selected(WHOLE, {"range": wanted})
    assert (answer.status, answer.field(b"content-range")) == (416, b"bytes */10")


@pytest.mark.parametrize(
    ("condition", "status"),
    [('"a"', 206), ('"b"', 200), ('W/"a"', 200), (OLD, 206), (NEW, 200), ("nonsense", 200)],
)
def test_a_part_of_another_answer_is_not_sent(condition: str, status: int) -> None:
    """`If-Range` compares strongly: parts of two answers must never be put together."""
    assert selected(WHOLE, {"range": "bytes=0-1", "if-range": condition}).status == status
