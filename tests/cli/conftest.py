"""Commands in the tests' own process leave its logs as they were."""

import sys
from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture(autouse=True)
def _logs_go_to_the_stderr_of_the_moment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A process configures its logs once and for ever; a test's stderr is closed after it."""

    def configured(_config: object) -> None:
        structlog.configure(logger_factory=lambda *_: structlog.PrintLogger(sys.stderr))

    monkeypatch.setattr("cli.opening.configure_logs", configured)
    yield
    structlog.reset_defaults()
