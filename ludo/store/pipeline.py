"""Packed commands to Redis and their answers, under one deadline.

redis-py's pipeline sets a timer for each answer that it reads, and takes three calls for it. Of a
pipeline's answers nearly all have come with the first, so that is most of what reading them costs.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError


async def ask(redis: Redis, commands: Sequence[bytes]) -> list[Any]:
    """The answer to each command, which may be a ResponseError; raises RedisError otherwise.

    When the connection breaks, the commands are sent again as the client was told to (see
    `connection.py`), so they have to be idempotent.
    """
    pool = redis.connection_pool
    connection: AbstractConnection = await pool.get_connection()
    try:
        return await connection.retry.call_with_retry(
            lambda: _asked(connection, commands), lambda error: _broken(connection, error)
        )
    finally:
        await pool.release(connection)


async def _asked(connection: AbstractConnection, commands: Sequence[bytes]) -> list[Any]:
    await connection.send_packed_command(commands)
    parser: Any = connection._parser
    try:
        async with asyncio.timeout(connection.socket_timeout):
            answers = [await parser.read_response() for _ in commands]
    except TimeoutError:
        await connection.disconnect(nowait=True)
        raise RedisTimeoutError("Redis did not answer in time") from None
    except OSError as error:
        await connection.disconnect(nowait=True)
        raise RedisConnectionError(f"the connection to Redis broke: {error}") from error
    except BaseException:  # what is left of the answers would be taken for the next ones
        await connection.disconnect(nowait=True)
        raise
    if connection.health_check_interval:  # it is well: nobody has to ask before that
        now = asyncio.get_running_loop().time()
        connection.next_health_check = now + connection.health_check_interval
    return answers


async def _broken(connection: AbstractConnection, error: Exception) -> None:
    await connection.disconnect()
    if not isinstance(error, tuple(connection.retry_on_error or ())):
        raise error
