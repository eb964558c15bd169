"""How operators' commands reach the store, and what they say when they cannot."""

from pathlib import Path

import pytest
from redis.asyncio import Redis
from typer import Exit

from cli.opening import Opened, on_store


async def pong(store: Opened) -> bool:
    return bool(await store.redis.ping())


def test_work_is_given_the_store_that_the_environment_names(redis_url: str) -> None:
    """And its result is handed back."""
    assert on_store({"REDIS_URL": redis_url}, pong) is True


@pytest.mark.parametrize(
    ("environ", "told"),
    [
        ({"LUDO_DATA_DIR": "not/there"}, "LUDO_DATA_DIR"),
        ({"REDIS_URL": "redis://:hunter2@127.0.0.1:1/0"}, "expected a Redis that answers"),
        ({"REDIS_URL": "http://:hunter2@nowhere"}, "REDIS_URL: expected redis://"),
    ],
)
def test_a_store_that_cannot_be_opened_is_one_line(
    environ: dict[str, str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """With what to change, exit code 1, and never a password."""
    with pytest.raises(Exit) as ended:
        on_store(environ, pong)
    (line,) = capsys.readouterr().err.strip().splitlines()

    assert ended.value.exit_code == 1
    assert told in line
    assert "hunter2" not in line


def test_no_store_is_made_where_there_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A command in the wrong folder does not answer from an empty store of its own."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Exit):
        on_store({}, pong)
    assert list(tmp_path.iterdir()) == []


def test_a_store_that_goes_away_meanwhile_is_one_line(
    redis_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """No traceback for what an operator can mend."""

    async def work(_store: Opened) -> None:
        async with Redis.from_url("redis://127.0.0.1:1/0") as nobody:
            await nobody.ping()

    with pytest.raises(Exit):
        on_store({"REDIS_URL": redis_url}, work)
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
