"""A server of our own: found, placed, started once, and told no secrets."""

import os
import tempfile
from pathlib import Path

import pytest

from ludo.store import redis_server as server
from ludo.store.durability import Durable, judge
from ludo.store.errors import DataFolderUnusable, NoRedisServer, RedisDidNotStart
from tests.redis_servers import PrivateRedis


def test_server_is_told_to_lose_nothing(tmp_path: Path) -> None:
    """The arguments are what our own judgement of a Redis asks for."""
    told = server.arguments(server.prepare_place(tmp_path))
    settings = {told[n].removeprefix("--"): told[n + 1] for n in range(0, len(told), 2)}
    assert judge(settings) == Durable()
    assert settings["port"] == "0"


def test_second_server_is_not_started_on_the_same_data(redis_server: PrivateRedis) -> None:
    """While a server lives, starting another one in its place does nothing."""
    assert server.is_running(redis_server.place)
    assert server.spawn(server.find_server(), redis_server.place) is None


def test_killed_server_leaves_its_place(redis_server: PrivateRedis) -> None:
    """The kernel gives the place free with the process, however it ended."""
    redis_server.kill()
    assert not server.is_running(redis_server.place)


def test_server_is_told_no_secrets(
    redis_server: PrivateRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of our settings is in the server's environment."""
    redis_server.stop()
    monkeypatch.setenv("LUDO_API_KEY", "lk_live_secret")
    redis_server.start()
    told = Path(f"/proc/{redis_server.pid}/environ")
    if not told.exists():
        pytest.skip("no /proc to look at")
    assert b"lk_live_secret" not in told.read_bytes()


def test_same_folder_is_the_same_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However a process names the folder, it finds the others' server."""
    monkeypatch.chdir(tmp_path)
    assert server.prepare_place(Path("data")) == server.prepare_place(tmp_path / "data")


def test_socket_in_a_folder_of_others_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder for the short socket that others may write to is not used."""
    with tempfile.TemporaryDirectory(prefix="t") as temporary:
        monkeypatch.setattr(tempfile, "gettempdir", lambda: temporary)
        deep = tmp_path / ("d" * 100)
        short = server.prepare_place(deep).socket.parent
        short.chmod(0o777)
        with pytest.raises(DataFolderUnusable, match="this user alone"):
            server.prepare_place(deep)


def test_folder_under_a_file_is_refused(tmp_path: Path) -> None:
    """A folder that cannot be made is one clear line that names the setting."""
    (tmp_path / "file").touch()
    with pytest.raises(DataFolderUnusable, match="LUDO_DATA_DIR"):
        server.prepare_place(tmp_path / "file" / "data")


def test_machine_without_a_server_is_told_how_to_get_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither wheel nor PATH: the message names REDIS_URL and a package."""
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(NoRedisServer, match=r"REDIS_URL.*apt install redis-server"):
        server.find_server()


def test_server_on_the_path_is_taken_without_the_wheel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the wheel does not exist an installed server does."""
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "redis-server").touch(mode=0o755)
    assert server.find_server() == tmp_path / "redis-server"


def test_binary_that_cannot_run_is_said(tmp_path: Path) -> None:
    """A binary for another machine is an error with a reason."""
    wrong = tmp_path / "redis-server"
    wrong.write_bytes(os.urandom(64))
    wrong.chmod(0o755)
    with pytest.raises(RedisDidNotStart, match="cannot be run"):
        server.spawn(wrong, server.prepare_place(tmp_path / "data"))
