"""How many files this process may have open: each socket is one."""

import resource
from typing import Final

from cli.failing import CannotGoOn

SPARE: Final = 64


def allow_sockets(wanted: int) -> int:
    """Raise the limit as far as it may be raised; the limit, or one clear line if it is too low."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted + SPARE
    if soft < needed and (hard == resource.RLIM_INFINITY or soft < hard):
        soft = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    if soft < needed:
        raise CannotGoOn(
            f"expected to open {needed} files for {wanted} clients; found a limit of {soft}. "
            f"Raise it (ulimit -Hn {needed} as root), or take fewer --clients"
        )
    return soft
