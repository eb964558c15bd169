"""Signatures of deliveries: the vectors hold, forgeries fail, nothing raises."""

import base64
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from ludo.upstream.keyring import KeyRing, SigningKey, VerifyingKey
from ludo.upstream.signing import (
    MAX_SIGNATURES,
    TOLERANCE,
    Reason,
    Refused,
    Verified,
    sign,
    verify,
)

NOW = 1_700_000_000
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
PRIVATE = (
    "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg=="
)
PUBLIC = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4="
OTHER = "whsec_" + base64.b64encode(bytes(32)).decode()
RING = KeyRing.of([VerifyingKey.parse(SECRET, key_id="a"), VerifyingKey.parse(PUBLIC, key_id="b")])
SIGNERS = {"a": SigningKey.parse(SECRET), "b": SigningKey.parse(PRIVATE)}

ids = st.text(
    st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters="."),
    min_size=1,
    max_size=128,
)
texts = st.text(max_size=40)
entries = st.builds("{},{}".format, st.sampled_from(["v1", "v1a", "v2", ""]), texts)


def delivery(
    body: bytes = b"{}", *, webhook_id: str = "msg_1", at: int = NOW, key: str = SECRET
) -> dict[str, str]:
    """The three headers of a genuine delivery."""
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(at),
        "webhook-signature": sign(SigningKey.parse(key), webhook_id, at, body),
    }


def reason(headers: dict[str, str], body: bytes = b"{}", ring: KeyRing = RING) -> Reason | None:
    """Why these headers are refused, None if they are not."""
    answer = verify(ring, headers, body, NOW)
    return answer.reason if isinstance(answer, Refused) else None


VECTOR_ID, VECTOR_TIME, VECTOR_BODY = (
    "msg_p5jXN8AQM9LWM0D4loKWxJek",
    1614265330,
    b'{"test": 2432232314}',
)
VECTORS = [
    (SECRET, "a", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
    (
        PRIVATE,
        "b",
        "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==",
    ),
]


@pytest.mark.parametrize(("key", "key_id", "signature"), VECTORS)
def test_the_published_vectors_hold(key: str, key_id: str, signature: str) -> None:
    """Both schemes make and accept the values that Standard Webhooks and Svix publish."""
    assert sign(SigningKey.parse(key), VECTOR_ID, VECTOR_TIME, VECTOR_BODY) == signature
    headers = {
        "webhook-id": VECTOR_ID,
        "webhook-timestamp": str(VECTOR_TIME),
        "webhook-signature": signature,
    }
    verified = Verified(key_id, VECTOR_ID, VECTOR_TIME)
    assert verify(RING, headers, VECTOR_BODY, VECTOR_TIME) == verified


@given(
    webhook_id=ids,
    at=st.integers(NOW - TOLERANCE, NOW + TOLERANCE),
    body=st.binary(),
    key=st.sampled_from("ab"),
)
def test_what_was_signed_verifies(webhook_id: str, at: int, body: bytes, key: str) -> None:
    """Any id, time within the tolerance and body, under either scheme."""
    signature = sign(SIGNERS[key], webhook_id, at, body)
    headers = {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(at),
        "webhook-signature": signature,
    }
    assert verify(RING, headers, body, NOW) == Verified(key, webhook_id, at)


@given(
    headers=st.fixed_dictionaries(
        {},
        optional={
            "webhook-id": texts | st.just("msg_1"),
            "webhook-timestamp": texts | st.just(str(NOW)),
            "webhook-signature": texts | st.lists(entries).map(" ".join),
        },
    ),
    body=st.binary(),
    now=st.integers() | st.just(NOW),
)
def test_no_input_raises(headers: dict[str, str], body: bytes, now: int) -> None:
    """Whatever arrives, the answer is a refusal, because nobody signed it."""
    assert isinstance(verify(RING, headers, body, now), Refused)


@given(data=st.data(), key=st.sampled_from("ab"))
def test_nothing_tampered_verifies(data: Any, key: str) -> None:
    """One changed character of id, time or signature, or byte of the body, and it is refused."""
    body = b'{"type":"game:ended"}'
    parts = [b"msg_1", str(NOW).encode(), sign(SIGNERS[key], "msg_1", NOW, body).encode(), body]
    which = data.draw(st.integers(0, 3))
    at = data.draw(st.integers(0, len(parts[which]) - 1))
    changed = bytearray(parts[which])
    changed[at] = data.draw(st.integers(0, 255))
    assume(bytes(changed) != parts[which])
    parts[which] = bytes(changed)
    webhook_id, timestamp, signature = (part.decode("latin-1") for part in parts[:3])
    headers = {
        "webhook-id": webhook_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": signature,
    }
    assert isinstance(verify(RING, headers, parts[3], NOW), Refused)


@given(webhook_id=ids, body=st.text())
def test_the_reference_library_agrees_on_well_formed_deliveries(webhook_id: str, body: str) -> None:
    """It accepts what we sign, and we accept what it signs."""
    now = int(datetime.now(UTC).timestamp())
    reference = Webhook(SECRET)
    ours = delivery(body.encode(), webhook_id=webhook_id, at=now)
    reference.verify(body, ours, json_parse=False)
    theirs = reference.sign(webhook_id, datetime.fromtimestamp(now, UTC), body)
    assert theirs == ours["webhook-signature"]
    assert isinstance(verify(RING, ours, body.encode(), now), Verified)


@given(body=st.text(), secret=st.sampled_from([SECRET, OTHER]), altered=st.booleans())
def test_the_reference_library_agrees_on_verdicts(body: str, secret: str, altered: bool) -> None:
    """Of a well-formed delivery both say the same, whoever signed it."""
    now = int(datetime.now(UTC).timestamp())
    headers = delivery(body.encode(), at=now, key=secret)
    received = body + "x" if altered else body
    try:
        Webhook(SECRET).verify(received, headers, json_parse=False)
        accepted = True
    except Exception:
        accepted = False
    assert isinstance(verify(RING, headers, received.encode(), now), Verified) is accepted


@pytest.mark.parametrize("missing", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_each_header_is_needed(missing: str) -> None:
    """Without one of the three there is nothing to check."""
    headers = delivery()
    del headers[missing]
    assert reason(headers) is Reason.MISSING_HEADER


@pytest.mark.parametrize("webhook_id", ["a.b", "x" * 129, "a b", "idé", "a\x00", "a\n"])
def test_an_id_is_short_visible_and_without_full_stops(webhook_id: str) -> None:
    """A full stop in the id would let one signature stand for two deliveries."""
    assert reason(delivery(webhook_id=webhook_id)) is Reason.MALFORMED_ID


@pytest.mark.parametrize(
    "timestamp",
    [f"{NOW}.9", f"+{NOW}", f" {NOW}", "1_700_000_000", "0x1", "٣", "1" * 12, f"{NOW}\n"],
)
def test_a_timestamp_is_checked_as_received(timestamp: str) -> None:
    """Texts that other verifiers re-format into the signed number are refused."""
    assert reason({**delivery(), "webhook-timestamp": timestamp}) is Reason.MALFORMED_TIMESTAMP


def test_a_leading_zero_is_not_what_was_signed() -> None:
    """The same number under another spelling does not carry the signature."""
    headers = {**delivery(), "webhook-timestamp": f"0{NOW}"}
    assert reason(headers) is Reason.SIGNATURE_MISMATCH


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        (TOLERANCE, None),
        (TOLERANCE + 1, Reason.TOO_OLD),
        (-TOLERANCE, None),
        (-TOLERANCE - 1, Reason.TOO_NEW),
    ],
)
def test_the_tolerance_has_two_sides(age: int, expected: Reason | None) -> None:
    """300 s in the past or the future are accepted, a second more is not."""
    assert reason(delivery(at=NOW - age)) is expected


def test_the_right_signature_counts_among_others() -> None:
    """Unknown tags, wrong values and malformed entries around it are passed over."""
    right = delivery()["webhook-signature"]
    header = f"v1,AAAA v2,{right[3:]} junk  v1a,% v1a,AAAA v1,é {right} v1,{right[3:]}="
    assert reason({**delivery(), "webhook-signature": header}) is None


@pytest.mark.parametrize("spoil", ["{}=", "{}\n", "{},", "v1,{}", "{}!"])
def test_base64_is_strict(spoil: str) -> None:
    """Junk that a lenient decoder drops makes another text, and is refused."""
    header = spoil.format(delivery()["webhook-signature"])
    assert reason({**delivery(), "webhook-signature": header}) is Reason.SIGNATURE_MISMATCH


def test_one_signature_has_one_spelling() -> None:
    """The last character of base64 has bits that decoders drop; setting them makes a forgery."""
    right = delivery(key=PRIVATE)["webhook-signature"]
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    other = alphabet[alphabet.index(right[-3]) + 1]
    respelt = f"{right[:-3]}{other}=="
    assert base64.b64decode(respelt[4:]) == base64.b64decode(right[4:])
    assert reason({**delivery(), "webhook-signature": right}) is None
    assert reason({**delivery(), "webhook-signature": respelt}) is Reason.SIGNATURE_MISMATCH


def test_the_number_of_entries_is_bounded() -> None:
    """Each entry costs work, so a header of thousands is refused unread."""
    right = delivery()["webhook-signature"]
    most = " ".join(["v1,AAAA"] * (MAX_SIGNATURES - 1) + [right])
    assert reason({**delivery(), "webhook-signature": most}) is None
    over = "v1,AAAA " + most
    assert reason({**delivery(), "webhook-signature": over}) is Reason.TOO_MANY_SIGNATURES


def test_a_header_without_a_known_scheme_says_so() -> None:
    """Evidence tells a sender of another scheme from one with a wrong key."""
    headers = {**delivery(), "webhook-signature": "v2,abc sha256=00"}
    assert reason(headers) is Reason.NO_KNOWN_SIGNATURE


def test_an_empty_ring_accepts_nothing() -> None:
    """Without keys the answer is a refusal of its own."""
    assert reason(delivery(), ring=KeyRing()) is Reason.NO_KEYS


def test_a_signature_of_the_other_scheme_does_not_count() -> None:
    """A public key is public: it must never pass for a shared secret."""
    public_as_secret = SigningKey.parse("whsec_" + PUBLIC.removeprefix("whpk_"))
    only_public = KeyRing.of([VerifyingKey.parse(PUBLIC)])
    headers = {**delivery(), "webhook-signature": sign(public_as_secret, "msg_1", NOW, b"{}")}
    assert reason(headers, ring=only_public) is Reason.SIGNATURE_MISMATCH


def test_a_key_counts_only_while_in_force() -> None:
    """A retired key's signature is refused, and the refusal says why."""
    old = VerifyingKey.parse(SECRET, key_id="old", not_after=NOW)
    new = VerifyingKey.parse(SECRET, key_id="new", not_before=NOW)
    assert reason(delivery(), ring=KeyRing.of([old])) is Reason.KEY_NOT_IN_FORCE
    assert verify(KeyRing.of([old, new]), delivery(), b"{}", NOW) == Verified("new", "msg_1", NOW)
