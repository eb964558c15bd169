"""Why the server ends a connection, and whether the client may come back (design section 8)."""

from enum import IntEnum
from typing import Final

_FIRST_FINAL: Final = 4500


class Code(IntEnum):
    """Close codes: 4000–4499 come back, 4500–4999 do not."""

    DRAIN = 4000
    INTERNAL = 4001
    SLOW = 4002
    NO_PONG = 4003
    CONTINUITY_LOST = 4004
    TOKEN_EXPIRED = 4005
    TOO_MANY_REQUESTS = 4006
    HELLO_TIMEOUT = 4007
    OVERLOADED = 4008
    IDLE = 4009
    BAD_TOKEN = 4500
    BAD_REQUEST = 4501
    TOO_BIG = 4502
    FORBIDDEN = 4503
    CONNECTION_LIMIT = 4504
    VERSION = 4506
    KICKED = 4507

    @property
    def reconnect(self) -> bool:
        """Whether the client should connect again."""
        return self < _FIRST_FINAL

    @property
    def useless_backlog(self) -> bool:
        """Whether what is still queued would only delay the farewell: nobody is reading it."""
        return self in (Code.SLOW, Code.NO_PONG)
