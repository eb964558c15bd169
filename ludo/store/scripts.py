"""The Lua scripts: each one a step that happens whole or not at all.

Every script starts with `prelude.lua`, takes its keys from the caller, checks before it writes,
and may be sent twice.
"""

import asyncio
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from redis.asyncio import Redis
from redis.commands.core import AsyncScript

Arg = str | bytes | int | float


@cache
def source(name: str) -> str:
    """The text of a script with its prelude."""
    folder = files("ludo.store") / "lua"
    return "\n".join((folder / f"{part}.lua").read_text() for part in ("prelude", name))


class Scripts:
    """Runs scripts by name on one Redis; a script is sent whole only when Redis lacks it."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._registered: dict[str, AsyncScript] = {}

    async def run(
        self, name: str, *, keys: Sequence[str], args: Sequence[Arg], within: float | None = None
    ) -> Any:
        """What the script returns; raises redis.exceptions.RedisError.

        `within` is the time in seconds after which nobody waits any more: TimeoutError.
        """
        script = self._registered.get(name)
        if script is None:
            script = self._registered[name] = self._redis.register_script(source(name))
        async with asyncio.timeout(within):
            return await script(keys=list(keys), args=list(args))
