"""A game's record and its hash say the same."""

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from ludo.mirror.owed import Owed, Reason
from ludo.rules.ruleset import RuleSet
from ludo.store.errors import UnknownVersion
from ludo.store.record import CLAIMED_FIELDS, Record, read_record, write_record
from tests.mirror.builders import a_history, mirror_after

MIRROR = replace(mirror_after(a_history()[:9]), floor=4, divergences=2, refused="d1")
FULL = Record(
    MIRROR,
    Owed(Reason.GAP, 5_000, 3),
    4_000,
    3_000,
    stale=True,
    closed=True,
    revision=0,
    skipped=7,
)
EMPTY = Record(None, None, None, 0, stale=False, closed=False, revision=0)


def as_redis(fields: dict[str, Any]) -> list[bytes | None]:
    """What Redis would hand out of these fields; an empty value was removed."""
    texts = {
        name: value if isinstance(value, bytes) else str(value).encode()
        for name, value in fields.items()
    }
    return [texts.get(name) or None for name in CLAIMED_FIELDS]


@pytest.mark.parametrize("record", [FULL, EMPTY, replace(FULL, owed=None, missing_since=None)])
def test_record_survives_its_hash(record: Record) -> None:
    """What is written is what is read."""
    assert read_record(as_redis(write_record(record)), RuleSet()) == record


def test_body_is_kept_as_it_is_answered() -> None:
    """The facade sends the stored bytes, so they are the state body itself."""
    body = msgspec.json.decode(write_record(FULL)["body"])
    assert (body["sequence"], body["status"]) == (9, "playing")


def test_record_of_a_newer_version_is_left_alone() -> None:
    """During an upgrade an older worker neither misreads nor overwrites what a newer one wrote."""
    with pytest.raises(UnknownVersion, match=r"a game: expected version 1; found b'2'"):
        read_record(as_redis(write_record(FULL) | {"v": "2"}), RuleSet())
