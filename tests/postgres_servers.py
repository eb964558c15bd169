"""A private PostgreSQL for tests, where Debian's server binaries are installed."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from sqlalchemy import URL

USER: Final = "ludo"
DATABASE: Final = "postgres"
_FOLDERS: Final = Path("/usr/lib/postgresql")
_ACCOUNTS: Final = ("postgres", "nobody")


def find_binaries() -> Path | None:
    """The folder of the newest server's binaries; None where there is no server."""
    found = [path.parent for path in _FOLDERS.glob("*/bin/postgres")]
    return max(found, key=lambda path: int(path.parent.name), default=None)


class PrivatePostgres:
    """A server on a unix socket in a folder of its own, both gone at the end.

    PostgreSQL refuses to run as root, so root hands the folder to another account first.
    """

    def __init__(self, binaries: Path) -> None:
        self._binaries = binaries
        self._folder = Path(tempfile.mkdtemp(prefix="ludo-pg-"))
        self._account = _unprivileged()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> URL:
        """The address for SQLAlchemy."""
        return URL.create(
            "postgresql+asyncpg",
            username=USER,
            database=DATABASE,
            query={"host": str(self._folder)},
        )

    def __enter__(self) -> Self:
        if self._account is not None:
            os.chown(self._folder, self._account.pw_uid, self._account.pw_gid)
        data = self._folder / "data"
        made = self._start("initdb", "-D", str(data), "-U", USER, "-A", "trust", "-N", "-E", "UTF8")
        assert made.wait(60) == 0, "initdb failed"
        self.start()
        return self

    def start(self) -> None:
        """Starts the server, or starts it again on the data it has; it answers afterwards."""
        quick = ("fsync=off", "shared_buffers=16MB", "max_connections=60", "listen_addresses=")
        options = [option for setting in quick for option in ("-c", setting)]
        data = ("-D", str(self._folder / "data"), "-k", str(self._folder))
        self._process = self._start("postgres", *data, *options)
        deadline = time.monotonic() + 30
        ready = [str(self._binaries / "pg_isready"), "-h", str(self._folder), "-q"]
        while subprocess.run(ready, check=False).returncode != 0:
            assert self._process.poll() is None, "the server ended at once"
            assert time.monotonic() < deadline, "the server does not answer"
            time.sleep(0.02)

    def stop(self) -> None:
        """Ends it at once, without waiting for anybody."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(30)
            self._process = None

    def _start(self, program: str, *arguments: str) -> subprocess.Popen[bytes]:
        account = self._account
        return subprocess.Popen(
            [self._binaries / program, *arguments],
            user=account.pw_uid if account else None,
            group=account.pw_gid if account else None,
            extra_groups=[] if account else None,
            cwd=self._folder,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)


def _unprivileged() -> pwd.struct_passwd | None:
    """Somebody to run as instead of root; None for whoever is not root."""
    if os.getuid() != 0:
        return None
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    return next(known[name] for name in _ACCOUNTS if name in known)
