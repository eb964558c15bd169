"""What the sandbox reads from the environment."""

import pytest

from ludo.config import ConfigError, Rate
from ludo.rules.ruleset import RuleSet
from sandbox.config import SandboxConfig
from sandbox.faults import PROFILES
from tests.sandbox.builders import SECRET

URL = "http://127.0.0.1:8000/webhooks/ludo"


def test_nothing_need_be_set() -> None:
    """Out of the box it answers on loopback and delivers nowhere."""
    config = SandboxConfig.from_env({})

    assert (config.host, config.webhook_url, config.limit) == ("127.0.0.1", None, Rate(100, 60))
    assert config.faults == {}


def test_texts_become_values() -> None:
    """Faults, waits, limits, durations and rules are read once."""
    config = SandboxConfig.from_env(
        {
            "LUDO_SANDBOX_FAULTS": "lossless",
            "LUDO_SANDBOX_RETRY": "50ms,1s",
            "LUDO_SANDBOX_LIMIT": "off",
            "LUDO_SANDBOX_TURN_TIMER": "2s",
            "LUDO_SANDBOX_WEBHOOK_URL": URL,
            "LUDO_SANDBOX_WEBHOOK_SECRET": SECRET,
            "LUDO_RULES": "blocks=on",
        }
    )

    assert config.faults == PROFILES["lossless"]
    assert config.schedule.waits == (0.05, 1.0)
    assert (config.limit, config.turn_timer) == (None, 2.0)
    assert config.rules == RuleSet(blocks=True)


@pytest.mark.parametrize(
    ("variable", "text", "others"),
    [
        ("LUDO_SANDBOX_FAULTS", "most", {}),
        ("LUDO_SANDBOX_RETRY", "soon", {}),
        ("LUDO_SANDBOX_WEBHOOK_URL", "ftp://x/", {"LUDO_SANDBOX_WEBHOOK_SECRET": SECRET}),
        ("LUDO_SANDBOX_WEBHOOK_SECRET", "whsec_dG9vIHNob3J0", {}),
        ("LUDO_SANDBOX_WEBHOOK_SECRET", "", {"LUDO_SANDBOX_WEBHOOK_URL": URL}),
        ("LUDO_SANDBOX_SPEED", "-1", {}),
        ("LUDO_SANDBOX_TURN_TIMER", "0s", {}),
    ],
)
def test_a_wrong_setting_is_one_clear_line(
    variable: str, text: str, others: dict[str, str]
) -> None:
    """It names the variable and what was expected, and shows no secret."""
    with pytest.raises(ConfigError) as refused:
        SandboxConfig.from_env({variable: text, **others})

    assert str(refused.value).startswith(f"{variable}: ")
    assert "\n" not in str(refused.value)
    assert not ("SECRET" in variable and text and text in str(refused.value))
