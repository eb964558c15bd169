"""The first answer to a keyed request."""

from sandbox.answers import Answer
from sandbox.idempotency import FirstAnswers, Reused

ROUTE = "POST /v1/games/gm_1/roll"
FIRST = Answer(200, b"{}")


def test_the_first_answer_comes_again() -> None:
    """The same key with the same body is answered as before."""
    kept = FirstAnswers()
    kept.keep(ROUTE, "k", b"body", FIRST)

    assert kept.find(ROUTE, "k", b"body") == FIRST
    assert kept.find(ROUTE, "other", b"body") is None
    assert kept.find("POST /v1/rooms", "k", b"body") is None


def test_a_key_belongs_to_one_body() -> None:
    """With another body it was used by mistake."""
    kept = FirstAnswers()
    kept.keep(ROUTE, "k", b"body", FIRST)

    assert kept.find(ROUTE, "k", b"other") == Reused()


def test_failures_are_not_kept() -> None:
    """A retry after 5xx is done anew."""
    kept = FirstAnswers()
    kept.keep(ROUTE, "k", b"", Answer(503, b""))

    assert kept.find(ROUTE, "k", b"") is None


def test_the_oldest_gives_way() -> None:
    """Memory is bounded."""
    kept = FirstAnswers(bound=2)
    for key in ("a", "b", "c"):
        kept.keep(ROUTE, key, b"", FIRST)

    assert [kept.find(ROUTE, key, b"") for key in ("a", "b", "c")] == [None, FIRST, FIRST]
