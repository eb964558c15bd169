"""What the doctor saw of one part, and what somebody should do about it."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How a part is: as it should be, worth knowing, or to be mended."""

    OK = "ok"
    NOTE = "note"
    FINDING = "finding"


@dataclass(frozen=True, slots=True)
class Finding:
    """One part with what was seen; only what is to be mended has an `advice`."""

    part: str
    level: Level
    detail: str
    advice: str = ""


def ok(part: str, detail: str) -> Finding:
    """The part is as it should be."""
    return Finding(part, Level.OK, detail)


def note(part: str, detail: str) -> Finding:
    """The part is as somebody chose it to be, and that is worth knowing."""
    return Finding(part, Level.NOTE, detail)


def finding(part: str, detail: str, advice: str) -> Finding:
    """The part is to be mended, and this is how."""
    return Finding(part, Level.FINDING, detail, advice)
