"""What the facade is compared with, each served by the same uvicorn: `others:raw`, `:passing`."""

import os
from typing import Any, Final

import httpx
from litestar import Litestar, Response, get

UPSTREAM: Final = os.environ.get("BENCH_UPSTREAM", "http://127.0.0.1:1")
BODY: Final = b'{"success":true,"data":{"code":"ABCD12","status":"waiting","maxPlayers":4}}'
_HEADERS: Final = [
    (b"content-type", b"application/json"),
    (b"content-length", str(len(BODY)).encode()),
]


async def raw(_scope: Any, _receive: Any, send: Any) -> None:
    """The least that an ASGI application can do."""
    await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
    await send({"type": "http.response.body", "body": BODY, "more_body": False})


@get("/v1/rooms/{code:str}")
async def pass_on(code: str) -> Response[bytes]:
    """The pass-through that most people would write."""
    answer = await _client().get(f"{UPSTREAM}/v1/rooms/{code}")
    return Response(answer.content, status_code=answer.status_code, media_type="application/json")


def passing() -> Litestar:
    """An application of that one route."""
    return Litestar([pass_on], openapi_config=None, logging_config=None)


_kept: list[httpx.AsyncClient] = []


def _client() -> httpx.AsyncClient:
    if not _kept:
        _kept.append(httpx.AsyncClient())
    return _kept[0]
