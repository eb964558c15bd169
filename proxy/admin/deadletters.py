"""`/admin/deadletters`: events that were given up, listed, shown, redriven and discarded."""

from collections.abc import AsyncIterator
from typing import Annotated, Any, Final

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from ludo.config import parse_duration
from ludo.store.letters import DeadLetters, Letter, Wanted
from ludo.store.redriving import Redriver
from proxy.admin.letters import told_letter, told_redriven, told_whole
from proxy.errors import BadRequest
from proxy.problems import Problem

AT_ONCE: Final = 1_000
"""Letters that one request may be about; the next request goes on."""
WITHIN_S: Final = 2.0
_Text = FromQuery[str | None]
_Limit = Annotated[int, QueryParameter(ge=1, le=AT_ONCE, description="at most so many, the oldest")]
_Age = Annotated[
    str | None, QueryParameter(description="how long ago it was given up, as 10m, 24h")
]


class Meant(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """Which letters: by `ids`, or all that a filter matches; `all` adds the settled ones.

    Ages are durations such as `10m`; `dryRun` only tells which ones would be meant.
    """

    ids: list[str] = []
    game: str | None = None
    cause: str | None = None
    older_than: str | None = None
    newer_than: str | None = None
    all: bool = False
    dry_run: bool = False

    @property
    def wanted(self) -> Wanted:
        """The filter; raises BadRequest."""
        return _wanted(self.game, self.cause, self.older_than, self.newer_than, settled=self.all)


@get("/deadletters", operation_id="ListDeadLetters", summary="Events that were given up")
async def list_dead_letters(
    dead_letters: NamedDependency[DeadLetters],
    game: _Text = None,
    cause: _Text = None,
    older_than: _Age = None,
    newer_than: _Age = None,
    settled: Annotated[bool, QueryParameter(name="all", description="settled ones too")] = False,
    limit: _Limit = 100,
) -> Response[dict[str, Any]]:
    """The oldest first; `total` counts all that are kept."""
    wanted = _wanted(game, cause, older_than, newer_than, settled=settled)
    letters = [told_letter(letter) async for letter in _some(dead_letters, wanted, limit)]
    return _data({"total": await dead_letters.count(), "deadLetters": letters})


@get("/deadletters/{letter_id:str}", operation_id="GetDeadLetter", summary="One dead letter")
async def show_dead_letter(
    dead_letters: NamedDependency[DeadLetters], letter_id: FromPath[str]
) -> Response[dict[str, Any]]:
    """With its event and how it came; no header that is shown is a secret."""
    letter = await dead_letters.find(letter_id)
    if letter is None:
        return Problem(404, "not-found", "no dead letter has this id").response()
    return _data(told_whole(letter))


@post(
    "/deadletters/redrive",
    operation_id="RedriveDeadLetters",
    summary="Send dead letters in again",
    status_code=200,
)
async def redrive_dead_letters(
    data: JSONBody[Meant],
    dead_letters: NamedDependency[DeadLetters],
    redriver: NamedDependency[Redriver],
) -> Response[dict[str, Any]]:
    """What became of each; an event is decided against the mirror as it stands now."""
    if data.dry_run:
        return await _meant_only(dead_letters, data)
    run = redriver.run(_meant(dead_letters, data), within=WITHIN_S)
    results = [told_redriven(each) async for each in run]
    return _data({"results": results + _missing(data, results)})


@post(
    "/deadletters/discard",
    operation_id="DiscardDeadLetters",
    summary="Drop dead letters for good",
    status_code=200,
)
async def discard_dead_letters(
    data: JSONBody[Meant], dead_letters: NamedDependency[DeadLetters]
) -> Response[dict[str, Any]]:
    """Each is counted and recorded."""
    if data.dry_run:
        return await _meant_only(dead_letters, data)
    letters = [letter async for letter in _meant(dead_letters, data)]
    gone = set(await dead_letters.discard([letter.id for letter in letters], by="admin"))
    results = [{"id": each.id, "outcome": "discarded"} for each in letters if each.id in gone]
    return _data({"results": results + _missing(data, results)})


def _wanted(
    game: str | None, cause: str | None, older: str | None, newer: str | None, *, settled: bool
) -> Wanted:
    try:
        older_than = None if older is None else parse_duration(older)
        newer_than = None if newer is None else parse_duration(newer)
    except ValueError as error:
        raise BadRequest(str(error)) from None
    return Wanted(game, cause, older_than, newer_than, settled)


async def _meant(dead_letters: DeadLetters, meant: Meant) -> AsyncIterator[Letter]:
    wanted = meant.wanted
    if bool(meant.ids) == (wanted != Wanted()):
        raise BadRequest("expected ids or a filter (all: true for every letter), and not both")
    if len(meant.ids) > AT_ONCE:
        raise BadRequest(f"expected at most {AT_ONCE} ids; found {len(meant.ids)}")
    for letter_id in meant.ids:
        letter = await dead_letters.find(letter_id)
        if letter is not None:
            yield letter
    if not meant.ids:
        async for letter in _some(dead_letters, wanted, AT_ONCE):
            yield letter


async def _some(dead_letters: DeadLetters, wanted: Wanted, limit: int) -> AsyncIterator[Letter]:
    async for letter in dead_letters.select(wanted):
        yield letter
        limit -= 1
        if limit == 0:
            return


async def _meant_only(dead_letters: DeadLetters, meant: Meant) -> Response[dict[str, Any]]:
    letters = [told_letter(letter) async for letter in _meant(dead_letters, meant)]
    return _data({"deadLetters": letters})


def _missing(meant: Meant, results: list[dict[str, Any]]) -> list[dict[str, Any]]:
    known = {each["id"] for each in results}
    return [{"id": each, "outcome": "missing"} for each in meant.ids if each not in known]


def _data(data: dict[str, Any]) -> Response[dict[str, Any]]:
    return Response({"success": True, "data": data})


DEAD_LETTERS: Final[tuple[HTTPRouteHandler, ...]] = (
    list_dead_letters,
    show_dead_letter,
    redrive_dead_letters,
    discard_dead_letters,
)
