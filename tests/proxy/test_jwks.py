"""Tokens signed with a published key."""

import time
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from proxy.auth import Verifier
from proxy.config import Access
from proxy.errors import KeysUnavailable
from proxy.jwks import FRESH_S, PAUSE_S, PublishedKeys
from proxy.relay.callers import Caller, Refused
from tests.proxy.builders import SECRET

URL = "https://issuer.example/jwks.json"


class Issuer:
    """Publishes keys, and signs with them; counts how often it is asked."""

    def __init__(self) -> None:
        self.keys = {"k1": ec.generate_private_key(ec.SECP256R1())}
        self.asked = 0
        self.down = False
        self.now = 1_000.0

    def published(self) -> PublishedKeys:
        return PublishedKeys(URL, lambda: self.now, httpx.MockTransport(self._answer))

    def token(self, kid: str = "k1", **headers: Any) -> str:
        claims = {"sub": "plr_ann", "exp": int(time.time()) + 60}
        named = {"kid": kid, **headers}
        return jwt.encode(claims, self.keys[kid], algorithm="ES256", headers=named)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        if self.down:
            raise httpx.ConnectError("down", request=request)
        return httpx.Response(200, json={"keys": [self._jwk(kid) for kid in self.keys]})

    def _jwk(self, kid: str) -> dict[str, Any]:
        told = ECAlgorithm.to_jwk(self.keys[kid].public_key(), as_dict=True)
        return {**told, "kid": kid, "alg": "ES256", "use": "sig"}


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
def verifier(issuer: Issuer) -> Verifier:
    return Verifier(Access.REQUIRED, None, issuer.published())


async def test_a_published_key_verifies(issuer: Issuer, verifier: Verifier) -> None:
    """It is fetched once for many tokens."""
    found = [await verifier.authenticate(issuer.token()) for _ in range(3)]
    assert {caller.sub for caller in found if isinstance(caller, Caller)} == {"plr_ann"}
    assert issuer.asked == 1


async def test_a_new_key_is_fetched(issuer: Issuer, verifier: Verifier) -> None:
    """The issuer rotated: an unknown id makes us look again."""
    await verifier.authenticate(issuer.token())
    issuer.keys["k2"] = ec.generate_private_key(ec.SECP256R1())
    issuer.now += PAUSE_S + 1
    assert isinstance(await verifier.authenticate(issuer.token("k2")), Caller)


async def test_invented_keys_do_not_make_us_fetch_all_the_time(
    issuer: Issuer, verifier: Verifier
) -> None:
    """One look in ten seconds, however many ids are tried."""
    for number in range(20):
        issuer.keys[f"x{number}"] = ec.generate_private_key(ec.SECP256R1())
        token = issuer.token(f"x{number}")
        del issuer.keys[f"x{number}"]
        assert isinstance(await verifier.authenticate(token), Refused)
    assert issuer.asked == 1


async def test_a_withdrawn_key_does_not_count_for_ever(issuer: Issuer, verifier: Verifier) -> None:
    """Keys are fetched again after a while."""
    old = issuer.token()
    await verifier.authenticate(old)
    issuer.keys = {"k2": ec.generate_private_key(ec.SECP256R1())}
    issuer.now += FRESH_S + 1
    assert isinstance(await verifier.authenticate(old), Refused)


async def test_known_keys_outlive_their_issuer(issuer: Issuer, verifier: Verifier) -> None:
    """While it cannot be reached, the last ones count."""
    await verifier.authenticate(issuer.token())
    issuer.down = True
    issuer.now += FRESH_S + 1
    assert isinstance(await verifier.authenticate(issuer.token()), Caller)


async def test_without_any_key_nobody_can_tell(issuer: Issuer, verifier: Verifier) -> None:
    """That is not the token's fault: 503, not 401."""
    issuer.down = True
    with pytest.raises(KeysUnavailable):
        await verifier.authenticate(issuer.token())


async def test_a_public_key_is_no_shared_secret(issuer: Issuer) -> None:
    """A token signed with the published text as an HMAC secret proves nothing (RFC 8725 §2.1)."""
    claims = {"sub": "plr_ann", "exp": int(time.time()) + 60}
    forged = jwt.encode(claims, "x" * 40, algorithm="HS256", headers={"kid": "k1"})
    both = Verifier(Access.REQUIRED, SECRET, issuer.published())
    assert isinstance(await both.authenticate(forged), Refused)
    alone = Verifier(Access.REQUIRED, None, issuer.published())
    assert isinstance(await alone.authenticate(forged), Refused)
    assert issuer.asked == 0
