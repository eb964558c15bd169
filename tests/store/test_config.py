"""The store's settings."""

import pytest

from ludo.config import ConfigError
from ludo.store.config import StoreConfig


def test_nothing_set_is_a_bundled_durable_redis() -> None:
    """The defaults need no server and lose nothing."""
    config = StoreConfig.from_env({})
    assert (config.redis_url, str(config.data_dir)) == (None, ".ludo")
    assert not config.allow_volatile_redis


@pytest.mark.parametrize("url", ["redis://h:1/0", "rediss://:pw@h", "unix:///run/redis.sock?db=1"])
def test_redis_address_is_taken(url: str) -> None:
    """All three schemes are addresses."""
    config = StoreConfig.from_env({"REDIS_URL": url})
    assert config.redis_url
    assert config.redis_url.get_secret_value() == url


@pytest.mark.parametrize("url", ["http://h", "localhost:6379", "redis://h:port"])
def test_wrong_address_is_refused_without_showing_it(url: str) -> None:
    """The line names the variable and the forms it may have; a password in it stays hidden."""
    with pytest.raises(ConfigError, match="REDIS_URL: expected redis://") as refused:
        StoreConfig.from_env({"REDIS_URL": url})
    assert url not in str(refused.value)
