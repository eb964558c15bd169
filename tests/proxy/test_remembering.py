"""Tokens that were verified before: for as long as they and their keys count, and no longer."""

from typing import Any

import pytest

from proxy import remembering
from proxy.auth import Verifier
from proxy.config import Access
from proxy.relay.callers import Caller, Refused
from proxy.remembering import RememberingVerifier
from tests.proxy.builders import SECRET, a_token


class Counting:
    """A verifier that counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0
        self._inner = Verifier(Access.REQUIRED, SECRET)

    async def authenticate(self, token: str | None) -> Caller | Refused:
        self.asked += 1
        return await self._inner.authenticate(token)


class World:
    """Time and keys that a test moves."""

    def __init__(self) -> None:
        self.keys: int | None = 1
        self.now = 1_000_000_000.0
        self.counting = Counting()
        verifier: Any = self.counting
        self.verifier = RememberingVerifier(verifier, lambda: self.keys, lambda: self.now)


@pytest.fixture
def world() -> World:
    return World()


async def test_a_token_is_verified_once(world: World) -> None:
    """And says the same each time."""
    found = [await world.verifier.authenticate(a_token("plr_ann")) for _ in range(3)]
    assert world.counting.asked <= 2  # its second may have turned between two of them
    assert {caller.sub for caller in found if isinstance(caller, Caller)} == {"plr_ann"}


async def test_a_token_that_expired_is_verified_again(world: World) -> None:
    """And refused by whoever knows the clock."""
    token = a_token()
    caller = await world.verifier.authenticate(token)
    assert isinstance(caller, Caller)
    assert world.verifier.at_once(token) == caller
    world.now = (caller.exp or 0) / 1000
    assert world.verifier.at_once(token) is None


@pytest.mark.parametrize("keys", [2, None])
async def test_other_keys_make_every_token_unknown(world: World, keys: int | None) -> None:
    """A key that was taken back must not live on in what is remembered."""
    token = a_token()
    await world.verifier.authenticate(token)
    world.keys = keys
    assert world.verifier.at_once(token) is None


async def test_a_bad_token_is_never_remembered(world: World) -> None:
    """Each time it is refused by the verifier itself."""
    bad = a_token(secret="x" * 40)
    for _ in range(3):
        assert isinstance(await world.verifier.authenticate(bad), Refused)
    assert world.counting.asked == 3
    assert world.verifier.at_once(bad) is None


async def test_what_is_remembered_is_bounded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """And is no token."""
    monkeypatch.setattr(remembering, "MOST_TOKENS", 5)
    tokens = [a_token(f"plr_{number}") for number in range(9)]
    for token in tokens:
        await world.verifier.authenticate(token)
    assert [world.verifier.at_once(token) is None for token in tokens] == [True] * 4 + [False] * 5
    assert not any(token.encode() in known for token in tokens for known in world.verifier._known)
