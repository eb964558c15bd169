"""What a successful write makes worthless besides its own target (RFC 9111 §4.4)."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urljoin, urlsplit

_NAMING: Final = ("location", "content-location")


def invalidated(target: str, headers: Mapping[str, str]) -> tuple[str, ...]:
    """The target and what the answer's Location and Content-Location name, of the same origin.

    `target` is a path with its query; what comes back are such, without repetition.
    """
    found = {target: None}
    for name in _NAMING:
        named = headers.get(name)
        if named and _is_here(named):
            parts = urlsplit(urljoin(target, named))
            found[parts.path + (f"?{parts.query}" if parts.query else "")] = None
    return tuple(found)


def _is_here(reference: str) -> bool:
    """Whether a reference stays at this origin: others must not be able to purge ours."""
    parts = urlsplit(reference)
    return not parts.scheme and not parts.netloc
