"""Private Redis servers for tests, which can be killed, stopped, frozen and started again."""

import os
import shutil
import signal
import socket
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from ludo.store import redis_server


class PrivateRedis:
    """A durable server on a unix socket in a folder of its own, both gone at the end.

    The folder is made in `within`, or where temporary files are.
    """

    def __init__(self, within: Path | None = None) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="ludo-test-", dir=within))
        self.place = redis_server.prepare_place(self._folder)
        self._process: int | None = None

    @property
    def url(self) -> str:
        """The address for redis-py; it stays the same over restarts."""
        return self.place.url

    @property
    def pid(self) -> int:
        """The process id of the running server."""
        assert self._process is not None
        return self._process

    def start(self) -> None:
        """Start the server, or start it again on the data it has; it answers afterwards."""
        self._process = redis_server.spawn(redis_server.find_server(), self.place)
        assert self._process is not None, "a server is running here already"
        deadline = time.monotonic() + 10
        while not _answers(self.place.socket):
            assert time.monotonic() < deadline, redis_server.last_words(self.place)
            time.sleep(0.005)

    def kill(self) -> None:
        """End it as a crash does: nothing more is written."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it as an orderly shutdown does."""
        self._end(signal.SIGTERM)

    def freeze(self) -> None:
        """Leave its connections open and answer nothing, until `thaw`."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Go on after `freeze`."""
        os.kill(self.pid, signal.SIGCONT)

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            os.kill(self._process, signal.SIGCONT)
            os.kill(self._process, how)
            os.waitpid(self._process, 0)
            self._process = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(1)
        try:
            client.connect(str(path))
            client.sendall(b"PING\r\n")
            return client.recv(16) == b"+PONG\r\n"
        except OSError:
            return False
