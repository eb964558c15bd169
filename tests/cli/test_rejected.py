"""`ludo-proxy rejected`: what it prints and how it ends."""

import json
import time

import pytest
import redis as blocking
from click.testing import Result
from typer.testing import CliRunner

from cli.main import app
from ludo.store import keys
from tests.webhooks.builders import OTHER, SECRET, bytes_of, signed
from tests.workers.builders import GAME, a_history

FIRST = bytes_of(a_history()[0])


def rejected(redis_url: str, *arguments: str, **env: str) -> Result:
    given = {"REDIS_URL": redis_url, "TERM": "dumb", "LUDO_WEBHOOK_SECRETS": "", **env}
    return CliRunner().invoke(app, ["rejected", *arguments], env=given)


def put(redis_url: str, headers: dict[str, str]) -> None:
    """Leaves a delivery with these headers in the ring."""
    fields = {"v": "1", "reason": "signature-mismatch", "received_at": repr(time.time())}
    fields |= {name: value for name, value in headers.items() if name.startswith("webhook-")}
    with blocking.Redis.from_url(redis_url) as client:
        client.xadd(keys.REJECTED, {**fields, "size": len(FIRST), "body": FIRST})


@pytest.fixture
def refused(redis_url: str) -> dict[str, str]:
    """The headers of a delivery in the ring that was signed with the other secret."""
    headers = signed(FIRST, at=int(time.time()), secret=OTHER)
    put(redis_url, headers)
    return headers


@pytest.mark.usefixtures("refused")
def test_the_list_is_a_line_each(redis_url: str) -> None:
    """With reason and claimed id, and without a stranger's escape sequences."""
    put(redis_url, {"webhook-id": "msg_\x1b[2J"})
    result = rejected(redis_url, "list")
    newest, other, total = result.stdout.splitlines()

    assert result.exit_code == 0
    assert "msg_\N{REPLACEMENT CHARACTER}[2J" in newest
    assert "signature-mismatch" in other
    assert "msg_1" in other
    assert total == "2 of 2 refused deliveries"


def test_the_list_as_json_is_an_object_a_line(redis_url: str, refused: dict[str, str]) -> None:
    """For scripts; the signature stays where it is."""
    result = rejected(redis_url, "list", "--json")
    (entry,) = [json.loads(line) for line in result.stdout.splitlines()]

    assert entry["reason"] == "signature-mismatch"
    assert entry["size"] == len(FIRST)
    assert refused["webhook-signature"].removeprefix("v1,") not in result.stdout


@pytest.mark.usefixtures("refused")
def test_a_recheck_with_the_mended_secret_accepts_once(redis_url: str) -> None:
    """The second one finds nothing."""
    first = rejected(redis_url, "recheck", "--json", LUDO_WEBHOOK_SECRETS=f"{SECRET},{OTHER}")
    second = rejected(redis_url, "recheck", LUDO_WEBHOOK_SECRETS=f"{SECRET},{OTHER}")

    assert (first.exit_code, second.exit_code) == (0, 0)
    assert json.loads(first.stdout)["outcome"] == "accepted"
    assert second.stdout.strip() == "0 rechecked"
    with blocking.Redis.from_url(redis_url) as client:
        assert client.xlen(keys.inbox(GAME)) == 1


@pytest.mark.usefixtures("refused")
def test_a_recheck_without_a_secret_says_what_is_missing(redis_url: str) -> None:
    """One line and exit code 1."""
    result = rejected(redis_url, "recheck")

    assert result.exit_code == 1
    assert "LUDO_WEBHOOK_SECRETS" in result.stderr
