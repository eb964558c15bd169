"""What the subcommands do with the store, and what they have to tell of it."""

import getpass
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from rich.console import Console
from rich.progress import Progress

from cli.deadletters.wanting import Choice, Selection, chosen
from cli.opening import Opened
from ludo.store.inbox import BACKLOG, Inbox
from ludo.store.letters import DeadLetters, Letter
from ludo.store.redriving import Redriver
from proxy.admin.letters import told_letter, told_redriven, told_whole

Told = dict[str, Any]
Teller = Callable[[AsyncIterator[Told]], Awaitable[None]]
_AT_ONCE: Final = 100


async def listed(store: Opened, choice: Choice, limit: int) -> tuple[list[Told], int]:
    """The first letters that are meant, and how many are kept in all."""
    letters, found = _letters(store), []
    async for letter in chosen(letters, choice):
        found.append(told_letter(letter))
        if len(found) == limit:
            break
    return found, await letters.count()


async def shown(store: Opened, letter_id: str) -> Told:
    """The whole of one letter; raises CannotGoOn."""
    choice = Choice.of([letter_id], None, None, None, None, settled=False)
    (letter,) = [each async for each in chosen(_letters(store), choice)]
    return told_whole(letter)


async def redriven(
    store: Opened, selection: Selection, told: Teller, *, rate: float, wait: float
) -> None:
    """Sends the letters in again, at most `rate` a second, and tells what becomes of each."""
    letters = _letters(store)
    redriver = Redriver(letters, Inbox(store.scripts, backlog=BACKLOG))

    async def results() -> AsyncIterator[Told]:
        with _progress(await _count(letters, selection)) as advance:
            if selection.dry_run:
                async for meant in _meant(letters, selection):
                    yield meant
                return
            run = redriver.run(chosen(letters, selection.choice), pause=1 / rate, within=wait)
            async for redriven in run:
                advance(1)
                yield told_redriven(redriven)

    await told(results())


async def discarded(store: Opened, selection: Selection, told: Teller) -> None:
    """Drops the letters, and tells of each whether it was there."""
    letters = _letters(store)

    async def results() -> AsyncIterator[Told]:
        if selection.dry_run:
            async for meant in _meant(letters, selection):
                yield meant
            return
        with _progress(await _count(letters, selection)) as advance:
            async for batch in _batches(chosen(letters, selection.choice)):
                gone = await letters.discard([each.id for each in batch], by=_whoever())
                advance(len(batch))
                for each in batch:
                    yield _told(each, "discarded" if each.id in gone else "missing")

    await told(results())


def _letters(store: Opened) -> DeadLetters:
    return DeadLetters(store.redis, store.scripts)


async def _meant(letters: DeadLetters, selection: Selection) -> AsyncIterator[Told]:
    async for letter in chosen(letters, selection.choice):
        yield _told(letter, "meant")


def _told(letter: Letter, outcome: str) -> Told:
    return {
        "id": letter.id,
        "gameId": letter.game_id or None,
        "sequence": letter.sequence,
        "outcome": outcome,
        "cause": letter.cause,
    }


async def _batches(letters: AsyncIterator[Letter]) -> AsyncIterator[list[Letter]]:
    batch: list[Letter] = []
    async for letter in letters:
        batch.append(letter)
        if len(batch) == _AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch


async def _count(letters: DeadLetters, selection: Selection) -> int:
    """How many are meant: it is also what finds a mistyped id before anything is done."""
    return len([each.id async for each in chosen(letters, selection.choice)])


@contextmanager
def _progress(total: int) -> Iterator[Callable[[int], None]]:
    """A bar on a terminal, nothing elsewhere."""
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("dead letters", total=total)
        yield lambda count: bar.advance(task, count)


def _whoever() -> str:
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):  # a container's user may have no name
        return f"cli:uid {os.getuid()}"
