"""Games played again: the state at one sequence, and the whole log."""

import asyncio
from dataclasses import dataclass
from typing import Any

import msgspec

from ludo.mirror.body import to_body
from ludo.mirror.replay import Beyond, BrokenLog, Passed, state_at
from ludo.mirror.snapshot import Snapshot
from ludo.store.library import Chronicle, Library
from proxy.errors import NotReached, ReplayGap, UnknownPath


@dataclass(frozen=True, slots=True)
class Replayed:
    """An answer, and the tag that it has as long as its epoch lasts: for ever, once archived."""

    body: bytes
    etag: str
    archived: bool


@dataclass(frozen=True, slots=True)
class Replays:
    """Reads of logs; every call raises RedisError, StoreError, or UnknownPath."""

    library: Library

    async def state(self, game_id: str, sequence: int) -> Replayed:
        """The state that a game had; raises NotReached and ReplayGap."""
        chronicle = await self._chronicle(game_id)
        # Hundreds of events may have to be played: other requests go on meanwhile.
        body = await asyncio.to_thread(_state_body, chronicle, sequence)
        return _answer(chronicle, body, str(sequence))

    async def log(self, game_id: str) -> Replayed:
        """Everything that made the game what it is, in order."""
        chronicle = await self._chronicle(game_id)
        stored = chronicle.stored
        entries = [
            {
                "number": number,
                "kind": kept.kind,
                "sequence": kept.sequence,
                "at": kept.at,
                "why": kept.why or None,
                "body": msgspec.Raw(kept.body),
            }
            for number, kept in enumerate(chronicle.log, start=1)
        ]
        body = {
            "gameId": game_id,
            "status": stored.body["status"],
            "sequence": stored.seq,
            "entries": entries,
        }
        return _answer(chronicle, body, f"log-{len(entries)}")

    async def _chronicle(self, game_id: str) -> Chronicle:
        chronicle = await self.library.chronicle(game_id)
        if chronicle is None:
            raise UnknownPath(f"no game {game_id} is known here")
        return chronicle


def _state_body(chronicle: Chronicle, sequence: int) -> dict[str, Any]:
    stored = chronicle.stored
    if sequence > stored.seq:
        raise NotReached(stored.seq, sequence)
    try:
        found = state_at(chronicle.entries(), sequence, chronicle.rules)
    except BrokenLog:
        found = Passed(stored.seq)
    match found:
        case Snapshot():
            return to_body(found)
        case Passed(until=until):
            raise ReplayGap(sequence, until)
        case Beyond():
            raise ReplayGap(sequence, stored.seq)


def _answer(chronicle: Chronicle, body: dict[str, Any], of: str) -> Replayed:
    stored = chronicle.stored
    whole = msgspec.json.encode({"success": True, "data": body})
    return Replayed(whole, f'"{stored.epoch}:{of}"', stored.archived)
