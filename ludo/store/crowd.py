"""How many connections each user has, over all nodes of the relay.

A node counts its own and tells the totals; a node that stops telling stops counting.
"""

from collections.abc import Mapping

from ludo.store import keys
from ludo.store.scripts import Scripts


class Crowd:
    """One node's part in it; `lease` is how many seconds its word counts."""

    def __init__(self, scripts: Scripts, node: str, lease: float) -> None:
        self._scripts = scripts
        self._node = node
        self._lease_ms = int(lease * 1000)
        self._keys = (keys.NODES, keys.node_users(node))

    async def enter(self, user: str, count: int, limit: int) -> bool:
        """Whether a user may have `count` connections here, one more than before.

        Raises redis.exceptions.RedisError.
        """
        args = (self._node, self._lease_ms, keys.node_users(""), user, count, limit)
        return bool(await self._scripts.run("enter_crowd", keys=self._keys, args=args))

    async def tell(self, counts: Mapping[str, int], *, whole: bool) -> bool:
        """Renews the lease and corrects these counts; `whole`: they are all there are.

        False if Redis knew nothing of this node, which then has to tell them whole. Raises
        redis.exceptions.RedisError.
        """
        flat = [each for user, count in counts.items() for each in (user, count)]
        args = (self._node, self._lease_ms, int(whole), *flat)
        return bool(await self._scripts.run("keep_crowd", keys=self._keys, args=args))
