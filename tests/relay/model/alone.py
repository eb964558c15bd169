"""What nodes tell each other besides the games, where nobody has anything to tell."""

from collections.abc import Mapping
from typing import Any

from proxy.relay.shared import Shared


class _Nobody:
    """Lets everybody in, orders nothing, and sees nobody."""

    async def enter(self, user: str, count: int, limit: int) -> bool:
        """See `Crowd`."""
        return True

    async def tell(self, *_: Any, **__: Any) -> Mapping[str, Any]:
        """See `Crowd` and `Presence`."""
        return {}

    def forbids(self, caller: Any) -> bool:
        """See `OrderWatch`."""
        return False

    def nudge(self) -> None:
        """See `OrderWatch`: also called for what comes after a room was closed."""

    async def run(self) -> None:
        """See `Talk`."""


def alone() -> Shared:
    """For a relay without a Redis of its own."""
    nobody: Any = _Nobody()
    return Shared(crowd=nobody, presence=nobody, orders=nobody, talk=nobody)
