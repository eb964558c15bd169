"""The first answer to a request with an idempotency key, given again when it comes again."""

import hashlib
import secrets
from dataclasses import dataclass
from typing import Final

from ludo.store import keys
from ludo.store.scripts import Scripts

KEPT_MS: Final = 24 * 3_600_000
RUNNING_MS: Final = 15_000
"""After this the first try is taken for dead, and another one may go out."""


@dataclass(frozen=True, slots=True)
class Go:
    """Nobody answered this request yet: it is ours, under our token."""


@dataclass(frozen=True, slots=True)
class Done:
    """The first answer."""

    status: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Busy:
    """The first request is still running."""


@dataclass(frozen=True, slots=True)
class Reused:
    """The key belongs to another body."""


Begun = Go | Done | Busy | Reused


def request_name(caller: str, method: str, path: str, key: str) -> str:
    """The name of a request: the same caller, route and key mean the same request."""
    whole = "\0".join((caller, method, path, key))
    return hashlib.sha256(whole.encode()).hexdigest()[:40]


def new_token() -> str:
    """What one try of a request goes by."""
    return secrets.token_hex(8)


class Replies:
    """Keeps first answers for a day; every call raises redis.exceptions.RedisError."""

    def __init__(self, scripts: Scripts) -> None:
        self._scripts = scripts

    async def begin(self, request: str, token: str, body: bytes) -> Begun:
        """Whether a request with this body may go out now, under the caller's token.

        Whoever gives up waiting here cannot know whether it may, and releases the token.
        """
        digest = hashlib.sha256(body).hexdigest()[:32]
        verdict, *rest = await self._scripts.run(
            "begin_reply",
            keys=[keys.reply(request)],
            args=[digest, token, RUNNING_MS, KEPT_MS],
        )
        match verdict:
            case b"go":
                return Go()
            case b"done":
                return Done(int(rest[0]), rest[1])
            case b"busy":
                return Busy()
            case _:
                return Reused()

    async def keep(self, request: str, token: str, status: int, body: bytes) -> None:
        """Keep the first answer."""
        await self._end(request, token, str(status), body)

    async def release(self, request: str, token: str) -> None:
        """There is no answer worth keeping: the same request may go out again."""
        await self._end(request, token, "", b"")

    async def _end(self, request: str, token: str, status: str, body: bytes) -> None:
        await self._scripts.run(
            "end_reply", keys=[keys.reply(request)], args=[token, status, body, KEPT_MS]
        )
