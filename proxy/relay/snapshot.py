"""A mirror as a room holds it: encoded once, whoever needs it."""

from dataclasses import dataclass

import msgspec

from proxy.relay.frames import Ended, Frame, Result, SnapFrame, encode
from proxy.relay.resume import Why
from proxy.relay.source import Place, Stored


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A mirror at a place; `ended` is the `ended` frame of a game that is over."""

    game: str
    place: Place
    state: msgspec.Raw
    as_of: int
    stale: bool
    ended: Frame | None
    players: frozenset[str] = frozenset()

    def frame(self, why: Why) -> Frame:
        """This mirror as a `snap`."""
        return encode(
            SnapFrame(
                game=self.game,
                epoch=self.place.epoch,
                seq=self.place.seq,
                state=self.state,
                why=why,
                asOf=self.as_of,
                stale=self.stale,
            )
        )


def take(game: str, stored: Stored) -> Snapshot:
    """The snapshot of a stored mirror."""
    place = Place(stored.epoch, stored.seq)
    ended = None
    body = stored.body
    if stored.finished:
        result = Result(body.get("winnerId"), tuple(stored.placements))
        ended = ended_frame(game, place, result)
    return Snapshot(
        game=game,
        place=place,
        state=msgspec.Raw(stored.body_json),
        as_of=stored.as_of,
        stale=stored.stale,
        ended=ended,
        players=frozenset(player["playerId"] for player in body.get("players", ())),
    )


def ended_frame(game: str, place: Place, result: Result) -> Frame:
    """The frame that tells how a game ended."""
    return encode(Ended(game=game, epoch=place.epoch, seq=place.seq, result=result))
