"""Which letters an operator means: named ones, or all that a filter matches."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Self

import typer

from cli.failing import CannotGoOn
from ludo.config import parse_duration
from ludo.store.letters import DeadLetters, Letter, Wanted


@dataclass(frozen=True, slots=True)
class Choice:
    """Letters by their ids, or by a filter; not both."""

    ids: Sequence[str]
    wanted: Wanted

    @classmethod
    def of(
        cls,
        ids: Sequence[str] | None,
        game: str | None,
        cause: str | None,
        older_than: float | None,
        newer_than: float | None,
        *,
        settled: bool,
    ) -> Self:
        """What was typed."""
        return cls(ids or (), Wanted(game, cause, older_than, newer_than, settled))

    @property
    def says_nothing(self) -> bool:
        """Whether it means everything, for want of a word."""
        return not self.ids and self.wanted == Wanted()


@dataclass(frozen=True, slots=True)
class Selection:
    """A choice for a command that changes something: it has to say what it means."""

    choice: Choice
    dry_run: bool

    def __post_init__(self) -> None:
        if self.choice.says_nothing:
            raise typer.BadParameter(
                "expected ids or a filter (--game, --cause, --older-than, --newer-than), "
                "or --all for all of them; found neither"
            )
        if self.choice.ids and self.choice.wanted != Wanted():
            raise typer.BadParameter("expected ids or a filter; found both")


def an_age(text: str) -> float:
    """Seconds, from a duration as it is typed."""
    try:
        return parse_duration(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


async def chosen(letters: DeadLetters, choice: Choice) -> AsyncIterator[Letter]:
    """The letters that are meant; raises CannotGoOn for an id that no letter has."""
    if not choice.ids:
        async for letter in letters.select(choice.wanted):
            yield letter
    for letter_id in choice.ids:
        found = await letters.find(letter_id)
        if found is None:
            raise CannotGoOn(
                f"expected the id of a dead letter; found {letter_id!r} "
                "(`ludo-proxy deadletters list` shows them)"
            )
        yield found
