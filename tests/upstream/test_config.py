"""What the environment says about upstream and its webhooks."""

from pathlib import Path

import pytest

from ludo.config import ConfigError, Rate
from ludo.upstream.config import UpstreamConfig, WebhookConfig
from ludo.upstream.keyring import KeyRing
from ludo.upstream.timeouts import Timeouts
from tests.upstream.test_keyring import PUBLIC, SECRET


def test_the_defaults_are_those_of_the_free_plan() -> None:
    """An empty environment calls the public upstream, 100 times a minute."""
    config = UpstreamConfig.from_env({})
    assert (config.base_url, config.ws_url) == ("https://api.ludokingapi.site/v1", None)
    assert (config.limit, config.api_key, config.timeouts) == (Rate(100, 60), None, Timeouts())


def test_everything_can_be_set() -> None:
    """By the names that the design gives."""
    config = UpstreamConfig.from_env(
        {
            "LUDO_API_KEY": "lk_live_1",
            "LUDO_API_BASE_URL": "http://sandbox:8100/v1/",
            "LUDO_WS_URL": "ws://sandbox:8100/ws",
            "LUDO_UPSTREAM_LIMIT": "off",
            "LUDO_UPSTREAM_TIMEOUT": "500ms",
            "LUDO_UPSTREAM_DEADLINE": "2s",
        }
    )
    assert (config.base_url, config.limit) == ("http://sandbox:8100/v1", None)
    assert (config.timeouts.attempt, config.timeouts.deadline) == (0.5, 2.0)
    assert "lk_live_1" not in repr(config)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LUDO_API_BASE_URL", "api.ludokingapi.site"),
        ("LUDO_API_BASE_URL", "ftp://host/v1"),
        ("LUDO_API_BASE_URL", "https://host/v1?key=1"),
        ("LUDO_WS_URL", "https://host/ws"),
        ("LUDO_UPSTREAM_TIMEOUT", "0s"),
        ("LUDO_UPSTREAM_ATTEMPTS", "0"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(name: str, value: str) -> None:
    """At start-up, not with the first call."""
    with pytest.raises(ConfigError, match=f"^{name}: "):
        UpstreamConfig.from_env({name: value})


def test_the_ring_is_made_of_the_secrets() -> None:
    """None at all is a ring that refuses everything."""
    assert not WebhookConfig.from_env({}).ring
    assert (
        len(WebhookConfig.from_env({"LUDO_WEBHOOK_SECRETS": f"{SECRET},{PUBLIC}"}).ring.keys) == 2
    )


def test_the_file_is_followed_only_if_its_secrets_are_used(tmp_path: Path) -> None:
    """The variable comes first, as everywhere."""
    file = tmp_path / "secrets"
    file.write_text(f"{SECRET}\n")
    named = {"LUDO_WEBHOOK_SECRETS_FILE": str(file)}
    mounted = WebhookConfig.from_env(named)
    both = WebhookConfig.from_env(named | {"LUDO_WEBHOOK_SECRETS": PUBLIC})

    assert (mounted.ring, mounted.secrets_file) == (KeyRing.parse(SECRET), file)
    assert (both.ring, both.secrets_file) == (KeyRing.parse(PUBLIC), None)


def test_a_bad_secret_is_refused_without_being_shown() -> None:
    """The line says which one, and what was expected."""
    with pytest.raises(ConfigError) as refused:
        WebhookConfig.from_env({"LUDO_WEBHOOK_SECRETS": f"{SECRET},whsec_dG9vIHNob3J0"})
    assert str(refused.value) == (
        "LUDO_WEBHOOK_SECRETS: key 2: expected a secret of 24 to 64 bytes; "
        "found a value that is not shown"
    )
