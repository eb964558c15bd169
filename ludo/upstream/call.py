"""One request to upstream, and the answer it got."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote

import httpx

from ludo.upstream.retry import IDEMPOTENT

IDEMPOTENCY_HEADER: Final = "Idempotency-Key"
_PLACEHOLDER: Final = re.compile(r"\{(\w+)\}")
_HEADER_VALUE: Final = re.compile(r"[ -~]{0,1024}")


@dataclass(frozen=True, slots=True)
class Call:
    """A request: `route` is a template such as `/rooms/{code}`, filled from `params`.

    Raises ValueError for what cannot be sent: a parameter that is missing or climbs, a header
    that is not visible ASCII.
    """

    method: str
    route: str
    params: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, value in self.headers.items():
            if _HEADER_VALUE.fullmatch(value) is None:
                raise ValueError(f"expected visible ASCII in the header {name}")
        for name in _PLACEHOLDER.findall(self.route):
            if self.params.get(name, "") in ("", ".", ".."):
                raise ValueError(f"expected an id as {name}; found {self.params.get(name)!r}")

    @property
    def path(self) -> str:
        """The route with its parameters, each one segment whatever is in it."""
        return _PLACEHOLDER.sub(lambda match: quote(self.params[match[1]], safe=""), self.route)

    @property
    def repeatable(self) -> bool:
        """Whether sending it twice does what sending it once does."""
        named = {name.lower() for name in self.headers}
        return self.method in IDEMPOTENT or IDEMPOTENCY_HEADER.lower() in named


@dataclass(frozen=True, slots=True)
class UpstreamResponse:
    """An answer below 500 that is no 429: `body` is decompressed, `elapsed` is seconds.

    `headers` are those that describe the body and the answer, none that belong to the connection.
    """

    status: int
    headers: httpx.Headers
    body: bytes
    elapsed: float

    @property
    def refused(self) -> bool:
        """Whether upstream said no."""
        return self.status >= 400
