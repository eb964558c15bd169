"""The lines of a file or of standard input, with a progress bar on a terminal."""

import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO, Final

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn

from cli.failing import CannotGoOn

LONGEST_LINE: Final = 256 * 1024
"""As much as the receiver takes of one body (design section 7)."""
_STEP: Final = 256 * 1024
"""The bar moves each time that so many bytes were read."""


class UnreadableInput(CannotGoOn):
    """What was to be audited cannot be read; the message says where and why."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Source:
    """An open file; `size` is its bytes, None if nobody knows (a pipe)."""

    stream: BinaryIO
    size: int | None


@contextmanager
def opened(file: Path) -> Iterator[Source]:
    """The file, or standard input for -; raises UnreadableInput, also while it is being read."""
    try:
        if str(file) == "-":
            yield Source(sys.stdin.buffer, None)
            return
        with file.open("rb") as stream:
            status = file.stat()
            yield Source(stream, status.st_size if stat.S_ISREG(status.st_mode) else None)
    except OSError as error:
        raise UnreadableInput(f"{file}: expected a readable file; {error.strerror}") from None


def lines_of(source: Source) -> Iterator[tuple[int, bytes]]:
    """Each line that is not blank, with its number from 1; one at a time, whatever the size."""
    console = Console(stderr=True)
    columns = (BarColumn(), DownloadColumn(), TimeRemainingColumn())
    bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
    with bar:
        task, pending = bar.add_task("audit", total=source.size), 0
        read = partial(source.stream.readline, LONGEST_LINE + 1)
        for number, line in enumerate(iter(read, b""), 1):
            if len(line) > LONGEST_LINE:
                raise UnreadableInput(f"line {number}: expected at most {LONGEST_LINE} bytes")
            pending += len(line)
            if pending >= _STEP:
                bar.advance(task, pending)
                pending = 0
            if not line.isspace():
                yield number, line
