"""Which web pages may connect: browsers send an Origin, and nothing else protects a socket."""

from collections.abc import Collection


def is_allowed(origin: str | None, host: str | None, allowed: Collection[str]) -> bool:
    """Whether a page of this origin may connect to this host.

    No Origin means no browser. Our own pages may connect; `*` in `allowed` admits every page.
    """
    return "*" in allowed or is_trusted(origin, host, allowed)


def is_trusted(origin: str | None, host: str | None, allowed: Collection[str]) -> bool:
    """Whether a page may use the cookie that its browser sends: only one that is named, or ours.

    Any page can make a browser send it; `*` says that they all may watch, not in whose name.
    """
    if origin is None or origin in allowed:
        return True
    return host is not None and origin.lower().partition("://")[2] == host.lower()
