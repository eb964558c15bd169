"""The keys of webhook deliveries, each with the time in which it counts.

Texts are those of Standard Webhooks: `whsec_…` is a shared secret (HMAC-SHA256, tag `v1`),
`whpk_…` and `whsk_…` are the public and the private half of an ed25519 pair (tag `v1a`).
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final, Self

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

MIN_SECRET: Final = 24
MAX_SECRET: Final = 64
MAX_KEYS: Final = 16
_ED25519_HALF: Final = 32
_SEPARATOR: Final = re.compile(r"[,\r\n]")


class UnusableKey(ValueError):
    """A key's text that cannot be used; the message never repeats it."""


class Scheme(StrEnum):
    """How a delivery is signed; the value is the signature's tag."""

    HMAC_SHA256 = "v1"
    ED25519 = "v1a"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """What signs deliveries: a shared secret, or the seed of a private ed25519 key."""

    scheme: Scheme
    material: bytes = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> Self:
        """The key that `whsec_…` or `whsk_…` writes; raises UnusableKey."""
        prefix, encoded = _split(text)
        if prefix == "whsec_":
            return cls(Scheme.HMAC_SHA256, _secret(encoded))
        if prefix == "whsk_":
            return cls(Scheme.ED25519, _seed(encoded))
        raise UnusableKey("expected a signing key, whsec_… or whsk_…; found another prefix")


@dataclass(frozen=True, slots=True)
class VerifyingKey:
    """What deliveries are checked with: a shared secret, or a public ed25519 key.

    It counts from `not_before` to just before `not_after`, Unix seconds; None leaves that side
    open.
    """

    id: str
    scheme: Scheme
    material: bytes = field(repr=False)
    not_before: int | None = None
    not_after: int | None = None

    @classmethod
    def parse(
        cls,
        text: str,
        *,
        key_id: str = "",
        not_before: int | None = None,
        not_after: int | None = None,
    ) -> Self:
        """The key that `whsec_…` or `whpk_…` writes; raises UnusableKey.

        Without an id it is named by a fingerprint, which stays when keys around it change.
        """
        prefix, encoded = _split(text)
        if prefix == "whsec_":
            scheme, material = Scheme.HMAC_SHA256, _secret(encoded)
        elif prefix == "whpk_":
            scheme, material = Scheme.ED25519, _public(encoded)
        else:
            raise UnusableKey("expected a key whsec_… or whpk_…; found another prefix")
        return cls(key_id or _fingerprint(material), scheme, material, not_before, not_after)

    def counts_at(self, now: int) -> bool:
        """Whether a signature by this key is worth something at that time."""
        after_start = self.not_before is None or self.not_before <= now
        return after_start and (self.not_after is None or now < self.not_after)


@dataclass(frozen=True, slots=True)
class KeyRing:
    """All keys that deliveries may be signed with; an empty ring is false."""

    keys: tuple[VerifyingKey, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """The ring that `LUDO_WEBHOOK_SECRETS` writes; raises UnusableKey.

        A list of `whsec_…`/`whpk_…` by commas or lines, or a JSON list of `{"id", "key",
        "not_before", "not_after"}`, of which only `key` is needed. Times are ISO 8601 with an
        offset.
        """
        if text.lstrip().startswith("["):
            return cls.of(_listed(text))
        parts = [part for part in (each.strip() for each in _SEPARATOR.split(text)) if part]
        return cls.of(_numbered(_Entry(key=part) for part in parts))

    @classmethod
    def of(cls, keys: Iterable[VerifyingKey]) -> Self:
        """A ring of keys whose ids differ; raises UnusableKey."""
        ring = tuple(keys)
        if len(ring) > MAX_KEYS:
            raise UnusableKey(f"expected at most {MAX_KEYS} keys; found {len(ring)}")
        if len({key.id for key in ring}) < len(ring):
            raise UnusableKey(
                "expected keys that differ, under ids that differ; found a repetition"
            )
        return cls(ring)

    def __bool__(self) -> bool:
        return bool(self.keys)


class _Entry(msgspec.Struct, forbid_unknown_fields=True):
    key: str
    id: str = ""
    not_before: datetime | None = None
    not_after: datetime | None = None


def _listed(text: str) -> Sequence[VerifyingKey]:
    try:
        entries = msgspec.json.decode(text, type=list[_Entry])
    except (msgspec.MsgspecError, UnicodeError):
        # The decoder's own message may quote the text, which holds secrets.
        raise UnusableKey(
            'expected a JSON list of {"id", "key", "not_before", "not_after"}'
        ) from None
    return _numbered(entries)


def _numbered(entries: Iterable[_Entry]) -> Sequence[VerifyingKey]:
    keys = []
    for number, entry in enumerate(entries, start=1):
        try:
            keys.append(_key(entry))
        except UnusableKey as error:
            raise UnusableKey(f"key {number}: {error}") from None
    return keys


def _key(entry: _Entry) -> VerifyingKey:
    start, end = _unix("not_before", entry.not_before), _unix("not_after", entry.not_after)
    if start is not None and end is not None and end <= start:
        raise UnusableKey("expected not_after to be later than not_before")
    return VerifyingKey.parse(entry.key, key_id=entry.id, not_before=start, not_after=end)


def _unix(name: str, moment: datetime | None) -> int | None:
    if moment is None:
        return None
    if moment.tzinfo is None:
        raise UnusableKey(f"expected {name} with its offset, such as 2026-01-31T12:00:00Z")
    return int(moment.timestamp())


def _split(text: str) -> tuple[str, str]:
    prefix, mark, encoded = text.strip().partition("_")
    return prefix + mark, encoded


def _decoded(encoded: str) -> bytes:
    """Standard base64 only: url-safe characters would silently become another, shorter key."""
    padded = encoded + "=" * (-len(encoded) % 4)
    try:
        return base64.b64decode(padded, validate=True)
    except (binascii.Error, ValueError):
        raise UnusableKey("expected standard base64 after the prefix") from None


def _secret(encoded: str) -> bytes:
    secret = _decoded(encoded)
    if not MIN_SECRET <= len(secret) <= MAX_SECRET:
        raise UnusableKey(
            f"expected a secret of {MIN_SECRET} to {MAX_SECRET} bytes; found {len(secret)}"
        )
    return secret


def _public(encoded: str) -> bytes:
    public = _decoded(encoded)
    if len(public) != _ED25519_HALF:
        raise UnusableKey(f"expected a public key of {_ED25519_HALF} bytes; found {len(public)}")
    return public


def _seed(encoded: str) -> bytes:
    private = _decoded(encoded)
    seed, public = private[:_ED25519_HALF], private[_ED25519_HALF:]
    if len(seed) != _ED25519_HALF or len(public) not in (0, _ED25519_HALF):
        raise UnusableKey(f"expected a private key of 32 or 64 bytes; found {len(private)}")
    if (
        public
        and public != Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    ):
        raise UnusableKey("expected a private key followed by its own public key")
    return seed


def _fingerprint(material: bytes) -> str:
    return "key-" + hashlib.sha256(material).hexdigest()[:8]
