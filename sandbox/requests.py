"""Bodies of requests, checked once; both casings are read."""

from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from ludo.rules.ruleset import GameMode
from ludo.rules.track import Color
from sandbox.answers import Refusal
from sandbox.lobby import Order

Name = Annotated[str, Field(min_length=1, max_length=32)]
Id = Annotated[str, Field(min_length=1, max_length=128)]


class _Body(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True)


class CreateRoom(_Body):
    """`POST /rooms`; what follows `game_mode` is the sandbox' own (see lobby.Order)."""

    max_players: int = Field(default=4, ge=2, le=4)
    game_mode: GameMode = GameMode.CLASSIC
    bots: int = Field(default=0, ge=0)
    seed: str | int | None = None
    speed: float | None = Field(default=None, ge=0, le=1_000)
    autostart: bool = False

    @model_validator(mode="after")
    def _bots_have_seats(self) -> "CreateRoom":
        if self.bots > self.max_players:
            raise ValueError(f"expected at most {self.max_players} bots; found {self.bots}")
        return self

    def order(self) -> Order:
        """The room that is asked for."""
        seed = None if self.seed is None else str(self.seed)
        return Order(self.max_players, self.game_mode, self.bots, seed, self.speed, self.autostart)


class JoinRoom(_Body):
    """`POST /rooms/{code}/join`; without `player_id` a player is registered."""

    player_name: Name
    color: Color | None = None
    player_id: Id | None = None


class LeaveRoom(_Body):
    """`POST /rooms/{code}/leave`."""

    player_id: Id


class RegisterPlayer(_Body):
    """`POST /players`."""

    player_name: Name


class Roll(_Body):
    """`POST /games/{id}/roll`; without `player_id` whoever is in turn rolls."""

    player_id: Id | None = None


class Move(_Body):
    """`POST /games/{id}/move`; without `player_id` whoever is in turn moves."""

    piece_id: Id
    target_position: int = Field(strict=True)
    player_id: Id | None = None


class Validate(_Body):
    """`POST /games/{id}/validate`: would this player's piece 0–3 move by this roll now?"""

    player_id: Id
    token_index: int = Field(ge=0, le=3)
    dice_value: int = Field(ge=1, le=6)


class SetFaults(BaseModel):
    """`POST /sandbox/faults`: a text as in LUDO_SANDBOX_FAULTS."""

    faults: str


B = TypeVar("B", bound=BaseModel)


def parse(model: type[B], raw: bytes) -> B | Refusal:
    """The body as that model, an empty one as an empty object; or 400 with the first mistake."""
    try:
        return model.model_validate_json(raw.strip() or b"{}")
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "body"
        message = first["msg"].removeprefix("Value error, ")
        return Refusal(400, "BAD_REQUEST", f"{where}: {message}")
