"""What a caller reads when the relay does not do what was asked."""

from ludo.relay import GameGone, RelayError, RelayStopped, RequestRefused


def test_errors_say_what_happened() -> None:
    """Each names what a person needs to know, and keeps it for a program."""
    gone, stopped = GameGone("gm_1", "forbidden"), RelayStopped(4503, "not here")
    refused = RequestRefused("rate", "slowly", retry=True, after=2.0)
    assert "gm_1" in str(gone)
    assert (gone.code, stopped.code, refused.after) == ("forbidden", 4503, 2.0)
    assert "4503" in str(stopped)
    assert str(refused) == "rate: slowly"
    assert all(isinstance(each, RelayError) for each in (gone, stopped, refused))
