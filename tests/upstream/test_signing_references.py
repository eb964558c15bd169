"""The two official Python verifiers beside ours: agreement where it should be, and where not.

Both are asked about deliveries of this moment, because they take no clock. What they do is
asserted as well, so that this file says what is true of the versions that are locked.
"""

import base64
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import standardwebhooks
import svix.webhooks
from hypothesis import given
from hypothesis import strategies as st

from ludo.upstream.keyring import KeyRing, SigningKey, UnusableKey
from ludo.upstream.signing import Reason, Refused, Verified, sign, verify

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
RING = KeyRing.parse(SECRET)
REFERENCES = [standardwebhooks.Webhook, svix.webhooks.Webhook]
BODY = b'{"type":"game:ended"}'
SIGNATURE = "webhook-signature"
ids = st.text(
    st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters=".,"),
    min_size=1,
    max_size=64,
)

Headers = dict[str, str]
Change = Callable[[Headers], Headers]
reference = pytest.mark.parametrize("webhook", REFERENCES, ids=["standardwebhooks", "svix"])


def headers_of(body: bytes, webhook_id: str = "msg_1") -> Headers:
    now = int(time.time())
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(now),
        SIGNATURE: sign(SigningKey.parse(SECRET), webhook_id, now, body),
    }


def ours(headers: Headers, body: bytes) -> Reason | None:
    """Why we refuse it, None if we do not."""
    found = verify(RING, headers, body, int(time.time()))
    return found.reason if isinstance(found, Refused) else None


def theirs(webhook: Any, headers: Headers, body: bytes) -> type[Exception] | None:
    """What a reference raises, None if it accepts."""
    try:
        webhook(SECRET).verify(body, headers)
    except Exception as error:
        return type(error)
    return None


@reference
@given(webhook_id=ids, body=st.dictionaries(st.text(), st.integers() | st.text()))
def test_well_formed_deliveries_pass_everywhere(
    webhook: Any, webhook_id: str, body: dict[str, Any]
) -> None:
    """What we sign they accept, what they sign we accept, and the signatures are the same."""
    sent = json.dumps(body)
    headers = headers_of(sent.encode(), webhook_id)
    at = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)

    assert theirs(webhook, headers, sent.encode()) is None
    assert ours(headers, sent.encode()) is None
    assert webhook(SECRET).sign(webhook_id, at, sent) == headers[SIGNATURE]


@reference
@given(at=st.integers(0, len(BODY) - 1), bit=st.integers(0, 6))
def test_altered_bodies_pass_nowhere(webhook: Any, at: int, bit: int) -> None:
    """One bit is enough."""
    altered = bytearray(BODY)
    altered[at] ^= 1 << bit
    headers = headers_of(BODY)

    assert theirs(webhook, headers, bytes(altered)) is not None
    assert ours(headers, bytes(altered)) is Reason.SIGNATURE_MISMATCH


def signature(change: str) -> Change:
    """The right signature in a header that is written otherwise."""
    return lambda headers: {**headers, SIGNATURE: change.format(headers[SIGNATURE])}


def timestamp(change: Callable[[str], str]) -> Change:
    """The right timestamp, written otherwise."""
    return lambda headers: {**headers, "webhook-timestamp": change(headers["webhook-timestamp"])}


def unchanged(headers: Headers) -> Headers:
    return headers


RAISES = [
    ("a body that is not UTF-8", unchanged, b"\xff\xfe", UnicodeDecodeError, None),
    ("a header without a comma", signature("junk"), BODY, ValueError, Reason.NO_KNOWN_SIGNATURE),
    ("a second comma", signature("{},"), BODY, ValueError, Reason.SIGNATURE_MISMATCH),
    ("two spaces", signature("v1,AAAA  {}"), BODY, ValueError, None),
    ("bad base64", signature("v1,A"), BODY, Exception, Reason.SIGNATURE_MISMATCH),
    ("a malformed entry before the right one", signature("junk {}"), BODY, ValueError, None),
    ("a future entry before the right one", signature("v3;k=1;abc {}"), BODY, ValueError, None),
]


@reference
@pytest.mark.parametrize(
    ("change", "body", "error", "reason"), [each[1:] for each in RAISES], ids=[e[0] for e in RAISES]
)
def test_where_they_raise_we_decide(
    webhook: Any,
    change: Change,
    body: bytes,
    error: type[Exception],
    reason: Reason | None,
) -> None:
    """An exception that is no verdict is a 500 for whoever asks, and a genuine event lost."""
    headers = change(headers_of(body))
    raised = theirs(webhook, headers, body)

    assert raised is not None
    assert issubclass(raised, error)
    assert ours(headers, body) is reason


def test_a_genuine_body_that_is_not_json_is_verified() -> None:
    """What a body says is no question of its signature; one of the two raises."""
    headers = headers_of(b"not json")

    assert ours(headers, b"not json") is None
    assert theirs(standardwebhooks.Webhook, headers, b"not json") is not None
    assert theirs(svix.webhooks.Webhook, headers, b"not json") is None


ACCEPTS = [
    ("a fraction", timestamp(lambda text: f"{text}.9"), Reason.MALFORMED_TIMESTAMP),
    ("a plus", timestamp(lambda text: f"+{text}"), Reason.MALFORMED_TIMESTAMP),
    ("an underscore", timestamp(lambda text: f"{text[0]}_{text[1:]}"), Reason.MALFORMED_TIMESTAMP),
    ("a space", timestamp(lambda text: f" {text}"), Reason.MALFORMED_TIMESTAMP),
    ("junk in base64", signature("{}!?"), Reason.SIGNATURE_MISMATCH),
]


@reference
@pytest.mark.parametrize(
    ("change", "reason"), [each[1:] for each in ACCEPTS], ids=[each[0] for each in ACCEPTS]
)
def test_where_they_accept_what_was_not_signed_we_refuse(
    webhook: Any, change: Change, reason: Reason
) -> None:
    """They verify a number or a text that they have written anew."""
    headers = change(headers_of(BODY))

    assert theirs(webhook, headers, BODY) is None
    assert ours(headers, BODY) is reason


@reference
def test_an_id_with_full_stops_is_ours_to_refuse(webhook: Any) -> None:
    """It would let one signature stand for two deliveries."""
    headers = headers_of(BODY, "msg.1")

    assert theirs(webhook, headers, BODY) is None
    assert ours(headers, BODY) is Reason.MALFORMED_ID


@reference
@pytest.mark.parametrize(
    "secret", ["whsec_-_-_" + "A" * 40, "whsec_" + base64.b64encode(b"abc").decode()]
)
def test_secrets_that_they_take_and_we_refuse(webhook: Any, secret: str) -> None:
    """URL-safe characters become another, shorter key; three bytes are no secret."""
    webhook(secret)
    with pytest.raises(UnusableKey):
        KeyRing.parse(secret)


def test_the_right_key_among_others_is_named() -> None:
    """Neither of the two tells which key it was."""
    other = "whsec_" + base64.b64encode(bytes(32)).decode()
    found = verify(KeyRing.parse(f"{other},{SECRET}"), headers_of(BODY), BODY, int(time.time()))
    assert isinstance(found, Verified)
    assert found.key_id == RING.keys[0].id
