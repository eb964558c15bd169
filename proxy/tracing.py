"""The trace that a request belongs to (W3C Trace Context), carried on to upstream."""

import re
from contextvars import ContextVar
from typing import Final

HEADER: Final = "traceparent"
_FORM: Final = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")

current: ContextVar[str | None] = ContextVar("traceparent", default=None)
"""Set by the edge for each request; tasks that a request starts inherit it."""


def read(text: str) -> str | None:
    """The header's value if it is one."""
    return text if _FORM.fullmatch(text) else None


def headers() -> dict[str, str]:
    """What a call to upstream carries on; nothing outside of a trace."""
    trace = current.get()
    return {} if trace is None else {HEADER: trace}
