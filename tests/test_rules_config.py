"""The rules in force are the same for everybody who plays by them or judges by them."""

import pytest

from ludo.config import ConfigError, EnvConfig
from ludo.mirror.mirror import Referee, Strictness
from ludo.rules.ruleset import RuleSet
from ludo.rules_config import RefereeConfig, RulesConfig
from proxy.config import ProxyConfig
from sandbox.config import SandboxConfig
from workers.config import WorkerConfig

SET = {"LUDO_RULES": "blocks=on, max_consecutive_sixes=2", "LUDO_REFEREE": "observe"}
OTHERS = {"LUDO_AUTH": "open"}
RULES = RuleSet(blocks=True, max_consecutive_sixes=2)


def test_the_clauses_as_written_are_enforced_unless_said_otherwise() -> None:
    """An empty environment has no switch away from its default."""
    assert RefereeConfig.from_env({}).referee == Referee(RuleSet(), Strictness.ENFORCE)


@pytest.mark.parametrize("kind", [ProxyConfig, WorkerConfig])
def test_proxies_and_workers_have_the_same_referee(kind: type[RefereeConfig]) -> None:
    """What the facade refuses and what a worker refuses follow from the same two variables."""
    assert kind.from_env(SET | OTHERS).referee == Referee(RULES, Strictness.OBSERVE)


def test_the_sandbox_plays_by_the_rules_that_the_workers_judge_by() -> None:
    """Otherwise its own games would be refused."""
    assert SandboxConfig.from_env(SET).rules == RULES


@pytest.mark.parametrize("kind", [RulesConfig, ProxyConfig, WorkerConfig, SandboxConfig])
def test_a_switch_that_is_not_there_is_named(kind: type[EnvConfig]) -> None:
    """With the switches that there are."""
    with pytest.raises(
        ConfigError, match=r"LUDO_RULES: expected one of blocks, .*; found"
    ) as error:
        kind.from_env(OTHERS | {"LUDO_RULES": "safe=on"})
    assert "\n" not in str(error.value)
