"""Where the relay is found."""

from typing import Annotated, Any

from litestar import WebSocket, websocket
from litestar.handlers import WebsocketRouteHandler
from litestar.params import Parameter

from proxy.relay.relay import Relay

_Name = Annotated[str, Parameter(min_length=1, max_length=128)]


def relay_routes(relay: Relay) -> list[WebsocketRouteHandler]:
    """The WebSocket paths of one relay."""

    @websocket("/ws", name="relay")
    async def any_game(socket: WebSocket[Any, Any, Any]) -> None:
        await relay.serve(socket)

    @websocket("/ws/games/{game_id:str}", name="relay-game")
    async def one_game(socket: WebSocket[Any, Any, Any], game_id: _Name) -> None:
        await relay.serve(socket, game=game_id)

    @websocket("/ws/game/{room_code:str}", name="relay-room")
    async def game_of_room(socket: WebSocket[Any, Any, Any], room_code: _Name) -> None:
        await relay.serve(socket, room=room_code)

    return [any_game, one_game, game_of_room]
