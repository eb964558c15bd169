"""The errors of the store.

StoreError
├── NoRedisServer
├── RedisDidNotStart
├── DataFolderUnusable
├── VolatileRedis
├── StoreUnavailable
├── UnknownVersion
└── ArchiveUnavailable
"""


class StoreError(Exception):
    """The base of this room's errors; the message is one line fit for a terminal."""


class NoRedisServer(StoreError):
    """No `redis-server` was found to run, and none was named by REDIS_URL."""


class RedisDidNotStart(StoreError):
    """A `redis-server` was started, or is running, but does not answer."""


class DataFolderUnusable(StoreError):
    """The data folder cannot hold what a Redis has to keep there."""


class VolatileRedis(StoreError):
    """This Redis would lose acknowledged events, and nobody said that it may."""


class StoreUnavailable(StoreError):
    """Redis did not answer in time, is full, or refuses writes; try again later."""


class UnknownVersion(StoreError):
    """A record was written by a newer version; it is left as it is, for those who can read it."""


class ArchiveUnavailable(StoreError):
    """The archive's database does not answer, or is not one of this version; try again later."""
