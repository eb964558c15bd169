"""Which web pages may connect: browsers send an Origin, and nothing else protects a socket."""

from collections.abc import Collection


def is_allowed(origin: str | None, host: str | None, allowed: Collection[str]) -> bool:
    """Whether a page of this origin may connect to this host.

    No Origin means no browser. Our own pages may connect; `*` in `allowed` admits every page.
    """
    if origin is None or "*" in allowed or origin in allowed:
        return True
    return host is not None and origin.lower().partition("://")[2] == host.lower()
