"""`make chaos ROUNDS=N SEED=S`, or `python -m tests.chaos --help`."""

import typer

from tests.chaos.command import chaos

if __name__ == "__main__":
    command = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    command.command()(chaos)
    command()
