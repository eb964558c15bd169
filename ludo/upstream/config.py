"""Where upstream is, what it allows, and how long it is waited for."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr

from ludo.config import Duration, EnvConfig, OptionalRate, Rate
from ludo.upstream.keyring import KeyRing
from ludo.upstream.timeouts import Timeouts

DEFAULT_BASE_URL = "https://api.ludokingapi.site/v1"


def _is_http(value: str) -> str:
    return _has_scheme(value, "http", "https")


def _is_ws(value: str) -> str:
    return _has_scheme(value, "ws", "wss")


def _has_scheme(value: str, *schemes: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in schemes or not parts.hostname or parts.query or parts.fragment:
        raise ValueError(f"expected an address such as {schemes[-1]}://host/path")
    return value.rstrip("/")


class UpstreamConfig(EnvConfig):
    """What a process that calls upstream has to know."""

    api_key: SecretStr | None = Field(
        default=None,
        validation_alias="LUDO_API_KEY",
        description="key for upstream; unset: calls go out without one, and upstream refuses them",
    )
    base_url: Annotated[str, AfterValidator(_is_http)] = Field(
        default=DEFAULT_BASE_URL,
        validation_alias="LUDO_API_BASE_URL",
        description="upstream's REST address, version included",
    )
    ws_url: Annotated[str, AfterValidator(_is_ws)] | None = Field(
        default=None,
        validation_alias="LUDO_WS_URL",
        description="upstream's WebSocket; unset: none is opened",
    )
    limit: OptionalRate = Field(
        default=Rate(100, 60),
        validation_alias="LUDO_UPSTREAM_LIMIT",
        description="upstream's budget for all replicas together, N/Ss, or off",
    )
    attempt: Duration = Field(
        default=Timeouts().attempt,
        gt=0,
        validation_alias="LUDO_UPSTREAM_TIMEOUT",
        description="how long one attempt may take, from permit to last byte",
    )
    connect: Duration = Field(
        default=Timeouts().connect,
        gt=0,
        validation_alias="LUDO_UPSTREAM_CONNECT_TIMEOUT",
        description="how long a connection may take to be made",
    )
    deadline: Duration = Field(
        default=Timeouts().deadline,
        gt=0,
        validation_alias="LUDO_UPSTREAM_DEADLINE",
        description="how long a call may take with all its attempts and waits",
    )
    attempts: int = Field(
        default=3,
        ge=1,
        le=5,
        validation_alias="LUDO_UPSTREAM_ATTEMPTS",
        description="attempts of a call that may be repeated; 1 switches retries off",
    )
    connections: int = Field(
        default=Timeouts().connections,
        ge=1,
        le=1_000,
        validation_alias="LUDO_UPSTREAM_CONNECTIONS",
        description="connections to upstream that a process may hold",
    )

    @property
    def timeouts(self) -> Timeouts:
        """How long a client waits, and on how many connections."""
        return Timeouts(
            attempt=self.attempt,
            connect=self.connect,
            deadline=self.deadline,
            connections=self.connections,
        )


def _is_ring(value: SecretStr) -> SecretStr:
    KeyRing.parse(value.get_secret_value())
    return value


class WebhookConfig(EnvConfig):
    """What deliveries of upstream are checked with."""

    secrets: Annotated[SecretStr, AfterValidator(_is_ring)] = Field(
        default=SecretStr(""),
        validation_alias="LUDO_WEBHOOK_SECRETS",
        description=(
            "whsec_…/whpk_… by commas, or a JSON list of "
            '{"id","key","not_before","not_after"}; none: every delivery is refused'
        ),
    )

    secrets_file: Path | None = Field(
        default=None,
        validation_alias="LUDO_WEBHOOK_SECRETS_FILE",
        description="file with the secrets, followed when it changes; the variable comes first",
    )

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        """These settings; a file that the variable makes useless is not followed either."""
        if environ.get("LUDO_WEBHOOK_SECRETS"):
            environ = {**environ, "LUDO_WEBHOOK_SECRETS_FILE": ""}
        return super().from_env(environ)

    @property
    def ring(self) -> KeyRing:
        """The keys that count; empty without secrets."""
        return KeyRing.parse(self.secrets.get_secret_value())
