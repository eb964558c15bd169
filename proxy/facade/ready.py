"""Answers of the cache as they go out, without `Age` and `Cache-Status`, which change."""

from dataclasses import dataclass, field
from typing import Final

from ludo.store.cache import Entry
from proxy.facade.policy import Plan

OVERHEAD: Final = 512
"""What an answer takes besides its body and headers, roughly."""
_MADE_ANEW: Final = frozenset({"age", "cache-status", "content-length", "etag"})
_BODILESS: Final = frozenset({204, 304})


@dataclass(frozen=True, slots=True)
class Ready:
    """An answer as it goes out, but for `Age` and `Cache-Status`.

    `fields` are header fields with lower-case names, `content-length` and `etag` among them.
    `born` is the monotonic time at which its age was 0; from `until` on it must not be used
    without asking the shared cache.
    """

    status: int
    fields: tuple[tuple[bytes, bytes], ...]
    body: bytes = field(repr=False)
    etag: str
    born: float
    until: float

    def age(self, now: float) -> int:
        """Whole seconds since upstream gave it (RFC 9111 §5.1)."""
        return max(0, int(now - self.born))

    @property
    def size(self) -> int:
        """Roughly what it takes of the memory, in bytes."""
        headers = sum(len(name) + len(value) for name, value in self.fields)
        return OVERHEAD + len(self.body) + headers

    def field(self, name: bytes) -> bytes | None:
        """The first value of a header field."""
        return next((value for each, value in self.fields if each == name), None)


def ready_of(entry: Entry, plan: Plan, *, born: float = 0.0, until: float = 0.0) -> Ready:
    """The answer that a kept one becomes for callers of a route."""
    fields = [
        (name.encode("latin-1"), value.encode("latin-1", "replace"))
        for name, value in entry.headers
        if name not in _MADE_ANEW and plan.tells(name)
    ]
    if plan.told is not None:
        fields.append((b"cache-control", plan.told.encode()))
    if entry.etag:
        fields.append((b"etag", entry.etag.encode("latin-1", "replace")))
    if entry.status not in _BODILESS:
        fields.append((b"content-length", str(len(entry.body)).encode()))
    return Ready(entry.status, tuple(fields), entry.body, entry.etag, born, until)
