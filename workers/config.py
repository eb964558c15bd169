"""What a worker reads from the environment."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import BeforeValidator, Field

from ludo.config import Duration, EnvConfig
from ludo.mirror.mirror import Referee, Strictness
from ludo.mirror.owed import Pace
from ludo.rules.ruleset import RuleSet
from ludo.store.config import StoreConfig
from ludo.upstream.config import UpstreamConfig
from workers.planning import Policy


def _rules(value: object) -> object:
    return RuleSet.parse(value) if isinstance(value, str) else value


class WorkerConfig(EnvConfig):
    """How events are judged, and how patient the mirror is."""

    strictness: Strictness = Field(
        default=Strictness.ENFORCE,
        validation_alias="LUDO_REFEREE",
        description="what happens to an event that the rules refuse: enforce, observe or off",
    )
    rules: Annotated[RuleSet, BeforeValidator(_rules)] = Field(
        default=RuleSet(),
        validation_alias="LUDO_RULES",
        description="switches of the rules, name=value,…",
    )
    gap_wait: Duration = Field(
        default=1.0,
        validation_alias="LUDO_GAP_WAIT",
        description="how long a gap may stay open before the state is fetched",
    )
    silence: Duration = Field(
        default=45.0,
        validation_alias="LUDO_WORKERS_SILENCE",
        description="how long a live game may say nothing before upstream is asked",
    )
    jobs: int = Field(
        default=50,
        ge=1,
        le=500,
        validation_alias="LUDO_WORKERS_JOBS",
        description="games that one worker brings up to date at the same time",
    )

    @property
    def policy(self) -> Policy:
        """What decisions depend on."""
        pace = Pace(gap_wait=int(self.gap_wait * 1000), silence=int(self.silence * 1000))
        return Policy(Referee(self.rules, self.strictness), pace)


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """All the settings of a worker process, by room."""

    worker: WorkerConfig
    store: StoreConfig
    upstream: UpstreamConfig

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "WorkerSettings":
        """The settings that the environment gives; raises ConfigError."""
        return cls(
            WorkerConfig.from_env(environ),
            StoreConfig.from_env(environ),
            UpstreamConfig.from_env(environ),
        )
