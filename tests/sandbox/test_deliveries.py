"""One delivery on its way."""

import base64

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ludo.upstream.keyring import KeyRing, SigningKey
from ludo.upstream.signing import Verified, verify
from sandbox.deliveries import Deliveries
from sandbox.retry import Reply
from sandbox.sending import Sending
from tests.sandbox.builders import NOW, RING, SECRET

SENDING = Sending("msg_1", "gm_1", b'{"type":"game:turn-change"}')


class Wire:
    """Where deliveries end: keeps the requests and answers as told."""

    def __init__(self, answer: httpx.Response | Exception | None = None) -> None:
        self.answer = answer or httpx.Response(202)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


async def delivered(
    wire: Wire, sending: Sending = SENDING, attempt: int = 1, key: str = SECRET
) -> Reply:
    async with httpx.AsyncClient(transport=httpx.MockTransport(wire)) as client:
        deliveries = Deliveries(client, "http://proxy/hook", SigningKey.parse(key), lambda: NOW)
        return await deliveries.attempt(sending, attempt)


async def test_a_delivery_is_signed_as_standard_webhooks_has_it() -> None:
    """Id, timestamp and signature verify over exactly the bytes sent."""
    wire = Wire()

    reply = await delivered(wire)

    (request,) = wire.requests
    assert reply == Reply(202)
    assert request.headers["content-type"] == "application/json"
    assert verify(RING, request.headers, request.content, NOW) == Verified(
        RING.keys[0].id, "msg_1", NOW
    )


async def test_a_private_key_signs_with_v1a() -> None:
    """The receiver checks with the public half."""
    pair = Ed25519PrivateKey.from_private_bytes(b"s" * 32)
    private = "whsk_" + base64.b64encode(b"s" * 32).decode()
    public = "whpk_" + base64.b64encode(pair.public_key().public_bytes_raw()).decode()
    wire = Wire()

    await delivered(wire, key=private)

    headers, body = wire.requests[0].headers, wire.requests[0].content
    assert headers["webhook-signature"].startswith("v1a,")
    assert isinstance(verify(KeyRing.parse(public), headers, body, NOW), Verified)


async def test_only_the_first_delivery_is_tampered_with() -> None:
    """One byte differs and the signature does not fit; the retry is right."""
    sending = Sending("msg_1", "gm_1", SENDING.body, tamper_at=9)
    wire = Wire()

    await delivered(wire, sending, attempt=1)
    await delivered(wire, sending, attempt=2)

    bodies = [request.content for request in wire.requests]
    verdicts = [verify(RING, r.headers, r.content, NOW) for r in wire.requests]
    assert sum(a != b for a, b in zip(bodies[0], SENDING.body, strict=True)) == 1
    assert bodies[1] == SENDING.body
    assert [isinstance(verdict, Verified) for verdict in verdicts] == [False, True]


@pytest.mark.parametrize(("said", "heard"), [("7", 7.0), ("soon", None), ("-1", None)])
async def test_the_receiver_may_say_when(said: str, heard: float | None) -> None:
    """Retry-After in seconds is passed on."""
    reply = await delivered(Wire(httpx.Response(503, headers={"retry-after": said})))

    assert reply == Reply(503, heard)


async def test_a_receiver_that_is_down_is_a_reply_too() -> None:
    """No answer is status 0."""
    assert await delivered(Wire(httpx.ConnectError("refused"))) == Reply(0)
