"""What the relay reads from the environment."""

from typing import Annotated

from pydantic import Field, StringConstraints

from ludo.config import EnvConfig, Rate, Rates
from proxy.relay.limits import Limits


class RelayConfig(EnvConfig):
    """Who may watch, and what clients may say to each other."""

    table_talk: bool = Field(
        default=False,
        validation_alias="LUDO_RELAY_TABLE_TALK",
        description="on: clients of a game hear what others say; nothing is kept",
    )
    talk_limit: Rates = Field(
        default=(Rate(10, 10),),
        validation_alias="LUDO_RELAY_TALK_LIMIT",
        description="how often one client may say something, over all replicas",
    )
    spectators: bool = Field(
        default=True,
        validation_alias="LUDO_RELAY_SPECTATORS",
        description="off: only the players of a game may watch it",
    )
    user_connections: int = Field(
        default=10,
        ge=1,
        le=10_000,
        validation_alias="LUDO_RELAY_USER_CONNECTIONS",
        description="connections of one user, over all replicas",
    )
    cookie: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,64}$")] = Field(
        default="ludo_token",
        validation_alias="LUDO_RELAY_COOKIE",
        description="the cookie in which a browser may have its token",
    )
    compression: bool = Field(
        default=False,
        validation_alias="LUDO_RELAY_COMPRESSION",
        description="on: permessage-deflate, a third of the bytes for 34 KiB more a connection",
    )

    @property
    def limits(self) -> Limits:
        """The protocol's numbers with these in them."""
        return Limits(
            table_talk=self.table_talk,
            spectators=self.spectators,
            user_connections=self.user_connections,
        )
