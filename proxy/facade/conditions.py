"""What a caller gets of an answer that is there: all of it, a part, or 304 (RFC 9110 §13, §14)."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Final

from proxy.facade.ready import Ready

_ONE_RANGE: Final = re.compile(r"bytes=(?P<first>\d{0,19})-(?P<last>\d{0,19})")
_OF_THE_BODY: Final = frozenset({b"content-length", b"content-type", b"content-range"})


def selected(ready: Ready, headers: Mapping[str, str]) -> Ready:
    """The answer to a GET with these header fields, by lower-case name."""
    if not 200 <= ready.status < 300:
        return ready
    if is_known(ready, headers):
        return known_already(ready)
    if ready.status == 200 and "range" in headers and _holds(ready, headers.get("if-range")):
        return _part(ready, headers["range"])
    return ready


def known_already(ready: Ready) -> Ready:
    """The 304 for those who have this answer (RFC 9110 §15.4.5)."""
    fields = tuple(pair for pair in ready.fields if pair[0] not in _OF_THE_BODY)
    return replace(ready, status=304, fields=fields, body=b"")


def is_known(ready: Ready, headers: Mapping[str, str]) -> bool:
    """Whether the caller has this answer already; an entity tag decides over a date."""
    condition = headers.get("if-none-match")
    if condition is not None:
        return _names(condition, ready.etag)
    since = _date(headers.get("if-modified-since"))
    changed = _date_of(ready, b"last-modified") or _date_of(ready, b"date")
    return since is not None and changed is not None and changed <= since


def _names(condition: str, etag: str) -> bool:
    """Whether `If-None-Match` names this entity tag, compared weakly (RFC 9110 §13.1.2)."""
    given = (part.strip().removeprefix("W/") for part in condition.split(","))
    return bool(etag) and any(part in ("*", etag.removeprefix("W/")) for part in given)


def _holds(ready: Ready, condition: str | None) -> bool:
    """Whether `If-Range` lets a part be sent: only for the same bytes (RFC 9110 §13.1.5)."""
    if condition is None:
        return True
    if condition.startswith('"'):
        return condition == ready.etag
    date, changed = _date(condition), _date_of(ready, b"last-modified")
    return date is not None and date == changed


def _part(ready: Ready, wanted: str) -> Ready:
    """The part of one range; the whole for several, or for what cannot be read."""
    found = _ONE_RANGE.fullmatch(wanted.strip())
    if found is None or found[0] == "bytes=-":
        return ready
    size = len(ready.body)
    if not found["first"]:
        first, last = max(0, size - int(found["last"])), size - 1
    else:
        first = int(found["first"])
        last = min(int(found["last"]), size - 1) if found["last"] else size - 1
        if found["last"] and int(found["last"]) < first:
            return ready
    if first >= size or first > last:
        return _resized(ready, 416, b"", f"bytes */{size}")
    body = ready.body[first : last + 1]
    return _resized(ready, 206, body, f"bytes {first}-{last}/{size}")


def _resized(ready: Ready, status: int, body: bytes, content_range: str) -> Ready:
    kept = tuple(pair for pair in ready.fields if pair[0] != b"content-length")
    more = (
        (b"content-range", content_range.encode()),
        (b"content-length", str(len(body)).encode()),
    )
    return replace(ready, status=status, fields=(*kept, *more), body=body)


def _date_of(ready: Ready, name: bytes) -> datetime | None:
    value = ready.field(name)
    return None if value is None else _date(value.decode("latin-1"))


def _date(text: str | None) -> datetime | None:
    try:
        return parsedate_to_datetime(text) if text else None
    except (ValueError, OverflowError):
        return None
