"""What one writes first: a Litestar handler that verifies with a library and enqueues with arq.

python -m benchmarks.plain UNIX_SOCKET PORT SECRET
"""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from arq.connections import ArqRedis, RedisSettings, create_pool
from litestar import Litestar, Request, Response, post
from standardwebhooks import Webhook


def an_app(socket: str, secret: str) -> Litestar:
    """The handler on a pool of arq's own making."""
    webhook = Webhook(secret)

    @asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncIterator[None]:
        app.state.arq = await create_pool(RedisSettings(unix_socket_path=socket))
        yield
        await app.state.arq.aclose()

    @post("/webhooks/ludo", status_code=202)
    async def receive(request: Request) -> Response[dict[str, bool]]:
        headers = dict(request.headers)
        try:
            event = webhook.verify(await request.body(), headers)
        except Exception:
            return Response({"accepted": False}, status_code=401)
        arq: ArqRedis = request.app.state.arq
        job = await arq.enqueue_job("apply", event, _job_id=headers["webhook-id"])
        return Response({"accepted": True}, status_code=200 if job is None else 202)

    return Litestar([receive], lifespan=[lifespan], openapi_config=None, logging_config=None)


if __name__ == "__main__":
    uvicorn.run(
        an_app(sys.argv[1], sys.argv[3]),
        port=int(sys.argv[2]),
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="error",
    )
