"""The processes that are measured, each one on its own port of the loopback."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

SECRET = "a secret that only the benchmark knows, long enough"


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
    return port


@contextmanager
def process(arguments: list[str], ready: str, **environ: str) -> Iterator[int]:
    """A Python process that answers at `ready` from the start of the block; gives its id."""
    given = {**os.environ, **environ}
    running = subprocess.Popen(
        [sys.executable, *arguments],
        env=given,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait(ready, running)
        yield running.pid
    finally:
        running.terminate()
        running.wait(30)


def _wait(url: str, running: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and running.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"nothing answered at {url} within 30 s (exit code {running.poll()})")


@contextmanager
def uvicorn(app: str, port: int, *, factory: bool = False, **environ: str) -> Iterator[int]:
    """An application on the same server, with the same options, as the facade's."""
    arguments = ["-m", "uvicorn", f"benchmarks.facade.others:{app}", "--port", str(port)]
    arguments += ["--http", "httptools", "--loop", "uvloop", "--no-access-log"]
    arguments += ["--log-level", "critical", "--lifespan", "off", "--no-server-header"]
    arguments += ["--factory"] if factory else []
    with process(arguments, f"http://127.0.0.1:{port}/v1/rooms/READY1", **environ) as pid:
        yield pid


@contextmanager
def facade(port: int, origin: int, redis_url: str, **environ: str) -> Iterator[int]:
    """One process of `ludo-proxy serve`, role api."""
    arguments = [
        "-c",
        "from cli.main import main; main()",
        "serve",
        "--port",
        str(port),
        "--role",
        "api",
    ]
    given = {
        "REDIS_URL": redis_url,
        "LUDO_API_BASE_URL": f"http://127.0.0.1:{origin}/v1",
        "LUDO_JWT_SECRET": SECRET,
        "LUDO_LOG_FORMAT": "json",
        "LUDO_UPSTREAM_LIMIT": "off",
        "LUDO_UPSTREAM_CONNECTIONS": "64",
        **environ,
    }
    with process(arguments, f"http://127.0.0.1:{port}/health", **given) as pid:
        yield pid
