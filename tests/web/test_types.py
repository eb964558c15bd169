"""The browser's client is typed by its comments, and small; the tools come by npm."""

import gzip
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.web.fake_relay import WEB
from tests.web.test_files import CLIENT_BYTES

pytestmark = pytest.mark.prove

CLIENT = WEB / "ludo-relay.js"
CHECKED = (
    "--noEmit --allowJs --checkJs --strict --noUnusedLocals --noImplicitReturns --skipLibCheck"
)
TARGET = "--target es2022 --module esnext --moduleResolution bundler --lib es2022,dom"

Npx = Callable[..., "subprocess.CompletedProcess[bytes]"]


@pytest.fixture
def npx(tmp_path: Path) -> Npx:
    """Runs a tool of npm's, outside of the repository."""
    if shutil.which("npx") is None:
        pytest.skip("npx is not installed: apt-get install nodejs npm")

    def run(package: str, *command: str) -> "subprocess.CompletedProcess[bytes]":
        line = ["npx", "--yes", f"--package={package}", "--", *command]
        found = subprocess.run(line, cwd=tmp_path, capture_output=True, check=False, timeout=300)
        if b"npm error" in found.stderr.lower() and b"network" in found.stderr.lower():
            pytest.skip(f"{package} could not be had from npm")
        return found

    return run


def test_types_hold(npx: Npx) -> None:
    """`tsc --checkJs --strict` finds nothing to object to."""
    options = [*CHECKED.split(), *TARGET.split()]
    found = npx("typescript@5", "tsc", *options, str(CLIENT))
    assert found.returncode == 0, found.stdout.decode()


def test_types_are_really_checked(npx: Npx, tmp_path: Path) -> None:
    """A wrong use of the client is objected to, so its types say something."""
    user = tmp_path / "user.js"
    user.write_text(
        f'import {{ LudoRelay }} from "{CLIENT}";\nnew LudoRelay("ws://x").watch(5);\n',
        encoding="utf-8",
    )
    found = npx("typescript@5", "tsc", *CHECKED.split(), *TARGET.split(), str(user))
    assert b"TS2345" in found.stdout


def test_minified_client_is_small(npx: Npx) -> None:
    """In one file, minified and compressed, it stays within 5 KB."""
    found = npx("esbuild", "esbuild", str(CLIENT), "--bundle", "--minify", "--format=esm")
    assert found.returncode == 0, found.stderr.decode()
    assert 1_000 < len(gzip.compress(found.stdout, 9)) <= CLIENT_BYTES
