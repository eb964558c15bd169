"""By which rules is played, and how strictly: read alike by proxy, workers and sandbox."""

from typing import Annotated

from pydantic import BeforeValidator, Field

from ludo.config import EnvConfig
from ludo.mirror.mirror import Referee, Strictness
from ludo.rules.ruleset import RuleSet


def _rules(value: object) -> object:
    return RuleSet.parse(value) if isinstance(value, str) else value


class RulesConfig(EnvConfig):
    """The switches of the rules."""

    rules: Annotated[RuleSet, BeforeValidator(_rules)] = Field(
        default=RuleSet(),
        validation_alias="LUDO_RULES",
        description="switches of the rules, name=value,…",
    )


class RefereeConfig(RulesConfig):
    """The switches, and what becomes of what they forbid."""

    strictness: Strictness = Field(
        default=Strictness.ENFORCE,
        validation_alias="LUDO_REFEREE",
        description="what becomes of moves and events that the rules refuse: "
        "enforce, observe or off",
    )

    @property
    def referee(self) -> Referee:
        """Who judges moves before they go out, and events that come in."""
        return Referee(self.rules, self.strictness)
