"""The verifier against deliveries by seed: it never raises, and accepts only what is genuine."""

import os
import random
from collections import Counter

import pytest

from ludo.upstream.signing import Reason, Refused, Verified, verify
from tests.upstream.deliveries import NOW, RING, a_delivery, signer_of

NAMES = ("webhook-id", "webhook-timestamp", "webhook-signature")


def tried(seed: int, cases: int) -> Counter[str]:
    """Verifies so many deliveries of a seed; how often each verdict came."""
    chance = random.Random(seed)
    verdicts: Counter[str] = Counter()
    for number in range(cases):
        sent = a_delivery(chance)
        now = NOW + chance.choice((0, 0, 0, -1, 1, -11))
        expected = signer_of(sent.headers, sent.body, now)
        found = verify(RING, sent.headers, sent.body, now)
        told = f"seed {seed}, case {number}: {sent}, at {now}: {found}"
        assert isinstance(found, Verified | Refused), told
        assert (found.key_id if isinstance(found, Verified) else None) == expected, told
        verdicts["verified" if isinstance(found, Verified) else found.reason] += 1
    return verdicts


def test_fifty_thousand_deliveries() -> None:
    """Every verdict that there is comes up, and each is right."""
    seed = int(os.environ.get("LUDO_TEST_SEED", "20261121"))
    verdicts = tried(seed, 50_000)

    assert verdicts["verified"] > 5_000
    assert set(verdicts) == {"verified", *Reason} - {Reason.NO_KEYS}


@pytest.mark.prove
@pytest.mark.parametrize("seed", range(10))
def test_a_million_deliveries(seed: int) -> None:
    """The same, a hundred thousand for each of ten seeds."""
    assert tried(seed, 100_000)["verified"] > 10_000
