"""Who acts in a request: the token's player, or in open mode whom the body names."""

from typing import Any, Final

from proxy.errors import BadRequest, NotAllowed
from proxy.relay.callers import Caller

Body = dict[str, Any]
_NAMES: Final = ("playerId", "player_id")
_LONGEST: Final = 128


def acting(body: Body, caller: Caller, *, name: str = "playerId") -> Body:
    """The body with the acting player under `name`, in whichever casing it came.

    Raises NotAllowed when a token's player acts for another one.
    """
    named = {body[each] for each in _NAMES if body.get(each) is not None and _is_id(body[each])}
    rest = {key: value for key, value in body.items() if key not in _NAMES}
    if caller.sub is not None and named - {caller.sub}:
        raise NotAllowed(f"expected to act as {caller.sub!r}, the token's player; found another")
    if len(named) > 1:
        raise BadRequest("expected one player; found `playerId` and `player_id` that differ")
    player = caller.sub or next(iter(named), None)
    return rest if player is None else {**rest, name: player}


def _is_id(value: object) -> bool:
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST:
        raise BadRequest(f"expected `playerId` to be a text of 1–{_LONGEST} characters")
    return True
