"""One socket as the conversation sees it."""

from ludo.relay.link import Link


def test_whatever_is_heard_keeps_a_link() -> None:
    """Its patience begins anew."""
    link = Link(1, lost_at=10.0, patience=30.0)
    link.heard(5.0)
    assert link.lost_at == 35.0


def test_a_link_keeps_the_epoch_that_it_has_told() -> None:
    """What I name counts only as long as the link itself has said nothing else."""
    link = Link(1, lost_at=10.0)
    link.name("g", None)
    assert link.epochs == {}
    link.name("g", "a")
    link.name("g", "b")
    assert link.epochs == {"g": "a"}
