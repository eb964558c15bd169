"""What a person sees when a command cannot go on: one line, and an exit code."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import typer

from ludo.config import ConfigError
from ludo.store.errors import StoreError

FAILED: Final = 1


class CannotGoOn(Exception):
    """A command has to end; the message is one line that says what to do."""

    exit_code = FAILED


@contextmanager
def one_clear_line() -> Iterator[None]:
    """Turns what a person can mend into one line on standard error and an exit code, mostly 1."""
    try:
        yield
    except (ConfigError, StoreError, CannotGoOn) as error:
        typer.echo(f"ludo-proxy: {error}", err=True)
        raise typer.Exit(getattr(error, "exit_code", FAILED)) from None
