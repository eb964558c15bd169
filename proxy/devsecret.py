"""With LUDO_DEV=1 and nothing to verify tokens with: a secret of its own, kept in the data folder.

Every process of the folder, and `ludo-proxy token`, sign and verify with the same one.
"""

import os
import secrets
from dataclasses import replace
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from ludo.config import ConfigError
from proxy.config import ProxySettings

FILE: Final = "dev-jwt-secret"
_BYTES: Final = 32


def with_secret(settings: ProxySettings) -> ProxySettings:
    """The settings with a secret to sign with, where LUDO_DEV=1 wants one and none is set.

    Raises ConfigError if it can be neither read nor kept.
    """
    config = settings.proxy
    if not config.dev or config.jwt_secret is not None:
        return settings
    secret = SecretStr(dev_secret(settings.store.data_dir))
    return replace(settings, proxy=config.model_copy(update={"jwt_secret": secret}))


def dev_secret(folder: Path) -> str:
    """The secret of a data folder, made if there is none; raises ConfigError."""
    path = folder / FILE
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _make(path)
        found = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"LUDO_DEV: expected to keep a secret in {path}; found {error}; "
            "choose another folder with LUDO_DATA_DIR, or set LUDO_JWT_SECRET"
        ) from None
    if not found:
        raise ConfigError(f"LUDO_DEV: expected a secret in {path}; found an empty file; remove it")
    return found


def _make(path: Path) -> None:
    # Written whole beside it and linked: several processes begin at the same time.
    fresh = path.with_name(f"{FILE}.{secrets.token_hex(4)}")
    fresh.touch(mode=0o600, exist_ok=False)
    try:
        fresh.write_text(secrets.token_urlsafe(_BYTES) + "\n", encoding="ascii")
        os.link(fresh, path)
    except FileExistsError:
        pass
    finally:
        fresh.unlink()
