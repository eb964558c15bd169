"""The proxy's settings: what is unsafe or meaningless does not start."""

import pytest

from ludo.config import ConfigError, Rate
from proxy.config import Access, ProxyConfig, ProxySettings

OPEN = {"LUDO_AUTH": "open"}


def test_required_needs_something_to_verify_with() -> None:
    """One clear line says what to set."""
    with pytest.raises(ConfigError, match="LUDO_JWT_SECRET or LUDO_JWKS_URL") as error:
        ProxyConfig.from_env({})
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "given",
    [{"LUDO_JWT_SECRET": "s" * 32}, {"LUDO_JWKS_URL": "https://issuer.example/keys"}, OPEN],
)
def test_one_way_to_know_callers_is_enough(given: dict[str, str]) -> None:
    """A secret, published keys, or letting everybody in."""
    ProxyConfig.from_env(given)


def test_defaults_are_those_of_the_design() -> None:
    """See design section 4."""
    config = ProxyConfig.from_env(OPEN)
    assert config.access is Access.OPEN
    assert config.quota == (Rate(600, 60),)
    assert (config.drain, config.dev, config.cors_origins) == (20.0, False, ())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LUDO_AUTH", "closed"),
        ("LUDO_JWKS_URL", "file:///etc/passwd"),
        ("LUDO_QUOTA", "many"),
        ("LUDO_QUOTA_COSTS", "Move"),
        ("LUDO_QUOTA_COSTS", "Move=0"),
        ("LUDO_QUOTA_COSTS", "Move=601"),
        ("CORS_ORIGINS", "https://play.example/path"),
        ("CORS_ORIGINS", "play.example"),
        ("LUDO_PROXY_TRUSTED_HOPS", "-1"),
        ("LUDO_DRAIN", "soon"),
        ("LUDO_RULES", "blocks=maybe"),
        ("LUDO_REFEREE", "sleep"),
        ("LUDO_WEBHOOK_SECRETS", "whsec_short"),
        ("LUDO_ADMIN_TOKEN", "of two words"),
    ],
)
def test_a_wrong_setting_is_named(name: str, value: str) -> None:
    """With what was expected, in one line."""
    with pytest.raises(ConfigError, match=name) as error:
        ProxySettings.from_env({**OPEN, name: value})
    assert "found" in str(error.value)
    assert "\n" not in str(error.value)


def test_secrets_do_not_show() -> None:
    """Neither in a representation nor in an error."""
    config = ProxyConfig.from_env({"LUDO_JWT_SECRET": "do-not-tell", "LUDO_ADMIN_TOKEN": "nor-me"})
    assert "do-not-tell" not in repr(config)
    assert "nor-me" not in repr(config)
