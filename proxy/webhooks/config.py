"""How much the receiver takes."""

from pydantic import Field

from ludo.config import Duration, EnvConfig, Rates
from ludo.store.inbox import BACKLOG


class ReceiverConfig(EnvConfig):
    """The receiver's bounds; what deliveries are verified with is `WebhookConfig`'s."""

    backlog: int = Field(
        default=BACKLOG,
        ge=1,
        validation_alias="LUDO_WEBHOOK_BACKLOG",
        description="undecided events of all games, beyond which deliveries are to come again",
    )
    quota: Rates = Field(
        default=(),
        validation_alias="LUDO_WEBHOOK_QUOTA",
        description="genuine deliveries a signing key may make, several as 500/1s,6000/60s, or off",
    )
    body_limit: int = Field(
        default=256 * 1024,
        ge=1_024,
        le=16 * 1024 * 1024,
        validation_alias="LUDO_WEBHOOK_BODY_LIMIT",
        description="bytes of a body, beyond which a delivery is refused",
    )
    body_within: Duration = Field(
        default=10.0,
        gt=0,
        validation_alias="LUDO_WEBHOOK_BODY_TIMEOUT",
        description="how long a body may take to come in",
    )
