"""The keys of webhook deliveries: parsed strictly, dated, never shown."""

import base64
import json
from datetime import UTC, datetime

import pytest

from ludo.upstream.keyring import KeyRing, Scheme, SigningKey, UnusableKey, VerifyingKey

SECRET = "whsec_" + base64.b64encode(bytes(range(24))).decode()
OTHER_SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
PUBLIC = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4="
PRIVATE = (
    "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg=="
)


def refusal(text: str) -> str:
    """What the ring says about a text that it cannot use."""
    with pytest.raises(UnusableKey) as refused:
        KeyRing.parse(text)
    return str(refused.value)


def test_a_comma_list_holds_both_schemes() -> None:
    """Shared secrets and public keys stand side by side, which is what a rotation needs."""
    ring = KeyRing.parse(f"{SECRET}, {PUBLIC},")
    assert [key.scheme for key in ring.keys] == [Scheme.HMAC_SHA256, Scheme.ED25519]
    assert all(key.counts_at(0) for key in ring.keys)


def test_a_file_may_have_a_key_a_line() -> None:
    """Which is how a mounted file is written by hand."""
    assert KeyRing.parse(f"{SECRET}\r\n{PUBLIC}\n\n") == KeyRing.parse(f"{SECRET},{PUBLIC}")


def test_an_empty_text_is_an_empty_ring() -> None:
    """No secrets is a state of its own: the receiver then refuses everything."""
    assert not KeyRing.parse("  ")
    assert not KeyRing.parse("[]")


def test_a_json_list_names_and_dates_keys() -> None:
    """Ids and times of the JSON form reach the keys, times as Unix seconds."""
    text = json.dumps(
        [
            {"id": "old", "key": SECRET, "not_after": "2026-01-01T00:00:00Z"},
            {"id": "new", "key": OTHER_SECRET, "not_before": "2025-12-31T23:00:00+00:00"},
        ]
    )
    old, new = KeyRing.parse(text).keys
    turn = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp())
    assert (old.id, old.not_after, new.id, new.not_before) == ("old", turn, "new", turn - 3600)


def test_a_key_counts_from_its_start_to_just_before_its_end() -> None:
    """The end is the first second in which the key is worth nothing."""
    key = VerifyingKey.parse(SECRET, not_before=100, not_after=200)
    assert [key.counts_at(now) for now in (99, 100, 199, 200)] == [False, True, True, False]


def test_an_unnamed_key_keeps_its_id_when_others_come_and_go() -> None:
    """The id is a fingerprint of the key, not its place in the list."""
    alone, among = KeyRing.parse(SECRET), KeyRing.parse(f"{OTHER_SECRET},{SECRET}")
    assert alone.keys[0].id == among.keys[1].id
    assert alone.keys[0].id != among.keys[0].id


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("hunter2", "key 1: expected a key whsec_… or whpk_…; found another prefix"),
        (PRIVATE, "key 1: expected a key whsec_… or whpk_…; found another prefix"),
        (f"{SECRET},whsec_!", "key 2: expected standard base64 after the prefix"),
        ("whsec_" + "-_" * 20, "key 1: expected standard base64 after the prefix"),
        (
            "whsec_" + base64.b64encode(bytes(23)).decode(),
            "key 1: expected a secret of 24 to 64 bytes; found 23",
        ),
        (
            "whsec_" + base64.b64encode(bytes(65)).decode(),
            "key 1: expected a secret of 24 to 64 bytes; found 65",
        ),
        ("whpk_AAAA", "key 1: expected a public key of 32 bytes; found 3"),
        (
            f"{SECRET},{SECRET}",
            "expected keys that differ, under ids that differ; found a repetition",
        ),
        ('[{"key": "' + SECRET + '", "nbf": 1}]', "expected a JSON list of"),
        ("[", "expected a JSON list of"),
        (
            json.dumps([{"key": SECRET, "not_before": "2026-01-01T00:00:00"}]),
            "key 1: expected not_before with its offset, such as 2026-01-31T12:00:00Z",
        ),
        (
            json.dumps(
                [
                    {
                        "key": SECRET,
                        "not_before": "2026-01-02T00:00:00Z",
                        "not_after": "2026-01-01T00:00:00Z",
                    }
                ]
            ),
            "key 1: expected not_after to be later than not_before",
        ),
    ],
)
def test_an_unusable_key_is_refused_without_being_repeated(text: str, complaint: str) -> None:
    """The message says which entry and what was expected, never what the secret was."""
    assert refusal(text).startswith(complaint)
    assert SECRET not in refusal(text)


def test_too_many_keys_are_refused() -> None:
    """Each key costs work for each delivery, so their number is bounded."""
    secrets = ["whsec_" + base64.b64encode(bytes([n] * 24)).decode() for n in range(17)]
    assert refusal(",".join(secrets)) == "expected at most 16 keys; found 17"


def test_an_unpadded_secret_is_accepted() -> None:
    """Dashboards show secrets without their padding."""
    padded = "whsec_" + base64.b64encode(bytes(range(25))).decode()
    assert VerifyingKey.parse(padded.rstrip("=")).material == bytes(range(25))


def test_keys_never_show_themselves() -> None:
    """A key in a log line or a traceback tells its id and nothing else."""
    shown = repr(KeyRing.parse(SECRET)) + repr(SigningKey.parse(SECRET))
    assert SECRET.removeprefix("whsec_") not in shown
    assert repr(bytes(range(24))) not in shown


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (PUBLIC, "expected a signing key, whsec_… or whsk_…"),
        ("whsk_AAAA", "expected a private key of 32 or 64 bytes; found 3"),
        (
            "whsk_" + base64.b64encode(bytes(64)).decode(),
            "expected a private key followed by its own public key",
        ),
    ],
)
def test_what_cannot_sign_is_refused(text: str, complaint: str) -> None:
    """Signing takes a shared secret or a whole private key."""
    with pytest.raises(UnusableKey, match=complaint):
        SigningKey.parse(text)


def test_a_private_key_may_come_as_its_seed_alone() -> None:
    """The 32 bytes of the seed and the 64 bytes with the public half are the same key."""
    whole = base64.b64decode(PRIVATE.removeprefix("whsk_"))
    seed = "whsk_" + base64.b64encode(whole[:32]).decode()
    assert SigningKey.parse(seed) == SigningKey.parse(PRIVATE)
