"""Logs of every process: one JSON object a line, or readable lines on a terminal."""

import json
import logging
import sys
from collections.abc import Callable
from enum import StrEnum
from typing import Any, Final

import msgspec
import structlog
from pydantic import Field

from ludo.config import EnvConfig

_QUIET: Final = ("httpx", "httpcore", "arq", "uvicorn", "aiohttp", "asyncio")
"""Libraries that would log every call; their warnings stay."""


class LogFormat(StrEnum):
    """How a log line looks."""

    JSON = "json"
    CONSOLE = "console"


class LogConfig(EnvConfig):
    """How this process logs."""

    log_format: LogFormat | None = Field(
        default=None,
        validation_alias="LUDO_LOG_FORMAT",
        description="json or console; unset: console on a terminal, else json",
    )


def _encoded(event: Any, default: Callable[[Any], Any], **_: Any) -> str:
    try:
        return msgspec.json.encode(event, enc_hook=default).decode()
    except (ValueError, TypeError, OverflowError):  # what it cannot write is no reason to fail
        return json.dumps(event, default=default)


def configure_logs(config: LogConfig, *, least: int = logging.INFO) -> None:
    """Sends this process' logs to standard error, those of the level `least` and above."""
    console = config.log_format is LogFormat.CONSOLE or (
        config.log_format is None and sys.stderr.isatty()
    )
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: structlog.typing.Processor = (
        # rich's tracebacks show local variables, secrets too, and take seconds.
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        if console
        else structlog.processors.JSONRenderer(serializer=_encoded)
    )
    structlog.configure(
        processors=[*shared, structlog.processors.format_exc_info, last]
        if not console
        else [*shared, last],
        wrapper_class=structlog.make_filtering_bound_logger(least),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
