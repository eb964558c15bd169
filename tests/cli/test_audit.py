"""`ludo-proxy audit`: what it prints, where it stops, and how it ends."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import Result
from typer.testing import CliRunner

from cli.audit.reading import LONGEST_LINE
from cli.main import app
from ludo.rules.events import Event, Moved, Rolled, TurnChanged
from ludo.rules.ruleset import RuleSet
from ludo.upstream.wire import event_body, game_event
from tests.rules.builders import play_game

ROOM = b'{"type":"room:closed","data":{"roomCode":"AB12CD","reason":"over"}}'
UNKNOWN = b'{"type":"game:emote","data":{"gameId":"g1"}}'


def body(game_id: str, event: Event) -> bytes:
    """A webhook body, as upstream sends it."""
    told = game_event(game_id, event, room_code="AB12CD", at="2026-01-31T12:00:00Z")
    return msgspec.json.encode(event_body(told))


def bodies(game_id: str, events: list[Event]) -> list[bytes]:
    """A line for each event of a game."""
    return [body(game_id, event) for event in events]


def audit(lines: list[bytes], *options: str, env: dict[str, str] | None = None) -> Result:
    """The command's end, with those lines on standard input."""
    given = b"\n".join(lines) + b"\n"
    env = {"LUDO_RULES": "", "TERM": "dumb"} | (env or {})
    return CliRunner().invoke(app, ["audit", "-", *options], input=given, env=env)


def findings(result: Result) -> list[dict[str, Any]]:
    """What `--json` printed."""
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_a_legal_game_is_shown_with_its_last_state() -> None:
    """All fields of the contract, and exit code 0."""
    events = play_game(5, seats=(0, 2))
    result = audit(bodies("g1", events), "--json")
    (found,) = findings(result)

    assert result.exit_code == 0
    winner, pieces = events[-1].winner, found.pop("pieces")  # type: ignore[union-attr]
    assert found == {
        "gameId": "g1",
        "events": len(events),
        "sequence": len(events),
        "status": "finished",
        "winnerId": winner,
        "violations": [],
    }
    assert list(pieces) == [f"{colour}-{n}" for colour in ("red", "blue") for n in range(4)]
    assert [pieces[f"{winner.removeprefix('player-')}-{n}"] for n in range(4)] == [56] * 4


def test_the_first_illegal_event_is_the_violation_and_the_end_of_its_game() -> None:
    """The state is the last legal one; what follows is neither judged nor counted."""
    events = play_game(5)
    at = next(n for n, event in enumerate(events) if n > 20 and isinstance(event, Moved))
    events[at] = replace(events[at], position=57)
    result = audit(bodies("g1", events), "--json")
    (found,) = findings(result)

    assert result.exit_code == 1
    (violation,) = found["violations"]
    assert violation["message"].startswith("R2: there is no position 57")
    assert (violation["sequence"], violation["clause"]) == (at + 1, "R2")
    assert (found["events"], found["sequence"]) == (at + 1, at)
    assert (found["status"], found["winnerId"]) == ("playing", None)


def test_games_may_be_interleaved_and_come_out_by_first_appearance() -> None:
    """A violation in one of them does not touch the others."""
    one, other = play_game(5), play_game(6)
    other[9] = replace(other[9], sequence=99)
    mixed = [line for pair in zip(one, other, strict=False) for line in pair]
    lines = [body(("b", "a")[n % 2], event) for n, event in enumerate(mixed)]
    found = findings(audit(lines, "--json"))

    assert [each["gameId"] for each in found] == ["b", "a"]
    assert found[0]["violations"] == []
    assert [(v["sequence"], v["clause"]) for v in found[1]["violations"]] == [(99, "R16")]


@pytest.mark.parametrize(
    ("kept", "sequence"),
    [(slice(1, 9), 2), (slice(2, 9), 3)],
    ids=["no-start", "later"],
)
def test_r16_a_game_without_a_start_has_no_state(kept: slice, sequence: int) -> None:
    """It is waiting, at sequence 0, without pieces; its first event is the violation."""
    (found,) = findings(audit(bodies("g1", play_game(5)[kept]), "--json"))

    shown = (found["status"], found["sequence"], found["pieces"], found["events"])
    assert shown == ("waiting", 0, {}, 1)
    assert [(v["sequence"], v["clause"]) for v in found["violations"]] == [(sequence, "R16")]


def test_r16_an_event_after_the_end_is_a_violation_of_a_finished_game() -> None:
    """The winner stays the winner."""
    events = play_game(5)
    late = TurnChanged(len(events) + 1, "player-red")
    (found,) = findings(audit(bodies("g1", [*events, late]), "--json"))

    assert (found["status"], found["winnerId"]) == ("finished", events[-1].winner)  # type: ignore[union-attr]
    assert [v["clause"] for v in found["violations"]] == ["R16"]


def test_r18_what_is_no_part_of_a_game_is_skipped() -> None:
    """Rooms' events, unknown types and blank lines; a file of nothing else has no games."""
    lines = [ROOM, UNKNOWN, b"", *bodies("g1", play_game(5)), b"  \r", ROOM]
    result, nothing = audit(lines, "--json"), audit([ROOM, UNKNOWN], "--json")

    assert [found["violations"] for found in findings(result)] == [[]]
    assert (nothing.exit_code, nothing.stdout) == (0, "")


@pytest.mark.parametrize("data", [b"null", b'{"roomCode":5}', b"{}"])
def test_r18_what_a_rooms_event_holds_does_not_matter(data: bytes) -> None:
    """It is skipped even where it is not as the contract has it; a game's event is not."""
    odd, other = (
        b'{"type":"%s","data":%s}' % (kind, data) for kind in (b"room:created", b"game:ended")
    )

    assert audit([odd, *bodies("g1", play_game(5))]).exit_code == 0
    assert audit([other, *bodies("g1", play_game(5))]).exit_code == 2


@pytest.mark.parametrize("options", [[], ["--json"]], ids=["lines", "json"])
def test_a_reader_who_leaves_early_does_not_change_the_verdict(
    tmp_path: Path, options: list[str]
) -> None:
    """`audit … | head -1` ends quietly, with the exit code that the findings have."""
    file = tmp_path / "events.jsonl"
    file.write_bytes(b"\n".join(bodies("g1", play_game(5))))
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "cli", "audit", str(file), *options]
    with os.fdopen(writer, "wb") as closed:
        ended = subprocess.run(command, stdout=closed, stderr=subprocess.PIPE, check=False)

    assert (ended.returncode, ended.stderr) == (0, b"")


def test_the_rules_may_be_told() -> None:
    """By option, or as the deployment has them; the option wins."""
    events = play_game(3, rules=RuleSet(max_consecutive_sixes=0, play_on=True))
    lines = bodies("g1", events)
    switches = "max_consecutive_sixes=0, play_on=on"

    assert audit(lines).exit_code == 1
    assert audit(lines, "--ruleset", switches).exit_code == 0
    assert audit(lines, env={"LUDO_RULES": switches}).exit_code == 0
    assert audit(lines, "--ruleset", "play_on=off", env={"LUDO_RULES": switches}).exit_code == 1


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"nonsense", "line 3: expected a JSON object; found no JSON"),
        (b"[1]", "line 3: expected a JSON object; found an array of 1"),
        (b'{"data":{}}', "line 3: expected type to be a text; found nothing"),
        (
            b'{"type":"game:turn-change","data":{"gameId":"g1","sequence":2}}',
            "line 3: expected data.currentPlayerId to be a text of 1 to 128 characters",
        ),
        (
            b'{"type":"game:turn-change","data":{"gameId":"g1"}}',
            "line 3: expected data.sequence to be a whole number; found nothing",
        ),
        (
            b'{"type":"game:dice-rolled","data":{"gameId":"g1","sequence":2.0}}',
            "line 3: expected data.sequence to be a whole number",
        ),
        (b"\xff\xfe", "line 3: expected a JSON object"),
        (b'{"type":"' + b"x" * LONGEST_LINE, "line 3: expected at most 262144 bytes"),
    ],
)
def test_a_line_that_cannot_be_read_ends_the_audit(line: bytes, reason: str) -> None:
    """One line on standard error says which and why; nothing is printed of half a file."""
    start = body("g1", play_game(5)[0])
    result = audit([start, b"", line, start], "--json")

    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"ludo-proxy: {reason}")
    assert result.stderr.count("\n") == 1


def test_impossible_numbers_are_the_referees_to_name() -> None:
    """They are violations with a clause, not unreadable input, whatever their size."""
    start = play_game(5)[0]
    for sequence in (-1, 0, 10**30):
        lines = [*bodies("g1", [start]), body("g1", Rolled(sequence, "player-red", 3))]
        result = audit(lines, "--json")
        assert result.exit_code == 1
        assert findings(result)[0]["violations"][0]["sequence"] == sequence
    (found,) = findings(audit(bodies("g1", [start, Rolled(2, start.current, 7)]), "--json"))  # type: ignore[union-attr]
    assert found["violations"][0]["clause"] == "R5"


@pytest.mark.parametrize("ruleset", ["blocks=perhaps", "colour=red", "max_consecutive_sixes=-1"])
def test_unknown_rules_are_one_clear_line(ruleset: str) -> None:
    """The message says what was expected; the exit code is that of unreadable input."""
    result = audit([], "--ruleset", ruleset)

    assert result.exit_code == 2
    assert result.stderr.startswith("ludo-proxy: --ruleset: expected ")


def test_a_file_is_read_by_its_name(tmp_path: Path) -> None:
    """A last line without an end counts; a file that is not there is exit code 2."""
    file = tmp_path / "games.jsonl"
    file.write_bytes(b"\n".join(bodies("g1", play_game(5))))
    there = CliRunner().invoke(app, ["audit", str(file), "--json"])
    missing = CliRunner().invoke(app, ["audit", str(tmp_path / "none.jsonl")])
    folder = CliRunner().invoke(app, ["audit", str(tmp_path)])

    assert findings(there)[0]["status"] == "finished"
    assert (missing.exit_code, folder.exit_code) == (2, 2)
    assert "expected a readable file; No such file" in missing.stderr


def test_people_read_a_line_a_game_and_a_sum() -> None:
    """With the sentence of the referee, and without whatever could command a terminal."""
    events = play_game(5, seats=(0, 1))
    lines = bodies("g1", events) + bodies("g\x1b[2J[red]", events[:1] + events[2:])
    result = audit(lines)
    legal, broken, total = result.stdout.splitlines()

    assert legal.startswith(f"g1: {len(events)} events; finished at {len(events)}, won by player-")
    assert legal.endswith("; legal")
    assert broken.startswith("g\N{REPLACEMENT CHARACTER}[2J[red]: 2 events; playing at 1; red -1 ")
    assert broken.endswith("; event 3 breaks R16: event 2 is next; this is event 3.")
    assert total == f"games 2, events {len(events) + 2}, violations 1"


def test_the_table_of_a_terminal_has_a_row_a_game() -> None:
    """FORCE_COLOR makes rich take any stream for one."""
    lines = bodies("g1", play_game(5, seats=(0, 1)))
    result = audit(lines, env={"FORCE_COLOR": "1", "TERM": "xterm", "COLUMNS": "200"})

    assert "verdict" in result.stdout
    assert "legal" in result.stdout


def test_help_says_what_the_exit_codes_mean() -> None:
    """And lists the options."""
    result = CliRunner().invoke(app, ["audit", "--help"], env={"COLUMNS": "120", "TERM": "dumb"})

    assert result.exit_code == 0
    for word in ("--json", "--ruleset", "LUDO_RULES", "stdin", "0 if all is legal"):
        assert word in result.stdout
