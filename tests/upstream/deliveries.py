"""Deliveries by seed, most of them spoilt, and a second opinion on each that is slow and simple."""

import base64
import hmac
import random
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from ludo.upstream.keyring import KeyRing, Scheme, SigningKey, VerifyingKey
from ludo.upstream.signing import sign

NOW = 1_700_000_000
_SECRETS = [bytes([n]) * 32 for n in range(1, 4)]
_SEED = base64.b64encode(bytes(range(32))).decode()
SIGNERS = [SigningKey(Scheme.HMAC_SHA256, each) for each in _SECRETS]
PAIR = SigningKey.parse(f"whsk_{_SEED}")
PUBLIC = base64.b64decode("A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=")
RING = KeyRing.of(
    [
        VerifyingKey("now", Scheme.HMAC_SHA256, _SECRETS[0]),
        VerifyingKey("old", Scheme.HMAC_SHA256, _SECRETS[1], not_after=NOW),
        VerifyingKey("pair", Scheme.ED25519, PUBLIC, not_before=NOW - 10),
    ]
)
"""The third secret is a stranger's."""

_JUNK = "".join(chr(n) for n in range(0x100)) + "٣é\u2028\U0001f3b2\ud800"
_BODIES = (b"", b"{}", b'{"type":"game:ended"}', b"\xff\xfe\x00", b"[" * 200, b"x" * 2_000)
_ODD_IDS = ("a.b", ".", "a b", "x" * 128, "x" * 129, "id\u00e9", "a\x7f", "a\n", "a\x00", "~!/-")
_OTHER_DIGITS = {ord("0") + n: chr(0x660 + n) for n in range(10)}
_AGES = (0, 0, 0, 299, 300, 301, -300, -301, 10_000)


@dataclass
class Sent:
    """One delivery, as it arrives."""

    headers: dict[str, str]
    body: bytes
    spoilt: list[str] = field(default_factory=list)


def a_delivery(chance: random.Random) -> Sent:
    """A delivery, signed by somebody, to which up to three things happened on the way."""
    webhook_id = "".join(chance.choices(string.ascii_letters, k=6))
    if chance.random() < 0.1:
        webhook_id = chance.choice(_ODD_IDS)
    at = str(NOW - (chance.choice(_AGES) if chance.random() < 0.9 else chance.randint(-400, 400)))
    if chance.random() < 0.1:
        at = chance.choice((f"0{at}", f"00{at}", f"+{at}", f"{at} ", at.translate(_OTHER_DIGITS)))
    body = chance.choice(_BODIES)
    if chance.random() < 0.5:
        body = chance.randbytes(chance.randrange(64))
    signer = PAIR if chance.random() < 0.02 else chance.choice(SIGNERS)
    content = b"%b.%b.%b" % (webhook_id.encode(), at.encode(), body)
    sent = Sent(
        {
            "webhook-id": webhook_id,
            "webhook-timestamp": at,
            "webhook-signature": _entry(signer, content),
        },
        body,
    )
    for _ in range(chance.choice((0, 0, 1, 1, 1, 2, 3))):
        spoil = chance.choice(_SPOILS)
        spoil(chance, sent)
        sent.spoilt.append(spoil.__name__)
    return sent


def _entry(signer: SigningKey, content: bytes) -> str:
    """A signature of exactly these bytes, however odd they are."""
    if signer.scheme is Scheme.HMAC_SHA256:
        return f"v1,{_hmac(signer.material, content)}"
    private = Ed25519PrivateKey.from_private_bytes(signer.material)
    return f"v1a,{base64.b64encode(private.sign(content)).decode()}"


def _drop_a_header(chance: random.Random, sent: Sent) -> None:
    sent.headers.pop(chance.choice(list(_NAMES)), None)


def _change_a_character(chance: random.Random, sent: Sent) -> None:
    name = chance.choice(_NAMES)
    text = sent.headers.get(name, "")
    at = chance.randrange(len(text) + 1)
    replaced = chance.choice(("", chance.choice(_JUNK), chance.choice(_JUNK) + text[at : at + 1]))
    sent.headers[name] = text[:at] + replaced + text[at + 1 :]


def _change_the_body(chance: random.Random, sent: Sent) -> None:
    at = chance.randrange(len(sent.body) + 1)
    sent.body = sent.body[:at] + chance.randbytes(chance.randrange(3)) + sent.body[at + 1 :]


def _add_entries(chance: random.Random, sent: Sent) -> None:
    entries = sent.headers.get("webhook-signature", "").split(" ")
    for _ in range(chance.choice((1, 2, 5, 14, 15, 16, 17))):
        tag = chance.choice(("v1", "v1a", "v2", "", "V1"))
        text = chance.choice(("", "AAAA", "%%%", "a,b", "=" * 9, "A" * 44, "A" * 86 + "==", "é"))
        comma = chance.choice((",", ",", ",", ";", ""))
        entries.insert(chance.randrange(len(entries) + 1), f"{tag}{comma}{text}")
    sent.headers["webhook-signature"] = " ".join(entries)


def _rewrite_the_timestamp(chance: random.Random, sent: Sent) -> None:
    text = sent.headers.get("webhook-timestamp", "0")
    other = (f"{text}.0", f"+{text}", f" {text}", f"{text} ", f"0{text}", f"{text[:1]}_{text[1:]}")
    wrong = ("-1", "", "9" * 11, "9" * 12, "9" * 5_000, "1e9", "0x10", "NaN", "٣")
    sent.headers["webhook-timestamp"] = chance.choice((*other, *wrong))


def _put_junk(chance: random.Random, sent: Sent) -> None:
    name = chance.choice(_NAMES)
    sent.headers[name] = "".join(chance.choices(_JUNK, k=chance.randrange(200)))


def _give_another_signature(chance: random.Random, sent: Sent) -> None:
    """A right one, of this delivery as it is, or of another one."""
    webhook_id = sent.headers.get("webhook-id", "msg")
    body = sent.body if chance.random() < 0.7 else b"other"
    try:
        right = sign(chance.choice(SIGNERS), webhook_id, NOW, body)
    except UnicodeEncodeError:
        return
    sent.headers["webhook-timestamp"] = str(NOW)
    before = sent.headers.get("webhook-signature", "")
    entries = chance.choice(([right], [before, right], [right, before]))
    sent.headers["webhook-signature"] = " ".join(entries)


def _respell_the_signature(chance: random.Random, sent: Sent) -> None:
    text = sent.headers.get("webhook-signature", "")
    padded = (text.rstrip("="), text + "=", text + "\n", "v1," + text)
    spelt = (text.replace("+", "-"), text.lower(), text.upper())
    spaced = (text.replace(",", ", "), text.replace(" ", "  "))
    sent.headers["webhook-signature"] = chance.choice((*padded, *spelt, *spaced))


_NAMES = ("webhook-id", "webhook-timestamp", "webhook-signature")
_SPOILS: tuple[Callable[[random.Random, Sent], None], ...] = (
    _drop_a_header,
    _change_a_character,
    _change_a_character,
    _change_the_body,
    _add_entries,
    _add_entries,
    _rewrite_the_timestamp,
    _put_junk,
    _give_another_signature,
    _respell_the_signature,
)


def signer_of(headers: Mapping[str, str], body: bytes, now: int) -> str | None:
    """Which key of `RING` makes this delivery genuine; written without looking at ours."""
    webhook_id = headers.get("webhook-id", "")
    timestamp = headers.get("webhook-timestamp", "")
    entries = headers.get("webhook-signature", "").split(" ")
    visible = all(0x21 <= ord(each) <= 0x7E and each != "." for each in webhook_id)
    digits = all(each in "0123456789" for each in timestamp)
    if not (visible and 0 < len(webhook_id) <= 128 and digits and 0 < len(timestamp) <= 11):
        return None
    if abs(int(timestamp) - now) > 300 or len(entries) > 16:
        return None
    content = webhook_id.encode() + b"." + timestamp.encode() + b"." + body
    if f"v1,{_hmac(_SECRETS[0], content)}" in entries:
        return "now"
    if now < NOW and f"v1,{_hmac(_SECRETS[1], content)}" in entries:
        return "old"
    if now >= NOW - 10 and any(_is_by_pair(entry, content) for entry in entries):
        return "pair"
    return None


def _hmac(secret: bytes, content: bytes) -> str:
    return base64.b64encode(hmac.new(secret, content, "sha256").digest()).decode()


def _is_by_pair(entry: str, content: bytes) -> bool:
    if not entry.startswith("v1a,"):
        return False
    try:
        signature = base64.b64decode(entry[4:].encode("ascii"), validate=True)
        Ed25519PublicKey.from_public_bytes(PUBLIC).verify(signature, content)
    except (ValueError, InvalidSignature):
        return False
    return base64.b64encode(signature).decode() == entry[4:]
