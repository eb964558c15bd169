"""Signatures of webhook deliveries (Standard Webhooks 1.0.0): made, and checked.

Checking is total: whatever bytes come in, the answer is a value. It works on the raw header texts
and the raw body, so nothing that was re-formatted on the way can pass for what was signed.
"""

import base64
import binascii
import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final, assert_never

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from ludo.upstream.keyring import MAX_KEYS, KeyRing, Scheme, SigningKey, VerifyingKey

ID_HEADER: Final = "webhook-id"
TIMESTAMP_HEADER: Final = "webhook-timestamp"
SIGNATURE_HEADER: Final = "webhook-signature"
TOLERANCE: Final = 300
"""Seconds that a delivery's timestamp may lie from now, either way."""
MAX_SIGNATURES: Final = 16
"""Entries of one signature header; a rotation needs two, Svix sends at most eleven."""

# Visible ASCII without the full stop, which separates the parts of the signed content.
_ID: Final = re.compile(r"[!-\-/-~]{1,128}")
_TIMESTAMP: Final = re.compile(r"[0-9]{1,11}")
_ED25519_SIGNATURE: Final = 64


class Reason(StrEnum):
    """Why a delivery is refused."""

    NO_KEYS = "no-keys"
    MISSING_HEADER = "missing-header"
    MALFORMED_ID = "malformed-id"
    MALFORMED_TIMESTAMP = "malformed-timestamp"
    TOO_OLD = "too-old"
    TOO_NEW = "too-new"
    TOO_MANY_SIGNATURES = "too-many-signatures"
    NO_KNOWN_SIGNATURE = "no-known-signature"
    SIGNATURE_MISMATCH = "signature-mismatch"
    KEY_NOT_IN_FORCE = "key-not-in-force"


@dataclass(frozen=True, slots=True)
class Verified:
    """A genuine delivery: the key that signed it, and the signed headers."""

    key_id: str
    webhook_id: str
    timestamp: int


@dataclass(frozen=True, slots=True)
class Refused:
    """A delivery that proves nothing."""

    reason: Reason


def sign(key: SigningKey, webhook_id: str, timestamp: int, body: bytes) -> str:
    """One entry of the signature header: `v1,…` or `v1a,…`."""
    content = _content(webhook_id, str(timestamp), body)
    match key.scheme:
        case Scheme.HMAC_SHA256:
            signature = hmac.digest(key.material, content, "sha256")
        case Scheme.ED25519:
            signature = Ed25519PrivateKey.from_private_bytes(key.material).sign(content)
        case _:
            assert_never(key.scheme)
    return f"{key.scheme},{base64.b64encode(signature).decode()}"


def verify(ring: KeyRing, headers: Mapping[str, str], body: bytes, now: int) -> Verified | Refused:
    """Whether some key of the ring, in force now, signed this delivery. Never raises.

    `headers` are looked up by their lower-case names; `now` is Unix seconds. One right signature
    is enough: entries that are malformed, or of an unknown scheme, are passed over.
    """
    if not ring:
        return Refused(Reason.NO_KEYS)
    webhook_id, timestamp = headers.get(ID_HEADER), headers.get(TIMESTAMP_HEADER)
    signatures = headers.get(SIGNATURE_HEADER)
    if not (webhook_id and timestamp and signatures):
        return Refused(Reason.MISSING_HEADER)
    reason = _unfit(webhook_id, timestamp, now)
    if reason is not None:
        return Refused(reason)
    entries = signatures.split(" ", MAX_SIGNATURES)
    if len(entries) > MAX_SIGNATURES:
        return Refused(Reason.TOO_MANY_SIGNATURES)
    signers = _signers(ring, entries, _content(webhook_id, timestamp, body))
    if isinstance(signers, Refused):
        return signers
    for key in signers:
        if key.counts_at(now):
            return Verified(key.id, webhook_id, int(timestamp))
    return Refused(Reason.KEY_NOT_IN_FORCE)


def _unfit(webhook_id: str, timestamp: str, now: int) -> Reason | None:
    if _ID.fullmatch(webhook_id) is None:
        return Reason.MALFORMED_ID
    if _TIMESTAMP.fullmatch(timestamp) is None:
        return Reason.MALFORMED_TIMESTAMP
    sent = int(timestamp)
    if sent < now - TOLERANCE:
        return Reason.TOO_OLD
    return Reason.TOO_NEW if sent > now + TOLERANCE else None


def _content(webhook_id: str, timestamp: str, body: bytes) -> bytes:
    """What is signed: the timestamp exactly as received, never a number written anew."""
    return b"%b.%b.%b" % (webhook_id.encode(), timestamp.encode(), body)


def _signers(
    ring: KeyRing, entries: Iterable[str], content: bytes
) -> tuple[VerifyingKey, ...] | Refused:
    """The keys that made one of the entries."""
    presented = [entry.partition(",") for entry in entries]
    symmetric = [text for tag, _, text in presented if tag == Scheme.HMAC_SHA256]
    asymmetric = [text for tag, _, text in presented if tag == Scheme.ED25519]
    if not (symmetric or asymmetric):
        return Refused(Reason.NO_KNOWN_SIGNATURE)
    made = {Scheme.HMAC_SHA256: symmetric, Scheme.ED25519: asymmetric}
    signers = tuple(key for key in ring.keys if _made_one(key, made[key.scheme], content))
    return signers or Refused(Reason.SIGNATURE_MISMATCH)


def _made_one(key: VerifyingKey, texts: list[str], content: bytes) -> bool:
    match key.scheme:
        case Scheme.HMAC_SHA256:
            return _made_by_secret(key.material, texts, content)
        case Scheme.ED25519:
            return any(_made_by_pair(key.material, text, content) for text in texts)
        case _:
            assert_never(key.scheme)


def _made_by_secret(secret: bytes, texts: list[str], content: bytes) -> bool:
    """Compared as text, so that only the one exact encoding of the right bytes passes."""
    if not texts:
        return False
    made = _keyed(secret).copy()
    made.update(content)
    expected = base64.b64encode(made.digest()).decode()
    return any(text.isascii() and hmac.compare_digest(expected, text) for text in texts)


@lru_cache(MAX_KEYS)
def _keyed(secret: bytes) -> hmac.HMAC:
    """What the key alone makes of a signature, which is the same for every delivery."""
    return hmac.new(secret, digestmod="sha256")


def _made_by_pair(public: bytes, text: str, content: bytes) -> bool:
    signature = _strictly_decoded(text)
    if signature is None or len(signature) != _ED25519_SIGNATURE:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, content)
    except InvalidSignature:
        return False
    return True


def _strictly_decoded(text: str) -> bytes | None:
    """The bytes of which `text` is the one canonical base64, or None."""
    if not text.isascii():
        return None
    try:
        decoded = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return decoded if base64.b64encode(decoded).decode() == text else None
