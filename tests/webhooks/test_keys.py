"""Keys from a mounted file: followed when it changes, kept when the change is bad."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from ludo.tasks import beside
from ludo.upstream.config import WebhookConfig
from ludo.upstream.keyring import KeyRing
from proxy.health import Level
from proxy.looks import look_at_secrets
from proxy.webhooks import keys as module
from proxy.webhooks.keys import Keys
from proxy.webhooks.measures import Measures
from tests.waiting import wait_until
from tests.webhooks.builders import OTHER, SECRET


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "secrets"
    file.write_text(SECRET)
    return file


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_EVERY_S", 0.01)


def put(file: Path, content: bytes | str | None) -> None:
    """What the file has from now on; None takes it away."""
    if content is None:
        file.unlink()
    else:
        file.write_bytes(content if isinstance(content, bytes) else content.encode())


def put_in_place(file: Path, content: str) -> None:
    """The same by way of another file, as Kubernetes does it."""
    new = file.with_name("new")
    new.write_text(content)
    new.rename(file)


@asynccontextmanager
async def followed(file: Path) -> AsyncIterator[Keys]:
    keys = Keys(WebhookConfig.from_env({"LUDO_WEBHOOK_SECRETS_FILE": str(file)}))
    async with beside("keys", keys.run()):
        yield keys


async def test_a_new_file_is_taken(file: Path) -> None:
    """Also one that was put in its place, as Kubernetes does."""
    async with followed(file) as keys:
        assert keys.ring == KeyRing.parse(SECRET)
        put_in_place(file, f"{SECRET},{OTHER}\n")
        await wait_until(lambda: keys.ring == KeyRing.parse(f"{SECRET},{OTHER}"))
        put(file, OTHER)
        await wait_until(lambda: keys.ring == KeyRing.parse(OTHER))
        assert keys.trouble is None


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"whsec_AAAA", "24 to 64 bytes"),
        (b"", "expected a key; found none"),
        (b"\xff\xfe", "UTF-8"),
        (b"x" * 70_000, "65536 bytes"),
        (None, "expected a readable file"),
    ],
)
async def test_a_broken_file_changes_nothing_and_is_told(
    file: Path, content: bytes | None, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the log, in the metric and in readiness; the keys from before go on, and so does it."""
    registry = CollectorRegistry()
    async with followed(file) as keys:
        Measures(registry).watch(keys, lambda: 0)
        put(file, content)
        await wait_until(lambda: keys.trouble)

        assert told in str(keys.trouble)
        assert keys.ring == KeyRing.parse(SECRET)
        assert "ludo_webhook_keys_current 0.0" in generate_latest(registry).decode()
        seen = await look_at_secrets(keys)()
        assert (seen.level, told in seen.detail) == (Level.DEGRADED, True)

        put(file, OTHER)
        await wait_until(lambda: keys.ring == KeyRing.parse(OTHER))
        assert keys.trouble is None
        assert "ludo_webhook_keys_current 1.0" in generate_latest(registry).decode()


async def test_what_was_there_before_is_no_trouble_any_more(file: Path) -> None:
    """A broken file that is put back as it was is mended."""
    async with followed(file) as keys:
        put(file, "whsec_short")
        await wait_until(lambda: keys.trouble)
        put(file, SECRET)
        await wait_until(lambda: keys.trouble is None)
        assert keys.ring == KeyRing.parse(SECRET)


def test_half_a_file_is_not_taken(file: Path) -> None:
    """One that is being written is read again: it counts when it was the same twice."""
    keys = Keys(WebhookConfig.from_env({"LUDO_WEBHOOK_SECRETS_FILE": str(file)}))
    for text in (f"{OTHER},", f"{OTHER},{SECRET}"):
        keys._look_at(text)
        assert keys.ring == KeyRing.parse(SECRET)
    keys._look_at(f"{OTHER},{SECRET}")
    assert keys.ring == KeyRing.parse(f"{OTHER},{SECRET}")


async def test_secrets_of_the_environment_are_not_followed() -> None:
    """There is nothing that could change."""
    async with asyncio.timeout(5):
        await Keys(WebhookConfig.from_env({"LUDO_WEBHOOK_SECRETS": SECRET})).run()


async def test_readiness_counts_the_keys_in_force() -> None:
    """None in force refuses every delivery, and is said."""
    dated = json.dumps([{"key": SECRET, "not_after": "2026-01-01T00:00:00Z"}])
    keys = Keys(WebhookConfig.from_env({"LUDO_WEBHOOK_SECRETS": dated}))
    before = await look_at_secrets(keys, lambda: 1_700_000_000.0)()
    after = await look_at_secrets(keys, lambda: 1_900_000_000.0)()

    assert (before.level, before.detail) == (Level.OK, "1 of 1 webhook keys in force")
    assert (after.level, after.detail[:25]) == (Level.DEGRADED, "0 of 1 webhook keys in fo")
