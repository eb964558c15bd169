"""Sandboxes, receivers and parts of both, for tests of the sandbox."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any, Literal

import httpx
import uvicorn

from ludo.rules.board import Game
from ludo.rules.events import Player
from ludo.rules.referee import Ruling, judge
from ludo.rules.ruleset import GameMode, RuleSet
from ludo.rules.track import COLORS
from ludo.upstream.keyring import KeyRing
from ludo.upstream.signing import Refused, Verified, verify
from sandbox.app import create_app
from sandbox.bots import choose
from sandbox.config import SandboxConfig
from sandbox.lobby import Lobby
from sandbox.room import News, Room
from sandbox.table import Happened, Table, Turn, piece_name
from tests.waiting import wait_until

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
KEY = "lk_test_sandbox"
NOW = 1_700_000_000
RING = KeyRing.parse(SECRET)


def a_config(**settings: Any) -> SandboxConfig:
    """Settings for a quick, deterministic sandbox without a limit."""
    return SandboxConfig(**{"seed": "7", "speed": 0, "limit": None, "waits": (0.01,), **settings})


def some_players(count: int = 2) -> tuple[Player, ...]:
    """Players in the first seats."""
    return tuple(Player(f"plr_{n}", f"P{n}", COLORS[n]) for n in range(count))


def a_table(
    seed: int = 1, players: int = 2, mode: GameMode = GameMode.QUICK, now: Callable[[], int] = int
) -> Table:
    """A game that is about to be played."""
    return Table(some_players(players), mode, RuleSet(), Random(seed), now)


def play_out(table: Table, seed: int = 1) -> Table:
    """The same table, its game played to the end by bots."""
    choices = Random(seed)
    while not table.over:
        step(table, choices)
    return table


def step(table: Table, choices: Random) -> Turn:
    """One roll or move by whoever is in turn."""
    player = table.current.id
    if table.must_roll:
        turn = table.roll(player)
    else:
        move = choose(table.game.board, table.moves(), choices)
        turn = table.move(player, piece_name(move), move.position)
    assert isinstance(turn, Turn)
    return turn


def judged(happened: list[Happened]) -> Game:
    """The game that these events lead to, each of which the referee finds legal."""
    game: Game | None = None
    for each in happened:
        ruling = judge(game, each.event, RuleSet())
        assert isinstance(ruling, Ruling), ruling
        game = ruling.game
    assert game is not None
    return game


@dataclass
class Noted:
    """A witness that writes down what it is told."""

    news: list[News] = field(default_factory=list)
    happened: list[Happened] = field(default_factory=list)
    started: list[Room] = field(default_factory=list)

    def room(self, room: Room, news: News) -> None:
        self.news.append(news)

    def game(self, room: Room, happened: Happened) -> None:
        self.happened.append(happened)


def a_lobby(noted: Noted, *, keep: int = 10) -> Lobby:
    """A lobby in which nobody plays by himself."""
    return Lobby(
        noted,
        noted.started.append,
        lambda: NOW * 1000,
        seed="7",
        speed=0,
        rules=RuleSet(),
        keep=keep,
    )


@dataclass
class Receiver:
    """A receiver of webhooks: everything that arrived, and what `answer` said to it."""

    url: str = ""
    arrived: list[tuple[dict[str, str], bytes, Verified | Refused]] = field(default_factory=list)
    answer: Callable[[Verified | Refused], int] = lambda verdict: (
        202 if isinstance(verdict, Verified) else 401
    )

    @property
    def bodies(self) -> list[bytes]:
        """The bodies of the genuine deliveries, as they arrived."""
        return [body for _, body, verdict in self.arrived if isinstance(verdict, Verified)]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message["body"], message["more_body"]
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        verdict = verify(RING, headers, body, int(headers["webhook-timestamp"]))
        self.arrived.append((headers, body, verdict))
        status = self.answer(verdict)
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b""})


@asynccontextmanager
async def served(app: Any, lifespan: Literal["on", "off"] = "on") -> AsyncIterator[str]:
    """The address of an app that a real server serves on a free port."""
    with _free_port() as listener:
        settings = uvicorn.Config(
            app,
            ws="websockets-sansio",
            lifespan=lifespan,
            log_config=None,
            log_level="critical",
        )
        settings.timeout_graceful_shutdown = 1
        server = uvicorn.Server(settings)
        server.capture_signals = _no_signals  # type: ignore[method-assign]
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        await wait_until(lambda: server.started or serving.done())
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await serving


@contextmanager
def _no_signals() -> Iterator[None]:
    yield


@contextmanager
def _free_port() -> Iterator[socket.socket]:
    # Made with its protocol: asyncio turns Nagle's delay off (40 ms an answer) only then.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener


@asynccontextmanager
async def a_receiver() -> AsyncIterator[Receiver]:
    """A receiver that listens."""
    receiver = Receiver()
    async with served(receiver, lifespan="off") as address:
        receiver.url = f"{address}/webhooks/ludo"
        yield receiver


@asynccontextmanager
async def a_sandbox(**settings: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A caller with the right key of a running sandbox."""
    async with (
        served(create_app(a_config(**settings))) as address,
        httpx.AsyncClient(
            base_url=address, headers={"authorization": f"Bearer {KEY}"}, trust_env=False
        ) as http,
    ):
        yield http


async def data(http: httpx.AsyncClient, method: str, path: str, **body: Any) -> Any:
    """The data of a success."""
    answer = await http.request(method, path, json=body or None)
    assert answer.is_success, answer.text
    return answer.json()["data"]
