"""Every entry of a log knows where the mirror is after it."""

from ludo.mirror.log import Happened, Resynced
from tests.mirror.builders import a_history, snapshot_after

HISTORY = a_history()


def test_entry_has_the_sequence_that_it_leads_to() -> None:
    """An event its own, a resync that of its snapshot."""
    assert Happened(HISTORY[6]).sequence == 7
    assert Resynced(snapshot_after(HISTORY[:9]), "gap").sequence == 9
