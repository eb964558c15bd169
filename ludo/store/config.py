"""Where the store is."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr
from redis.asyncio.connection import parse_url

from ludo.config import EnvConfig


def _is_redis_address(value: SecretStr) -> SecretStr:
    try:
        parse_url(value.get_secret_value())
    except ValueError:
        raise ValueError("expected redis://host:port/0, rediss://… or unix:///path") from None
    return value


class StoreConfig(EnvConfig):
    """Which Redis holds the games, and what it has to promise."""

    redis_url: Annotated[SecretStr, AfterValidator(_is_redis_address)] | None = Field(
        default=None,
        validation_alias="REDIS_URL",
        description="redis://, rediss:// or unix:// address; unset: a bundled server",
    )
    data_dir: Path = Field(
        default=Path(".ludo"),
        validation_alias="LUDO_DATA_DIR",
        description="folder of the bundled server's data and of the archive",
    )
    allow_volatile_redis: bool = Field(
        default=False,
        validation_alias="LUDO_ALLOW_VOLATILE_REDIS",
        description="1 accepts a Redis that can lose acknowledged events",
    )
