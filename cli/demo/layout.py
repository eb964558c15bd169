"""Which processes the demo consists of, and what each is told."""

import base64
import os
import secrets
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cli.demo.processes import Part
from cli.failing import CannotGoOn

LIMIT: Final = "6000/60s"
"""Upstream's budget in the demo (design section 3)."""
HOST: Final = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the person at the terminal asked for. `total` None plays until Ctrl-C.

    `settle` is how many seconds the mirrors may need to be equal after the last event.
    """

    games: int
    total: int | None
    seed: str
    speed: float
    faults: str
    port: int
    settle: float
    limit: str = LIMIT


@dataclass(frozen=True, slots=True)
class Layout:
    """The demo's processes in the order of their start, and where to find them."""

    proxy: Part
    worker: Part
    sandbox: Part
    board: str
    sandbox_address: str
    api_key: str

    @property
    def relay(self) -> str:
        """The relay's address."""
        return self.board.replace("http://", "ws://") + "ws"


def lay_out(wishes: Wishes, folder: Path, environ: Mapping[str, str]) -> Layout:
    """The parts of a demo that keeps its data in `folder`.

    Raises CannotGoOn when the board's port is taken.
    """
    port = _free_port(wishes.port)
    sandbox_port = _free_port(0)
    api_key = f"lk_test_{secrets.token_hex(8)}"
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    board = f"http://{HOST}:{port}/"
    sandbox = f"http://{HOST}:{sandbox_port}"
    ours = {
        **_kept(environ),
        "LUDO_DATA_DIR": str(folder),
        "LUDO_LOG_FORMAT": "json",
        "LUDO_AUTH": "open",
        "LUDO_API_KEY": api_key,
        "LUDO_API_BASE_URL": f"{sandbox}/v1",
        "LUDO_WEBHOOK_SECRETS": secret,
        "LUDO_UPSTREAM_LIMIT": wishes.limit,
        "LUDO_WORKERS_SILENCE": "4s",
        "LUDO_ARCHIVE_AFTER": "10s",
        "LUDO_DRAIN": "0s",
    }
    theirs = {
        **_kept(environ),
        "LUDO_LOG_FORMAT": "json",
        "LUDO_SANDBOX_HOST": HOST,
        "LUDO_SANDBOX_PORT": str(sandbox_port),
        "LUDO_SANDBOX_API_KEY": api_key,
        "LUDO_SANDBOX_WEBHOOK_URL": f"{board}webhooks/ludo",
        "LUDO_SANDBOX_WEBHOOK_SECRET": secret,
        "LUDO_SANDBOX_SEED": wishes.seed,
        "LUDO_SANDBOX_GAMES": str(wishes.games),
        "LUDO_SANDBOX_SPEED": str(wishes.speed),
        "LUDO_SANDBOX_FAULTS": wishes.faults,
        "LUDO_SANDBOX_LIMIT": wishes.limit,
    }
    if wishes.total is not None:
        theirs["LUDO_SANDBOX_TOTAL"] = str(wishes.total)
    return Layout(
        proxy=Part("proxy", ["serve", "--host", HOST, "--port", str(port)], ours),
        worker=Part("worker", ["worker"], ours),
        sandbox=Part("sandbox", ["sandbox"], theirs),
        board=board,
        sandbox_address=sandbox,
        api_key=api_key,
    )


def _kept(environ: Mapping[str, str]) -> dict[str, str]:
    """The caller's environment without settings of ours, except which Redis to use."""
    return {
        name: value
        for name, value in environ.items()
        if not name.startswith("LUDO_") and name not in ("CORS_ORIGINS", "DATABASE_URL")
    }


def _free_port(wanted: int) -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, wanted))
        except OSError as error:
            raise CannotGoOn(
                f"port {wanted} cannot be used ({os.strerror(error.errno or 0)}); "
                "choose another one with --port, 0 takes a free one"
            ) from None
        port: int = probe.getsockname()[1]
        return port
