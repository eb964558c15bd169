"""A signed delivery through the receiver, and whether it was accepted, filtered and counted."""

import asyncio
import time
from dataclasses import dataclass
from typing import Final
from uuid import uuid4

import httpx
import msgspec
from redis.asyncio import Redis

from cli.doctor.findings import Finding, finding, ok
from ludo.store import keys
from ludo.store.counters import read_counters
from ludo.upstream.keyring import SigningKey
from ludo.upstream.signing import ID_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER, sign

KIND: Final = "ludo:probe"
"""No type of upstream's: such an event is kept, counted as filtered, and changes nothing."""
WITHIN_S: Final = 5.0
LOOK_EVERY_S: Final = 0.02
_LOOKED_AT: Final = 100


@dataclass(frozen=True, slots=True)
class Probe:
    """A probe of one receiver; `url` is that of the deliveries."""

    http: httpx.AsyncClient
    redis: Redis
    url: str
    key: SigningKey

    async def send(self) -> Finding:
        """What became of one probe event; raises RedisError."""
        webhook_id, began = f"msg_probe_{uuid4().hex}", time.perf_counter()
        before = await read_counters(self.redis)
        try:
            answer = await self._deliver(webhook_id)
        except httpx.HTTPError as error:
            return finding(
                "probe",
                f"{self.url} gives no answer: {error!r}",
                "start `ludo-proxy serve`, or say with --url where the receiver is",
            )
        if answer.status_code != 202:
            return finding(
                "probe",
                f"{self.url} answers {answer.status_code}: {answer.text[:200]}",
                "a 401 means that the proxy verifies with other secrets than these; a 503 says "
                "itself what is wrong",
            )
        answered = (time.perf_counter() - began) * 1000
        if not await self._is_kept(webhook_id):
            return finding(
                "probe",
                "accepted, but not in this Redis",
                "the proxy uses another Redis than the one that REDIS_URL names here",
            )
        counted = (time.perf_counter() - began) * 1000
        after = await read_counters(self.redis)
        names = ("accepted:webhook", "outcome:filtered:webhook")
        if any(after.get(name, 0) <= before.get(name, 0) for name in names):
            return finding("probe", "kept, but not counted", "this is a bug: report it")
        return ok(
            "probe", f"accepted in {answered:.0f} ms, filtered and counted in {counted:.0f} ms"
        )

    async def _deliver(self, webhook_id: str) -> httpx.Response:
        now = int(time.time())
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now))
        body = msgspec.json.encode({"type": KIND, "timestamp": at, "data": {"probe": webhook_id}})
        headers = {
            "content-type": "application/json",
            ID_HEADER: webhook_id,
            TIMESTAMP_HEADER: str(now),
            SIGNATURE_HEADER: sign(self.key, webhook_id, now, body),
        }
        return await self.http.post(self.url, content=body, headers=headers)

    async def _is_kept(self, webhook_id: str) -> bool:
        deadline = time.monotonic() + WITHIN_S
        while time.monotonic() < deadline:
            for _, fields in await self.redis.xrevrange(keys.FILTERED, count=_LOOKED_AT):
                if fields.get(b"webhook_id") == webhook_id.encode():
                    return True
            await asyncio.sleep(LOOK_EVERY_S)
        return False
