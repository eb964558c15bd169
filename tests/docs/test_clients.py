"""What docs/clients.md tells a reader to write, runs."""

import asyncio
import re
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page

from ludo.tasks import beside
from tests.conformance.conftest import _play
from tests.relay.conftest import Start, scribe, start
from tests.relay.scribe import Scribe
from tests.structure.sources import text
from tests.web.conftest import chromium, modules
from tests.web.fake_relay import FakeRelay
from tests.web.recorded import recorded

__all__ = ["chromium", "modules", "scribe", "start"]

PAGE = text(Path("docs/clients.md"))
ADDRESS = "wss://proxy.example/ws"


def examples(language: str) -> list[str]:
    """The page's examples in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


async def run(example: str, url: str) -> None:
    """An example as the body of an async function; its address is replaced."""
    body = textwrap.indent(example.replace(ADDRESS, url), "    ")
    names: dict[str, Any] = {}
    exec(compile(f"async def example():\n{body}", "docs/clients.md", "exec"), names)
    await asyncio.wait_for(names["example"](), 30)


async def test_the_first_example_follows_a_game_to_its_end(
    start: Start, scribe: Callable[..., Scribe], capsys: pytest.CaptureFixture[str]
) -> None:
    """It prints the snapshot, each event, and who has won."""
    game = scribe("gm_1")
    await game.advance(3)
    running = await start()

    async def go_on() -> None:
        await asyncio.sleep(0.3)
        await game.advance(2)
        await game.end()

    async with beside("playing", go_on()):
        await run(examples("python")[0], running.address + "/ws")
    printed = [each for each in capsys.readouterr().out.splitlines() if " [" not in each]
    assert printed[0] == "at 3 (initial)"
    assert printed[-2:] == ["game:ended leads to 6", "ann has won"]


async def test_every_other_example_runs(
    start: Start, scribe: Callable[..., Scribe], capsys: pytest.CaptureFixture[str]
) -> None:
    """Tokens, connection states, and what is raised."""
    game = scribe("gm_1")
    await game.advance()
    running = await start()
    async with beside("playing", _play(game)):
        for example in examples("python")[1:]:
            await run(example, running.address + "/ws")
    printed = capsys.readouterr().out
    assert "connecting" in printed
    assert "not wanted here" in printed, "this relay has no key to verify a token with"


@pytest.mark.browser
@pytest.mark.asyncio(loop_scope="session")
async def test_the_example_for_browsers_runs(modules: Page) -> None:
    """Each of its handlers is called while a game is played to its end."""
    (example,) = examples("js")
    calls = "({draw: [], animate: [], show: [], celebrate: []})"
    async with FakeRelay() as fake:
        game = recorded(1, game_id="gm_1")
        showing = fake.show(game, game.last - 2)
        code = example.replace(ADDRESS, fake.url.replace("http", "ws") + "ws").replace(
            'import { LudoRelay } from "./ludo-relay.js";',
            f"""const {{ LudoRelay }} = await import("/ludo-relay.js");
            const calls = globalThis.calls = {calls};
            const note = (name) => (...given) => calls[name].push(given[0]);
            const [draw, animate] = [note("draw"), note("animate")];
            const [show, celebrate] = [note("show"), note("celebrate")];
            const fetchToken = () => "token";""",
        )
        await modules.evaluate(f"async () => {{ {code} }}")
        await modules.wait_for_function("() => calls.draw.length === 1")
        await fake.play(showing, game.last)
        await modules.wait_for_function("() => calls.celebrate.length === 1")
        called = await modules.evaluate("() => calls")
        assert len(called["animate"]) == 2
        assert called["show"][-1] == "live"
        assert fake.sent_by_clients("hello")[0]["token"] == "token"
