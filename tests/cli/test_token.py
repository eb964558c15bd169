"""`ludo-proxy token`."""

import json
import time
from pathlib import Path

import jwt
import pytest
from typer.testing import CliRunner, Result

from cli.main import app

SECRET = "a secret that is long enough for HS256"


def run(*arguments: str, **environ: str | None) -> Result:
    """The command in an environment of its own."""
    clean = {"LUDO_JWT_SECRET": None, "LUDO_DEV": None, "LUDO_AUTH": None}
    return CliRunner().invoke(app, ["token", *arguments], env={**clean, **environ})


def test_a_token_is_all_that_is_printed() -> None:
    """So that a shell can put it into a header; it has what a revocation needs."""
    done = run("plr_ann", "--games", "g1, g2", "--lifetime", "10m", LUDO_JWT_SECRET=SECRET)
    claims = jwt.decode(done.stdout.strip(), SECRET, algorithms=["HS256"])

    assert done.exit_code == 0
    assert (claims["sub"], claims["games"]) == ("plr_ann", ["g1", "g2"])
    assert abs(claims["exp"] - time.time() - 600) < 30
    assert claims["jti"]
    assert claims["iat"] <= time.time()


def test_a_script_is_told_more() -> None:
    """One JSON object."""
    told = json.loads(run("plr_ann", "--json", LUDO_JWT_SECRET=SECRET).stdout)
    claims = jwt.decode(told["token"], SECRET, algorithms=["HS256"])

    assert told["playerId"] == "plr_ann"
    assert (told["expiresAt"], told["tokenId"]) == (claims["exp"] * 1000, claims["jti"])
    assert "games" not in claims


def test_in_development_the_kept_secret_signs(tmp_path: Path) -> None:
    """The one that the proxy of this data folder verifies with."""
    done = run("plr_ann", LUDO_DEV="1", LUDO_DATA_DIR=str(tmp_path))
    kept = (tmp_path / "dev-jwt-secret").read_text().strip()

    assert jwt.decode(done.stdout.strip(), kept, algorithms=["HS256"])["sub"] == "plr_ann"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["plr_ann"], "LUDO_JWT_SECRET"), (["", "--json"], "PLAYER")],
)
def test_what_is_missing_is_named(arguments: list[str], said: str) -> None:
    """In one line on standard error."""
    done = run(*arguments)
    assert done.exit_code == 1
    assert said in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize("lifetime", ["soon", "0s", "25h"])
def test_a_lifetime_has_bounds(lifetime: str) -> None:
    """A token for trying things out does not live for ever."""
    done = run("plr_ann", "--lifetime", lifetime, LUDO_JWT_SECRET=SECRET)
    assert done.exit_code == 1
    assert "--lifetime" in done.stderr
