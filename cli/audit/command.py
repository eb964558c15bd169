"""From a file to findings: read, judge game by game, report."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from cli.audit.reading import UnreadableInput, lines_of, opened
from cli.audit.report import print_report
from ludo.mirror.incoming import Hint
from ludo.rules.audit import Audit, hear
from ludo.rules.ruleset import RuleSet, RuleSetError
from ludo.upstream.errors import MalformedEvent
from ludo.upstream.wire import Told, parse_told


@dataclass(frozen=True, slots=True)
class AuditOptions:
    """What the command line asked for; `file` is a path, or - for standard input."""

    file: Path
    ruleset: str
    as_json: bool


class _Head(msgspec.Struct):
    type: str


def run_audit(options: AuditOptions) -> bool:
    """Audits the file and prints what it found; whether every event was legal.

    Raises UnreadableInput for rules, a file or a line that cannot be read; then nothing is printed.
    """
    rules = _rule_set(options.ruleset)
    with opened(options.file) as source:
        audits = audited(lines_of(source), rules)
    print_report(audits, as_json=options.as_json)
    return all(audit.violation is None for audit in audits.values())


def audited(lines: Iterable[tuple[int, bytes]], rules: RuleSet) -> dict[str, Audit]:
    """The audit of each game in the lines, by game id, in order of first appearance."""
    audits: dict[str, Audit] = {}
    unheard = Audit()
    for number, line in lines:
        told = _told(number, line)
        if told is not None:
            audits[told.game_id] = hear(audits.get(told.game_id, unheard), told.event, rules)
    return audits


def _told(number: int, line: bytes) -> Told | None:
    """The game's event on a line, or None for what is no part of a game (R18)."""
    try:
        told = parse_told(line, in_range=False)
    except MalformedEvent as error:
        if _is_of_a_room(line):
            return None
        raise UnreadableInput(f"line {number}: {error}") from None
    if isinstance(told, Hint):
        # A hint has no place in its game's order, so no clause can be told to be broken or kept.
        raise UnreadableInput(
            f"line {number}: expected data.sequence to be a whole number; found nothing"
        )
    return told if isinstance(told, Told) else None


def _is_of_a_room(line: bytes) -> bool:
    """Whether this is a room's event, whose fields are none of our business."""
    try:
        return msgspec.json.decode(line, type=_Head).type.startswith("room:")
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False


def _rule_set(text: str) -> RuleSet:
    try:
        return RuleSet.parse(text)
    except RuleSetError as error:
        raise UnreadableInput(f"--ruleset: {error}") from None
