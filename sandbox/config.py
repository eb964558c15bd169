"""What the sandbox reads from the environment."""

from collections.abc import Mapping
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, SecretStr, field_validator, model_validator

from ludo.config import Duration, OptionalRate, Rate, parse_duration
from ludo.rules_config import RulesConfig
from ludo.upstream.keyring import SigningKey
from sandbox.faults import Fault, parse_rates
from sandbox.retry import Schedule


def _rates(value: object) -> object:
    return parse_rates(value) if isinstance(value, str) else value


def _waits(value: object) -> object:
    if not isinstance(value, str):
        return value
    return tuple(parse_duration(part) for part in value.split(","))


class SandboxConfig(RulesConfig):
    """How the sandbox plays, answers and delivers."""

    host: str = Field(
        default="127.0.0.1",
        validation_alias="LUDO_SANDBOX_HOST",
        description="address that the sandbox listens on",
    )
    port: int = Field(
        default=8100,
        ge=0,
        le=65535,
        validation_alias="LUDO_SANDBOX_PORT",
        description="port that the sandbox listens on; 0 takes a free one",
    )
    api_key: SecretStr = Field(
        default=SecretStr("lk_test_sandbox"),
        min_length=1,
        validation_alias="LUDO_SANDBOX_API_KEY",
        description="the API key that callers of the sandbox have to send",
    )
    webhook_url: str | None = Field(
        default=None,
        validation_alias="LUDO_SANDBOX_WEBHOOK_URL",
        description="where the sandbox delivers its webhooks; unset: nowhere",
    )
    webhook_secret: SecretStr | None = Field(
        default=None,
        validation_alias="LUDO_SANDBOX_WEBHOOK_SECRET",
        description="what deliveries are signed with: whsec_… (v1) or whsk_… (v1a)",
    )
    seed: str | None = Field(
        default=None,
        validation_alias="LUDO_SANDBOX_SEED",
        description="what dice, bots and faults follow from; unset: another at every start",
    )
    games: int = Field(
        default=0,
        ge=0,
        le=1_000,
        validation_alias="LUDO_SANDBOX_GAMES",
        description="bots' games that are kept running all the time",
    )
    total: int | None = Field(
        default=None,
        ge=0,
        validation_alias="LUDO_SANDBOX_TOTAL",
        description="bots' games after which no further one is started; unset: no end",
    )
    speed: float = Field(
        default=2.0,
        ge=0,
        le=1_000,
        validation_alias="LUDO_SANDBOX_SPEED",
        description="a bot's rolls and moves a second; 0: as fast as deliveries allow",
    )
    turn_timer: Duration = Field(
        default=30.0,
        gt=0,
        validation_alias="LUDO_SANDBOX_TURN_TIMER",
        description="how long a player may think before the sandbox plays",
    )
    faults: Annotated[Mapping[Fault, float], BeforeValidator(_rates)] = Field(
        default_factory=dict,
        validation_alias="LUDO_SANDBOX_FAULTS",
        description="none, lossless or all, and rates as fault=0.1, by commas",
    )
    longest_delay: Duration = Field(
        default=1.5,
        validation_alias="LUDO_SANDBOX_DELAY",
        description="how late a late event or a slow answer can be",
    )
    limit: OptionalRate = Field(
        default=Rate(100, 60),
        validation_alias="LUDO_SANDBOX_LIMIT",
        description="requests that a key may make, N/Ss, or off",
    )
    waits: Annotated[tuple[float, ...], BeforeValidator(_waits)] = Field(
        default=Schedule().waits,
        min_length=1,
        validation_alias="LUDO_SANDBOX_RETRY",
        description="waits between the attempts to deliver, by commas; the last one repeats",
    )
    attempts: int = Field(
        default=Schedule().attempts,
        ge=1,
        validation_alias="LUDO_SANDBOX_ATTEMPTS",
        description="attempts to deliver an event before it is given up",
    )
    connections: int = Field(
        default=32,
        ge=1,
        le=1_000,
        validation_alias="LUDO_SANDBOX_CONNECTIONS",
        description="deliveries that may be under way at once",
    )
    queue: int = Field(
        default=10_000,
        ge=1,
        validation_alias="LUDO_SANDBOX_QUEUE",
        description="pending deliveries beyond which the games wait",
    )
    keep: int = Field(
        default=1_000,
        ge=1,
        validation_alias="LUDO_SANDBOX_KEEP",
        description="closed rooms with their games that are remembered",
    )

    @field_validator("webhook_url")
    @classmethod
    def _is_address(cls, value: str | None) -> str | None:
        if value is not None:
            parts = urlsplit(value)
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise ValueError("expected an http:// or https:// address")
        return value

    @field_validator("webhook_secret")
    @classmethod
    def _is_key(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            SigningKey.parse(value.get_secret_value())
        return value

    @model_validator(mode="after")
    def _deliveries_are_signed(self) -> Self:
        if self.webhook_url is not None and self.webhook_secret is None:
            raise ValueError(
                "LUDO_SANDBOX_WEBHOOK_SECRET: expected whsec_… or whsk_… to sign the deliveries "
                "to LUDO_SANDBOX_WEBHOOK_URL with; found none"
            )
        return self

    @property
    def schedule(self) -> Schedule:
        """When deliveries are tried again."""
        return Schedule(self.waits, self.attempts)
