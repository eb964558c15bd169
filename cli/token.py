"""`ludo-proxy token`: a token for trying things out, signed with this deployment's secret."""

import time
from collections.abc import Mapping
from typing import Final

from cli.failing import CannotGoOn
from ludo.config import ConfigError, parse_duration
from ludo.store.config import StoreConfig
from proxy.config import ProxyConfig
from proxy.devsecret import dev_secret
from proxy.tokens import LONGEST_S, Signed, sign

_NOTHING_TO_SIGN_WITH: Final = (
    "LUDO_JWT_SECRET: expected the secret that the proxy verifies tokens with; found none "
    "(with LUDO_DEV=1 the one in LUDO_DATA_DIR is taken)"
)


def make_token(player: str, games: str | None, lifetime: str, environ: Mapping[str, str]) -> Signed:
    """The token; raises ConfigError or CannotGoOn with what to do."""
    if not player or len(player) > 128:
        raise CannotGoOn("PLAYER: expected a player id of 1 to 128 characters")
    chosen = None if games is None else [each.strip() for each in games.split(",") if each.strip()]
    return sign(_secret(environ), player, chosen, _seconds(lifetime), time.time())


def _secret(environ: Mapping[str, str]) -> str:
    # Open to everybody or not is no matter here, only the secret.
    config = ProxyConfig.from_env({**environ, "LUDO_AUTH": "open"})
    if config.jwt_secret is not None:
        return config.jwt_secret.get_secret_value()
    if not config.dev:
        raise ConfigError(_NOTHING_TO_SIGN_WITH)
    return dev_secret(StoreConfig.from_env(environ).data_dir)


def _seconds(lifetime: str) -> int:
    try:
        seconds = int(parse_duration(lifetime))
    except ValueError as error:
        raise CannotGoOn(f"--lifetime: {error}; found {lifetime!r}") from None
    if not 1 <= seconds <= LONGEST_S:
        raise CannotGoOn(f"--lifetime: expected 1s to 24h; found {lifetime!r}")
    return seconds
