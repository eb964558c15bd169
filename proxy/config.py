"""What a proxy reads from the environment."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, model_validator

from ludo.config import CommaList, Duration, Rate, Rates
from ludo.rules_config import RefereeConfig
from ludo.store.archive.config import ArchiveConfig
from ludo.store.config import StoreConfig
from ludo.upstream.config import UpstreamConfig, WebhookConfig
from proxy.relay.config import RelayConfig
from proxy.webhooks.config import ReceiverConfig


class Role(StrEnum):
    """Which routes a process serves; health, metrics and docs are everywhere."""

    ALL = "all"
    API = "api"
    RELAY = "relay"

    @property
    def serves_api(self) -> bool:
        """Whether the facade and the receiver are here."""
        return self is not Role.RELAY

    @property
    def serves_relay(self) -> bool:
        """Whether the relay and the board are here."""
        return self is not Role.API


class Access(StrEnum):
    """Who may come in: `open` lets anonymous callers read, play and watch."""

    REQUIRED = "required"
    OPEN = "open"


def _web_address(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("expected an http:// or https:// address")
    return value


def _origins(values: tuple[str, ...]) -> tuple[str, ...]:
    for value in values:
        parts = urlsplit(value)
        if value != "*" and (not parts.hostname or parts.path or parts.query):
            raise ValueError("expected origins such as https://play.example, without a path")
    return values


def _costs(value: object) -> object:
    if not isinstance(value, str):
        return value
    parts = [part.strip().partition("=") for part in value.split(",") if part.strip()]
    if not all(name and number.isdecimal() and 0 < int(number) < 1000 for name, _, number in parts):
        raise ValueError("expected costs such as Move=2,CreateRoom=10, each 1 to 999")
    return {name: int(number) for name, _, number in parts}


def _can_be_sent(token: SecretStr) -> SecretStr:
    text = token.get_secret_value()
    if not (text.isascii() and text.isprintable()) or " " in text:
        raise ValueError("expected visible ASCII without spaces, as a bearer token has it")
    return token


class ProxyConfig(RefereeConfig):
    """Who may call, how often, and how the process ends."""

    access: Access = Field(
        default=Access.REQUIRED,
        validation_alias="LUDO_AUTH",
        description="required: callers need a JWT; open: anonymous callers read, play and watch",
    )
    jwt_secret: SecretStr | None = Field(
        default=None,
        validation_alias="LUDO_JWT_SECRET",
        description="the secret of callers' HS256 tokens, 32 bytes or more",
    )
    jwks_url: Annotated[str, AfterValidator(_web_address)] | None = Field(
        default=None,
        validation_alias="LUDO_JWKS_URL",
        description="where the public keys of callers' tokens are",
    )
    admin_token: Annotated[SecretStr, AfterValidator(_can_be_sent)] | None = Field(
        default=None,
        validation_alias="LUDO_ADMIN_TOKEN",
        description="bearer token of /admin; unset: /admin is not there",
    )
    quota: Rates = Field(
        default=(Rate(600, 60),),
        validation_alias="LUDO_QUOTA",
        description="a caller's quota, several as 20/1s,600/60s, or off",
    )
    quota_costs: Annotated[Mapping[str, int], BeforeValidator(_costs)] = Field(
        default_factory=dict,
        validation_alias="LUDO_QUOTA_COSTS",
        description="what operations cost of the quota, as Move=2,CreateRoom=10; others cost 1",
    )
    quota_dry_run: bool = Field(
        default=False,
        validation_alias="LUDO_QUOTA_DRY_RUN",
        description="1 only counts and tells what is beyond a quota, and refuses nothing",
    )
    cors_origins: Annotated[CommaList, AfterValidator(_origins)] = Field(
        default=(),
        validation_alias="CORS_ORIGINS",
        description="origins of browsers that may call and watch, by comma",
    )
    trusted_hops: int = Field(
        default=0,
        ge=0,
        le=10,
        validation_alias="LUDO_PROXY_TRUSTED_HOPS",
        description="reverse proxies in front whose X-Forwarded-For is believed",
    )
    layer_bytes: int = Field(
        default=16 * 1024 * 1024,
        ge=0,
        le=1024 * 1024 * 1024,
        validation_alias="LUDO_PROXY_LAYER_BYTES",
        description="answers that a process may hold in front of the shared cache; 0 holds none",
    )
    drain: Duration = Field(
        default=20.0,
        validation_alias="LUDO_DRAIN",
        description="how long clients are sent away gently after SIGTERM",
    )
    dev: bool = Field(
        default=False,
        validation_alias="LUDO_DEV",
        description="1 adds POST /token, which makes tokens for anybody; without LUDO_JWT_SECRET "
        "a secret is made and kept in LUDO_DATA_DIR",
    )

    @model_validator(mode="after")
    def _can_verify(self) -> Self:
        # In development a secret is made and kept (proxy/devsecret.py).
        known = self.dev or self.jwt_secret is not None or self.jwks_url is not None
        if self.access is Access.REQUIRED and not known:
            raise ValueError(
                "LUDO_AUTH: expected LUDO_JWT_SECRET or LUDO_JWKS_URL to verify tokens with; "
                "found neither (LUDO_AUTH=open lets anonymous callers in)"
            )
        return self

    @model_validator(mode="after")
    def _can_be_paid(self) -> Self:
        for name, cost in self.quota_costs.items():
            if any(cost > rate.limit for rate in self.quota):
                raise ValueError(
                    "LUDO_QUOTA_COSTS: expected costs within every rate of LUDO_QUOTA; "
                    f"found {name}={cost}"
                )
        return self


@dataclass(frozen=True, slots=True)
class ProxySettings:
    """All the settings of a proxy process, by room."""

    proxy: ProxyConfig
    store: StoreConfig
    upstream: UpstreamConfig
    webhooks: WebhookConfig
    receiver: ReceiverConfig = field(default_factory=ReceiverConfig)
    relay: RelayConfig = field(default_factory=RelayConfig)
    archive: ArchiveConfig = field(default_factory=ArchiveConfig)

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        """The settings that the environment gives; raises ConfigError."""
        return cls(
            ProxyConfig.from_env(environ),
            StoreConfig.from_env(environ),
            UpstreamConfig.from_env(environ),
            WebhookConfig.from_env(environ),
            ReceiverConfig.from_env(environ),
            RelayConfig.from_env(environ),
            ArchiveConfig.from_env(environ),
        )
