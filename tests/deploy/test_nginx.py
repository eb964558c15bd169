"""The nginx configuration, in front of a whole proxy: TLS, a socket, a stream."""

import asyncio
import json
import shutil
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import httpx
import pytest
from redis.asyncio import Redis
from websockets.asyncio.client import connect

from tests.proxy.builders import a_token, bearer
from tests.relay.scribe import Scribe
from tests.relay.streams import a_relay_proxy, streaming
from tests.waiting import wait_until

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
CONFIG = Path(__file__).parents[2] / "deploy" / "nginx" / "ludo-proxy.conf"

pytestmark = pytest.mark.skipif(
    not (NGINX and shutil.which("openssl")), reason="needs nginx and openssl"
)


def a_free_port() -> int:
    """A port that nobody listens on."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        return int(listener.getsockname()[1])


def written(folder: Path, backend: str, http_port: int, port: int) -> Path:
    """The configuration as it is shipped, with what its first lines say to change."""
    text = CONFIG.read_text()
    for old, new in (
        ("127.0.0.1:8080", backend.removeprefix("http://")),
        ("play.example", "localhost"),
        ("    listen 80;\n    listen [::]:80;\n", f"    listen 127.0.0.1:{http_port};\n"),
        (
            "    listen 443 ssl http2;\n    listen [::]:443 ssl http2;\n",
            f"    listen 127.0.0.1:{port} ssl http2;\n",
        ),
        ("/etc/nginx/tls/fullchain.pem", str(folder / "cert.pem")),
        ("/etc/nginx/tls/privkey.pem", str(folder / "key.pem")),
        ("/var/log/nginx/ludo.log", str(folder / "access.log")),
    ):
        assert old in text
        text = text.replace(old, new)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in kinds)
    whole = folder / "nginx.conf"
    whole.write_text(
        f"daemon off;\npid {folder}/nginx.pid;\nerror_log {folder}/error.log;\n"
        f"events {{}}\nhttp {{\n{temporary}{text}}}\n"
    )
    return whole


def certify(folder: Path) -> None:
    """A certificate of our own for localhost."""
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    files = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")]
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    subprocess.run(
        ["openssl", "req", "-x509", *curve, "-nodes", "-days", "2", *subject, *files],
        check=True,
        capture_output=True,
    )


@asynccontextmanager
async def nginx(folder: Path, backend: str) -> AsyncIterator[tuple[int, int]]:
    """A running nginx: its plain and its TLS port."""
    http_port, port = a_free_port(), a_free_port()
    config = written(folder, backend, http_port, port)
    assert NGINX is not None
    process = await asyncio.create_subprocess_exec(
        NGINX, "-e", str(folder / "error.log"), "-p", str(folder), "-c", str(config)
    )
    try:
        await wait_until(lambda: process.returncode is not None or _listens(port), timeout=20)
        assert process.returncode is None, (folder / "error.log").read_text()
        yield http_port, port
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


def _listens(port: int) -> bool:
    with closing(socket.socket()) as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


async def test_sockets_and_streams_pass_through_nginx(
    redis: Redis, redis_url: str, tmp_path: Path
) -> None:
    """As it is shipped: TLS, upgrades, no buffering, nothing for strangers, no ticket in a log."""
    game = Scribe(redis, "g1")
    await game.advance()
    await asyncio.to_thread(certify, tmp_path)
    trust = ssl.create_default_context(cafile=str(tmp_path / "cert.pem"))
    async with (
        a_relay_proxy(redis_url) as (inner, _),
        nginx(tmp_path, str(inner.base_url).rstrip("/")) as (plain, port),
        httpx.AsyncClient(
            base_url=f"https://localhost:{port}", verify=trust, trust_env=False
        ) as http,
        connect(f"wss://localhost:{port}/ws/games/g1", ssl=trust) as client,
    ):
        first = [json.loads(await client.recv())["t"] for _ in range(3)]
        made = await http.post("/v1/ticket", headers=bearer(a_token()))
        ticket = made.json()["data"]["ticket"]
        async with streaming(http, params={"ticket": ticket}) as stream:
            events = aiter(stream)
            begun = [(await anext(events)).frame.get("t") for _ in range(3)]
            await game.advance()
            # Neither is kept back: both have it while nothing follows.
            delta = await asyncio.wait_for(anext(events), 10)
            heard = json.loads(await asyncio.wait_for(client.recv(), 10))
        hidden = [(await http.get(path)).status_code for path in ("/metrics", "/admin/rejected")]
        async with httpx.AsyncClient(trust_env=False) as bare:
            moved = await bare.get(f"http://127.0.0.1:{plain}/v1/games")
        log = tmp_path / "access.log"
        await wait_until(lambda: "/events" in log.read_text())

    assert first == ["welcome", "snap", "live"]
    assert begun == [None, "snap", "live"]
    assert delta.frame["seq"] == heard["seq"] == 2
    assert hidden == [404, 404]
    assert (moved.status_code, moved.headers["location"][:8]) == (308, "https://")
    assert ticket not in log.read_text()
