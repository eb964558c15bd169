"""What the nodes of one deployment tell each other besides the games."""

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from redis.asyncio import Redis

from ludo.config import Rate
from ludo.store.crowd import Crowd
from ludo.store.presence import Presence
from ludo.store.quota import Quota
from ludo.store.scripts import Scripts
from proxy.orders import OrderWatch
from proxy.relay.limits import Limits
from proxy.relay.talk import Talk


@dataclass(frozen=True, slots=True)
class Shared:
    """One node's access to all of it."""

    crowd: Crowd
    presence: Presence
    orders: OrderWatch
    talk: Talk

    @classmethod
    def on(
        cls,
        redis: Redis,
        scripts: Scripts,
        orders: OrderWatch,
        limits: Limits,
        talk_rates: Sequence[Rate],
    ) -> Self:
        """Over one Redis, for a node that nobody was before; somebody else runs `orders`."""
        node = secrets.token_hex(8)
        pace = Quota(scripts, talk_rates, time.monotonic)
        return cls(
            crowd=Crowd(scripts, node, limits.lease),
            presence=Presence(scripts, node, limits.lease),
            orders=orders,
            talk=Talk(redis, pace, limits.source_within),
        )
