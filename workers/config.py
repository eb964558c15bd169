"""What a worker reads from the environment."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from pydantic import Field

from ludo.config import Duration
from ludo.mirror.owed import Pace
from ludo.rules_config import RefereeConfig
from ludo.store.archive.config import ArchiveConfig
from ludo.store.config import StoreConfig
from ludo.upstream.config import UpstreamConfig
from workers.planning import Policy


class WorkerConfig(RefereeConfig):
    """How patient the mirror is, and how much a worker does at once."""

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
        description="questions to upstream, and other jobs, that one worker has at the same time",
    )

    sockets: int = Field(
        default=200,
        ge=1,
        le=2_000,
        validation_alias="LUDO_WORKERS_SOCKETS",
        description="rooms followed over LUDO_WS_URL at once, by the one worker that does it",
    )
    rooms_every: Duration = Field(
        default=10.0,
        gt=0,
        validation_alias="LUDO_WORKERS_ROOMS_EVERY",
        description="how often that worker asks upstream which rooms there are",
    )

    @property
    def policy(self) -> Policy:
        """What decisions depend on."""
        pace = Pace(gap_wait=int(self.gap_wait * 1000), silence=int(self.silence * 1000))
        return Policy(self.referee, pace)


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """All the settings of a worker process, by room."""

    worker: WorkerConfig
    store: StoreConfig
    upstream: UpstreamConfig
    archive: ArchiveConfig = field(default_factory=ArchiveConfig)

    @property
    def policy(self) -> Policy:
        """What decisions depend on."""
        policy = self.worker.policy
        return replace(policy, pace=replace(policy.pace, hot=int(self.archive.after * 1000)))

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "WorkerSettings":
        """The settings that the environment gives; raises ConfigError."""
        return cls(
            WorkerConfig.from_env(environ),
            StoreConfig.from_env(environ),
            UpstreamConfig.from_env(environ),
            ArchiveConfig.from_env(environ),
        )
