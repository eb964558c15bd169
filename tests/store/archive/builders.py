"""Games for the archive."""

from dataclasses import replace

import msgspec

from ludo.mirror.body import to_body
from ludo.mirror.log import Entry, Happened
from ludo.mirror.snapshot import Snapshot
from ludo.rules.ruleset import RuleSet
from ludo.store.archive.archive import ArchivedGame
from ludo.store.log import Kept, to_kept
from tests.mirror.builders import a_history, snapshot_after

HISTORY = a_history()
FINAL = snapshot_after(HISTORY)


def a_game(
    game_id: str = "gm_1", *, ended_at: int = 1_000, revision: int = 1, final: Snapshot = FINAL
) -> ArchivedGame:
    """A game that is over."""
    body = msgspec.json.encode(to_body(replace(final, game_id=game_id)))
    return ArchivedGame(
        game_id=game_id,
        epoch="e1",
        body_json=body,
        rules=str(RuleSet()),
        confirmed=True,
        verified=True,
        as_of=ended_at,
        ended_at=ended_at,
        archived_at=ended_at + 600,
        revision=revision,
    )


def a_log(entries: tuple[Entry, ...] | None = None) -> list[Kept]:
    """The log of that game, or of these entries."""
    chosen = entries or tuple(Happened(event) for event in HISTORY)
    return [replace(to_kept(entry), at=n) for n, entry in enumerate(chosen)]
