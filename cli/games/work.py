"""What the subcommands do with the store and the archive."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import msgspec

from cli.failing import CannotGoOn
from cli.opening import Opened, on_store
from ludo.mirror.body import to_body
from ludo.mirror.owed import Reason
from ludo.mirror.replay import Beyond, BrokenLog, Passed, state_at
from ludo.mirror.snapshot import Snapshot
from ludo.rules_config import RefereeConfig
from ludo.store.archive.archive import Archive
from ludo.store.archive.config import ArchiveConfig
from ludo.store.archive.engine import make_engine
from ludo.store.claims import Claims
from ludo.store.games import Stored
from ludo.store.library import Chronicle, Library
from ludo.store.listing import Wanted
from ludo.store.log import RESYNC, Kept

T = TypeVar("T")
PAGE = 100


@dataclass(frozen=True, slots=True)
class Shelf:
    """The games of a deployment, and who can have one fetched."""

    library: Library
    claims: Claims


def on_library(environ: Mapping[str, str], work: Callable[[Shelf], Awaitable[T]]) -> T:
    """What `work` returns; what an operator can mend is one line and exit code 1."""

    async def worked(store: Opened) -> T:
        rules = RefereeConfig.from_env(environ).rules
        address = ArchiveConfig.from_env(environ).address(store.config.data_dir)
        archive = Archive(make_engine(address))
        try:
            shelf = Shelf(Library(store.redis, archive, rules), Claims(store.scripts, rules))
            return await work(shelf)
        finally:
            await archive.aclose()

    return on_store(environ, worked)


async def listed(
    shelf: Shelf, status: str | None, player_id: str | None, limit: int
) -> list[dict[str, Any]]:
    """The last games that fit; raises CannotGoOn for a status that there is none of."""
    known = ("playing", "finished", "abandoned")
    if status not in (None, *known):
        raise CannotGoOn(f"--status: expected one of {', '.join(known)}; found {status!r}")
    found: list[Stored] = []
    wanted = Wanted(status, player_id, limit=min(limit, PAGE))
    while len(found) < limit:
        page = await shelf.library.page(wanted)
        found += page.games
        if page.next is None:
            break
        wanted = replace(wanted, before=page.next)
    return [{**stored.body, "archived": stored.archived} for stored in found[:limit]]


async def shown(shelf: Shelf, game_id: str) -> dict[str, Any]:
    """One game's state, with its place and where it is; raises CannotGoOn."""
    stored = await shelf.library.load(game_id)
    if stored is None:
        raise _unknown(game_id)
    where = {"epoch": stored.epoch, "archived": stored.archived, "stale": stored.stale}
    return {**stored.body, **where}


async def replayed(shelf: Shelf, game_id: str) -> list[dict[str, Any]]:
    """Everything that happened in a game, in order; raises CannotGoOn."""
    return [_step(kept) for kept in (await _chronicle(shelf, game_id)).log]


async def state_of(shelf: Shelf, game_id: str, sequence: int) -> dict[str, Any]:
    """A game's state at a sequence; raises CannotGoOn for one that is not known."""
    chronicle = await _chronicle(shelf, game_id)
    try:
        found = state_at(chronicle.entries(), sequence, chronicle.rules)
    except BrokenLog as error:
        raise CannotGoOn(f"{game_id}: the log cannot be played again: {error}") from None
    match found:
        case Snapshot():
            return to_body(found)
        case Passed(until=until):
            raise CannotGoOn(
                f"--at {sequence}: a resync went past it; the next that is known is {until}"
            )
        case Beyond(last=last):
            raise CannotGoOn(f"--at: expected a sequence from 1 to {last}; found {sequence}")


async def resynced(shelf: Shelf, game_id: str) -> None:
    """Has a game fetched; raises CannotGoOn for an archived one."""
    stored = await shelf.library.load(game_id)
    if stored is not None and stored.archived:
        raise CannotGoOn(f"{game_id}: it is archived; nothing more happens to it")
    if stored is None:
        await shelf.claims.ask(game_id)
    else:
        await shelf.claims.owe(game_id, Reason.ASKED)


async def _chronicle(shelf: Shelf, game_id: str) -> Chronicle:
    chronicle = await shelf.library.chronicle(game_id)
    if chronicle is None:
        raise _unknown(game_id)
    return chronicle


def _unknown(game_id: str) -> CannotGoOn:
    return CannotGoOn(f"expected the id of a game, as `games list` shows it; found {game_id!r}")


def _step(kept: Kept) -> dict[str, Any]:
    body = msgspec.json.decode(kept.body)
    step: dict[str, Any] = {"sequence": kept.sequence, "at": kept.at, "kind": kept.kind}
    if kept.kind == RESYNC:
        return {**step, "why": kept.why, "state": body}
    return {**step, "type": body["type"], "data": body["data"]}
