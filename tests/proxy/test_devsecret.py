"""A secret for development, made once a data folder."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ludo.config import ConfigError
from proxy.config import ProxySettings
from proxy.devsecret import dev_secret, with_secret


def from_env(folder: Path, **environ: str) -> ProxySettings:
    """The settings of a process in a data folder."""
    return with_secret(ProxySettings.from_env({"LUDO_DATA_DIR": str(folder), **environ}))


@pytest.mark.parametrize("auth", ["open", "required"])
def test_development_needs_no_secret(tmp_path: Path, auth: str) -> None:
    """One is made, is long enough, and is nobody else's to read."""
    made = from_env(tmp_path / "new", LUDO_DEV="1", LUDO_AUTH=auth).proxy.jwt_secret
    assert made is not None
    assert len(made.get_secret_value()) >= 32
    (file,) = (tmp_path / "new").iterdir()
    assert file.stat().st_mode & 0o077 == 0
    again = from_env(tmp_path / "new", LUDO_DEV="1", LUDO_AUTH=auth).proxy.jwt_secret
    assert again == made


def test_a_secret_that_is_set_is_taken(tmp_path: Path) -> None:
    """And none is made beside it; without LUDO_DEV none is made at all."""
    given = from_env(tmp_path, LUDO_DEV="1", LUDO_JWT_SECRET="x" * 32).proxy.jwt_secret
    assert given is not None
    assert given.get_secret_value() == "x" * 32
    assert from_env(tmp_path, LUDO_AUTH="open").proxy.jwt_secret is None
    assert list(tmp_path.iterdir()) == []


def test_processes_that_begin_together_agree(tmp_path: Path) -> None:
    """Whoever is first makes it for all."""
    with ThreadPoolExecutor(8) as pool:
        made = set(pool.map(lambda _: dev_secret(tmp_path), range(16)))
    assert len(made) == 1
    assert len(list(tmp_path.iterdir())) == 1


def test_a_folder_that_cannot_keep_it_is_named(tmp_path: Path) -> None:
    """In one line that says what to do."""
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="LUDO_DATA_DIR"):
        dev_secret(tmp_path / "file")
    (tmp_path / "dev-jwt-secret").touch()
    with pytest.raises(ConfigError, match="empty"):
        dev_secret(tmp_path)
