"""`ludo-proxy deadletters`: exit codes, filters, and what scripts read."""

import json
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis
from typer.testing import CliRunner, Result

from cli.main import app
from ludo.store import keys
from tests.workers.builders import GAME, a_bench, a_history, delivery

HISTORY = a_history()


@pytest.fixture
def run(redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs the command against the session's Redis."""
    monkeypatch.setenv("REDIS_URL", redis_url)
    monkeypatch.setenv("LUDO_DATA_DIR", str(tmp_path))

    def ran(*arguments: str) -> Result:
        return CliRunner().invoke(app, ["deadletters", *arguments])

    return ran


@pytest.fixture
def letter_id(redis_url: str) -> str:
    """A letter: the next event of a game, whose id had come with another body."""
    import asyncio

    async def given_up() -> str:
        async with Redis.from_url(redis_url) as redis:
            bench = a_bench(redis)
            await bench.inbox.accept(delivery(HISTORY[0], "msg_1"))
            await bench.applier.apply(GAME)
            await bench.inbox.accept(delivery(HISTORY[1], "msg_1"))
            ((found, _),) = await redis.xrange(keys.DEAD_LETTERS)
            return str(found.decode())

    return asyncio.run(given_up())


def lines(result: Result) -> list[dict[str, Any]]:
    """What was printed for scripts."""
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_list_and_show(run: Any, letter_id: str) -> None:
    """A line a letter for people, an object a line for scripts."""
    listed = run("list")
    assert listed.exit_code == 0
    assert f"{GAME} 2  id-conflict" in listed.stdout
    assert listed.stdout.endswith("1 of 1 dead letters\n")
    assert [each["id"] for each in lines(run("list", "--json"))] == [letter_id]
    assert lines(run("list", "--json", "--cause", "illegal")) == []
    (shown,) = lines(run("show", letter_id, "--json"))
    assert shown["event"]["data"]["sequence"] == 2


def test_redrive_says_what_became_of_each(run: Any, letter_id: str) -> None:
    """A dry run only names them; without a worker the event waits, which is no failure."""
    dry = run("redrive", "--game", GAME, "--dry-run")
    assert (dry.exit_code, "1 would be redriven" in dry.stdout) == (0, True)

    ran = run("redrive", letter_id, "--wait", "0", "--json")

    assert ran.exit_code == 0
    assert [(each["id"], each["outcome"]) for each in lines(ran)] == [(letter_id, "pending")]


def test_discard_is_for_good(run: Any, letter_id: str) -> None:
    """Afterwards it is not there, and naming it is a mistake."""
    assert "1 discarded" in run("discard", "--all").stdout
    assert run("list").stdout == "0 of 0 dead letters\n"
    again = run("discard", letter_id)
    assert again.exit_code == 1
    assert "expected the id of a dead letter" in again.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["discard"],
        ["redrive"],
        ["discard", "1-1", "--cause", "illegal"],
        ["list", "--older-than", "soon"],
    ],
)
def test_what_is_not_said_is_not_done(run: Any, arguments: list[str]) -> None:
    """Nothing is meant by saying nothing; the usage error says what was expected."""
    ran = run(*arguments)
    assert ran.exit_code == 2
    assert "expected" in ran.stderr
