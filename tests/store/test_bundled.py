"""The bundled Redis: one server a folder, whoever dies."""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError

from ludo.store import redis_server
from ludo.store.bundled import BundledRedis, bundled_redis
from ludo.store.errors import RedisDidNotStart
from tests.waiting import wait_until

USER_PROCESS = """
import asyncio, pathlib, sys
from ludo.store.bundled import bundled_redis
async def main():
    async with bundled_redis(pathlib.Path(sys.argv[1])) as url:
        print(url, flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
asyncio.run(main())
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short data folder; no server is left running in it."""
    with tempfile.TemporaryDirectory(prefix="ludo-test-") as name:
        yield Path(name)
        assert not redis_server.is_running(redis_server.prepare_place(Path(name)))


@asynccontextmanager
async def another_process(folder: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """Another user of the folder's server, which has it open; it leaves at the end of the block."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        USER_PROCESS,
        str(folder),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin
    assert process.stdout
    try:
        assert await process.stdout.readline()
        yield process
    finally:
        process.stdin.close()
        await process.wait()


async def ask(url: str, *command: str) -> object:
    """One command on a connection of its own."""
    async with Redis.from_url(url, decode_responses=True) as client:
        return await client.execute_command(*command)


async def server_pid(url: str) -> int | None:
    """The process id of the server that answers, or None while none does."""
    try:
        async with Redis.from_url(url) as client:
            return int((await client.info("server"))["process_id"])
    except RedisError:
        return None


async def test_server_keeps_every_acknowledged_write(folder: Path) -> None:
    """The bundled server syncs each write and has no TCP port."""
    async with bundled_redis(folder) as url, Redis.from_url(url, decode_responses=True) as client:
        found = {
            name: (await client.config_get(name))[name]
            for name in ("appendonly", "appendfsync", "port")
        }
    assert found == {"appendonly": "yes", "appendfsync": "always", "port": "0"}


async def test_data_survives_the_last_user(folder: Path) -> None:
    """What was written is there when the folder is opened again."""
    async with bundled_redis(folder) as url:
        await ask(url, "SET", "a", "1")
    async with bundled_redis(folder) as url:
        assert await ask(url, "GET", "a") == "1"


async def test_killed_server_is_started_again(folder: Path) -> None:
    """A server killed under us comes back at the same address with its data."""
    async with bundled_redis(folder) as url:
        await ask(url, "SET", "a", "1")
        first = await server_pid(url)
        assert first
        os.kill(first, signal.SIGKILL)
        second = await wait_until(lambda: server_pid(url))
        assert second != first
        assert await ask(url, "GET", "a") == "1"


async def test_server_killed_over_and_over_comes_back(folder: Path) -> None:
    """Supervision goes on after the first restart."""
    async with bundled_redis(folder) as url:
        for _ in range(4):
            pid = await wait_until(lambda: server_pid(url))
            os.kill(pid, signal.SIGKILL)
        assert await wait_until(lambda: server_pid(url))


async def test_dropped_connections_do_not_restart_the_server(folder: Path) -> None:
    """Losing the watching connection is not taken for the server's end."""
    async with bundled_redis(folder) as url:
        first = await server_pid(url)
        for _ in range(3):
            await ask(url, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
            await asyncio.sleep(0.1)
        assert await server_pid(url) == first


async def test_processes_of_a_folder_share_one_server(folder: Path) -> None:
    """Whoever comes second uses the server that is there."""
    async with bundled_redis(folder) as url:
        first = await server_pid(url)
        async with another_process(folder), bundled_redis(folder) as again:
            assert again == url
            assert await server_pid(again) == first
        assert await server_pid(url) == first


async def test_leaving_starter_does_not_interrupt_the_others(folder: Path) -> None:
    """The one who started the server may leave; the others look after the same process."""
    async with another_process(folder) as starter, bundled_redis(folder) as url:
        first = await server_pid(url)
        assert starter.stdin
        starter.stdin.close()
        await starter.wait()
        assert await server_pid(url) == first
        assert first
        os.kill(first, signal.SIGKILL)
        assert await wait_until(lambda: server_pid(url)) != first


async def test_server_outlives_its_killed_starter(folder: Path) -> None:
    """After kill -9 of the starter nothing is interrupted, and the others keep the server up."""
    async with another_process(folder) as starter, bundled_redis(folder) as url:
        first = await server_pid(url)
        starter.kill()
        await starter.wait()
        assert await server_pid(url) == first
        assert first
        os.kill(first, signal.SIGKILL)
        assert await wait_until(lambda: server_pid(url)) != first


async def test_orphan_of_a_dead_folder_is_adopted_and_ended(folder: Path) -> None:
    """A server that nobody looked after is used again, not doubled, and ends with its new user."""
    async with another_process(folder) as starter:
        orphan = await server_pid(redis_server.prepare_place(folder).url)
        starter.kill()
        await starter.wait()
        async with bundled_redis(folder) as url:
            assert await server_pid(url) == orphan


async def test_frozen_server_is_waited_for_not_doubled(folder: Path) -> None:
    """A server that is there but silent is never given a rival on the same data."""
    async with bundled_redis(folder) as url:
        pid = await server_pid(url)
        assert pid
        os.kill(pid, signal.SIGSTOP)
        with pytest.raises(RedisDidNotStart, match="no answer within"):
            async with BundledRedis(folder, start_deadline=0.3):
                pass
        os.kill(pid, signal.SIGCONT)
        assert await server_pid(url) == pid


async def test_users_that_leave_together_leave_no_server(folder: Path) -> None:
    """However the ends interleave, the last one ends the server (the fixture checks)."""
    for _ in range(3):
        users = [BundledRedis(folder) for _ in range(4)]
        await asyncio.gather(*(user.__aenter__() for user in users))
        await asyncio.gather(*(user.aclose() for user in users))
        place = redis_server.prepare_place(folder)
        assert not redis_server.is_running(place)


async def test_slow_server_is_waited_for(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that takes its time to answer is neither given up nor started twice."""
    slow = tmp_path / "redis-server"
    slow.write_text(f'#!/bin/sh\nsleep 0.3\nexec {redis_server.find_server()} "$@"\n')
    slow.chmod(0o755)
    monkeypatch.setattr(redis_server, "find_server", lambda: slow)
    async with bundled_redis(folder) as url:
        assert await server_pid(url)


async def test_ctrl_c_does_not_reach_the_server(folder: Path) -> None:
    """The server has a session of its own, so that it ends after those who still write to it."""
    async with bundled_redis(folder) as url:
        pid = await server_pid(url)
        assert pid
        assert os.getsid(pid) == pid


async def test_long_folder_gets_a_short_socket(folder: Path) -> None:
    """The socket's address fits the kernel's limit wherever the data is."""
    deep = folder / ("d" * 60) / ("e" * 60)
    async with bundled_redis(deep) as url:
        assert len(url.removeprefix("unix://").encode()) < 100
        assert await ask(url, "PING")
    assert (deep / "appendonly.aof").exists() or (deep / "appendonlydir").exists()


async def test_unreadable_data_is_said_in_the_servers_words(folder: Path) -> None:
    """A server that ends at once is an error with the reason it gave, not a wait."""
    (folder / "appendonly.aof").write_bytes(b"this is not a log of commands\n" * 3)
    with pytest.raises(RedisDidNotStart, match=r"ended at once.*Bad file format"):
        async with BundledRedis(folder):
            pass
