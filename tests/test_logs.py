"""What a log line looks like."""

import json
import logging

import pytest
import structlog

from ludo.logs import LogConfig, LogFormat, configure_logs


@pytest.fixture(autouse=True)
def _logs_as_before() -> object:
    before = (logging.root.handlers[:], logging.root.level)
    yield
    logging.root.handlers[:], logging.root.level = before
    structlog.reset_defaults()


def test_line_is_one_json_object(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a terminal a line has event, level, time and the fields."""
    configure_logs(LogConfig())
    structlog.get_logger("any").info("thing.happened", game="gm_1")

    line = json.loads(capsys.readouterr().err)
    assert (line["event"], line["level"], line["game"]) == ("thing.happened", "info", "gm_1")
    assert line["timestamp"].endswith("Z")


def test_a_traceback_shows_no_variables(capsys: pytest.CaptureFixture[str]) -> None:
    """On a terminal too: what a function was given may be a secret."""
    configure_logs(LogConfig(log_format=LogFormat.CONSOLE))
    try:
        _fails("hunter" + "2")
    except ValueError:
        structlog.get_logger("any").exception("thing.failed")

    said = capsys.readouterr().err
    assert "no reason" in said
    assert "hunter2" not in said


def _fails(secret: str) -> None:
    raise ValueError("no reason")


def test_exception_is_in_the_line(capsys: pytest.CaptureFixture[str]) -> None:
    """A traceback is a field, so that a line stays a line."""
    configure_logs(LogConfig(log_format=LogFormat.JSON))
    try:
        int("broken")
    except ValueError:
        structlog.get_logger("any").exception("thing.failed")

    assert "broken" in json.loads(capsys.readouterr().err)["exception"]


def test_libraries_do_not_log_every_call(capsys: pytest.CaptureFixture[str]) -> None:
    """httpx would name every address it asks."""
    configure_logs(LogConfig(log_format=LogFormat.JSON))
    logging.getLogger("httpx").info("HTTP Request: GET http://upstream/secret")
    logging.getLogger("httpx").warning("kept")

    assert [json.loads(line)["event"] for line in capsys.readouterr().err.splitlines()] == ["kept"]


@pytest.mark.parametrize("value", ["\ud800", 2**70, {1: object()}])
def test_a_value_that_is_no_json_is_logged_all_the_same(
    capsys: pytest.CaptureFixture[str], value: object
) -> None:
    """Half a character, a number without a bound, an object: a log line never fails."""
    configure_logs(LogConfig())
    structlog.get_logger("any").info("thing.happened", value=value)
    assert json.loads(capsys.readouterr().err)["event"] == "thing.happened"
