"""The hash of one game: what is read from Redis, as values, and back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from ludo.mirror.body import from_body, to_body
from ludo.mirror.mirror import Mirror
from ludo.mirror.owed import Owed, Reason
from ludo.rules.ruleset import RuleSet
from ludo.store.errors import UnknownVersion

VERSION: Final = b"1"
"""Of the inbox's entries and of the game's hash; a newer one is for newer workers."""

Fields = Mapping[str, bytes | None]

CLAIMED_FIELDS: Final = (
    "v",
    "epoch",
    "seq",
    "rev",
    "body",
    "floor",
    "divergences",
    "refused",
    "missing_since",
    "owed",
    "owed_at",
    "tries",
    "as_of",
    "stale",
    "closed",
    "skipped",
    "moved_at",
    "unknown_since",
    "room_closed",
    "confirmed",
    "archive_tries",
)
"""The fields that `claim.lua` hands out, in its order."""


@dataclass(frozen=True, slots=True)
class Record:
    """A game as it is kept: its mirror and everything around it.

    `as_of` is when it was last known to be true, by an event or by asking (Unix milliseconds of
    Redis' clock); `stale` says that upstream should have been asked and could not be. `closed`
    says that the final state was compared, or waited for long enough: nothing is left to ask.
    `skipped` counts the sequences that resyncs went past: the mirror's sequence is the number of
    applied events and these.

    `moved_at` is when the mirror last changed, `unknown_since` since when upstream has denied the
    game, `room_closed` when its room was said to be closed. `confirmed` says that upstream's state
    agreed with a mirror that is over; `archive_tries` counts the attempts to archive it.
    """

    mirror: Mirror | None
    owed: Owed | None
    missing_since: int | None
    as_of: int
    stale: bool
    closed: bool
    revision: int
    skipped: int = 0
    moved_at: int = 0
    unknown_since: int | None = None
    room_closed: int | None = None
    confirmed: bool = False
    archive_tries: int = 0

    @property
    def still_since(self) -> int:
        """When the mirror last changed, as far as that was written down."""
        return self.moved_at or self.as_of


def read_record(values: Sequence[bytes | None], rules: RuleSet) -> Record:
    """The record that the values of `CLAIMED_FIELDS` describe; raises UnknownVersion."""
    fields: Fields = dict(zip(CLAIMED_FIELDS, values, strict=True))
    check_version("a game", fields["v"])
    return Record(
        mirror=_mirror(fields, rules),
        owed=_owed(fields),
        missing_since=_optional(fields["missing_since"]),
        as_of=int(fields["as_of"] or 0),
        stale=fields["stale"] == b"1",
        closed=fields["closed"] == b"1",
        revision=int(fields["rev"] or 0),
        skipped=int(fields["skipped"] or 0),
        moved_at=int(fields["moved_at"] or 0),
        unknown_since=_optional(fields["unknown_since"]),
        room_closed=_optional(fields["room_closed"]),
        confirmed=fields["confirmed"] == b"1",
        archive_tries=int(fields["archive_tries"] or 0),
    )


def check_version(what: str, found: bytes | None) -> None:
    """Lets a record that this version can read pass; raises UnknownVersion."""
    if found not in (None, VERSION):
        raise UnknownVersion(f"{what}: expected version {VERSION.decode()}; found {found!r}")


def _optional(value: bytes | None) -> int | None:
    return int(value) if value else None


def _mirror(fields: Fields, rules: RuleSet) -> Mirror | None:
    epoch, body = fields["epoch"], fields["body"]
    if epoch is None or body is None:
        return None
    return Mirror(
        epoch=epoch.decode(),
        snapshot=from_body(msgspec.json.decode(body), rules),
        floor=int(fields["floor"] or 0),
        divergences=int(fields["divergences"] or 0),
        refused=(fields["refused"] or b"").decode(),
    )


def _owed(fields: Fields) -> Owed | None:
    reason = fields["owed"]
    if not reason:
        return None
    return Owed(Reason(reason.decode()), int(fields["owed_at"] or 0), int(fields["tries"] or 0))


def write_record(record: Record) -> dict[str, Any]:
    """The hash fields of a record; an empty value removes the field."""
    mirror, owed = record.mirror, record.owed
    fields: dict[str, Any] = {
        "missing_since": "" if record.missing_since is None else record.missing_since,
        "owed": owed.reason.value if owed else "",
        "owed_at": owed.at if owed else "",
        "tries": owed.tries if owed else "",
        "as_of": record.as_of,
        "stale": "1" if record.stale else "",
        "closed": "1" if record.closed else "",
        "skipped": record.skipped or "",
        "moved_at": record.moved_at,
        "unknown_since": record.unknown_since or "",
        "confirmed": "1" if record.confirmed else "",
        "archive_tries": record.archive_tries or "",
    }
    if mirror is not None:
        fields |= {
            "epoch": mirror.epoch,
            "seq": mirror.sequence,
            "body": msgspec.json.encode(to_body(mirror.snapshot)),
            "floor": mirror.floor,
            "divergences": mirror.divergences,
            "refused": mirror.refused,
            "status": mirror.snapshot.status.value,
        }
    return fields
