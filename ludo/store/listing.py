"""Lists of games over Redis and the archive, page by page."""

import base64
import binascii
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import msgspec

from ludo.store.games import Stored

VERSION: Final = 1


class Place(NamedTuple):
    """Where a game stands in a list: the last first, games of one moment by their ids.

    `at` is when it began, or when it was over (Unix ms).
    """

    at: int
    game_id: str


class BadCursor(ValueError):
    """A cursor that none of our pages has shown."""


def write_cursor(place: Place) -> str:
    """The place as callers are told it; they are to make nothing of it."""
    text = msgspec.json.encode((VERSION, *place))
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def read_cursor(cursor: str) -> Place:
    """The place that a cursor tells; raises BadCursor."""
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        version, at, game_id = msgspec.json.decode(text, type=tuple[int, int, str])
    except (binascii.Error, ValueError) as error:
        raise BadCursor("cursor: expected the nextCursor of an earlier page") from error
    if version != VERSION:
        raise BadCursor("cursor: expected one of this version; begin again without it")
    return Place(at, game_id)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which games: of a status, with a player, before a place; at most so many."""

    status: str | None = None
    player_id: str | None = None
    before: Place | None = None
    limit: int = 50

    def takes(self, stored: Stored) -> bool:
        """Whether a game is one of them."""
        body = stored.body
        return (self.status is None or body["status"] == self.status) and (
            self.player_id is None
            or any(player["playerId"] == self.player_id for player in body["players"])
        )


@dataclass(frozen=True, slots=True)
class Found:
    """What one source has; `horizon` is where it stopped looking before its end."""

    games: Sequence[tuple[Place, Stored]]
    horizon: Place | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Games in order, and where the next page begins, None after the last.

    A page may hold fewer than were asked for, even none, and yet not be the last.
    """

    games: Sequence[Stored]
    next: Place | None


def page_of(sources: Iterable[Found], limit: int) -> Page:
    """One page of what several sources have; a game that two of them have is the first one's."""
    found: dict[str, tuple[Place, Stored]] = {}
    horizons = []
    for source in sources:
        horizons += [source.horizon] if source.horizon else []
        for place, stored in source.games:
            found.setdefault(stored.game_id, (place, stored))
    horizon = max(horizons, default=None)
    ordered = sorted(found.values(), key=lambda each: each[0], reverse=True)
    if horizon is not None:
        ordered = [each for each in ordered if each[0] >= horizon]
    taken = ordered[:limit]
    if len(ordered) > limit:
        return Page([stored for _, stored in taken], taken[-1][0])
    return Page([stored for _, stored in taken], horizon)
