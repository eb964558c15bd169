"""The least that a relay on uvicorn could do: hear Redis, and send to each socket in a loop.

No snapshots, no resume, no bounds, no heartbeat: only what the server and Redis cost.
`python -m benchmarks.relay.rawloop REDIS_URL` prints its port.
"""

import asyncio
import json
import sys
from typing import Any

import uvicorn
import uvloop
from redis.asyncio import Redis

from ludo.store import keys

ROOMS: dict[bytes, list[Any]] = {}


async def app(_scope: Any, receive: Any, send: Any) -> None:
    """A socket names its games in its first frame, and is sent what is published."""
    await receive()
    await send({"type": "websocket.accept"})
    hello = json.loads((await receive())["text"])
    channels = [keys.channel(each["game"]).encode() for each in hello["subs"]]
    for channel in channels:
        ROOMS.setdefault(channel, []).append(send)
    await send({"type": "websocket.send", "text": '{"t":"live"}'})
    while (await receive())["type"] != "websocket.disconnect":
        pass
    for channel in channels:
        ROOMS[channel].remove(send)


async def hear(url: str) -> None:
    """Everything that is published, to everybody whom it concerns."""
    async with Redis.from_url(url) as redis, redis.pubsub() as link:
        await link.psubscribe(keys.channel("*"))
        while True:
            message = await link.get_message(ignore_subscribe_messages=True, timeout=None)
            if message is None:
                continue
            text = message["data"].split(b" ", 4)[4].decode()
            for send in tuple(ROOMS.get(message["channel"], ())):
                await send({"type": "websocket.send", "text": text})


async def main() -> None:
    """Until it is killed."""
    hearing = asyncio.create_task(hear(sys.argv[1]))
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            port=0,
            http="httptools",
            ws="websockets-sansio",
            ws_per_message_deflate=False,
            ws_ping_interval=None,
            lifespan="off",
            log_config=None,
        )
    )
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    sys.stdout.write(f"port {port}\n")
    sys.stdout.flush()
    await asyncio.gather(serving, hearing)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
