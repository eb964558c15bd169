"""HEAD as its GET, on a real server, which counts bytes."""

import asyncio

import httpx
import pytest
import uvicorn

from proxy.app import create_app
from proxy.config import Role
from proxy.parts import running
from tests.proxy.builders import settings
from tests.proxy.test_server import a_free_port
from tests.proxy.upstream import Upstream, data
from tests.waiting import wait_until

PATH = "/v1/rooms/ABCD12"


async def test_a_head_has_the_fields_of_its_get(
    redis_url: str, upstream: Upstream, caplog: pytest.LogCaptureFixture
) -> None:
    """And the connection goes on after it: a body of zero bytes is what the server expects."""
    upstream.says("GET", "/rooms/ABCD12", data({"code": "ABCD12"}))
    app = create_app(settings(redis_url), redis_url=redis_url, role=Role.API, transport=upstream)
    port = a_free_port()
    server = uvicorn.Server(
        uvicorn.Config(app, port=port, lifespan="off", log_config=None, ws="none")
    )
    async with running(app.state.parts):
        serving = asyncio.create_task(server._serve(), name="serving")
        await wait_until(lambda: server.started)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
            for _ in range(3):
                got, head = await http.get(PATH), await http.head(PATH)
                assert (head.status_code, head.content) == (200, b"")
                for name in ("content-length", "etag", "content-type", "cache-control"):
                    assert head.headers[name] == got.headers[name]
            missing = await http.head("/v1/rooms/NOBODY")
            known = await http.head(PATH, headers={"If-None-Match": got.headers["etag"]})
            part = await http.get(PATH, headers={"Range": "bytes=0-4"})
        assert (missing.status_code, known.status_code, part.content) == (404, 304, got.content[:5])
        server.should_exit = True
        await serving
    assert len(upstream.arrived) == 2
    assert [each.message for each in caplog.records if each.levelname == "ERROR"] == []
