"""`/asyncapi.json`: the protocol as AsyncAPI 3, made from the types of its frames."""

from typing import Any, Final

import msgspec
from litestar.handlers import HTTPRouteHandler

from ludo.store.feed import DeltaFrame
from proxy.pages import Page, pages_route
from proxy.relay.codes import Code
from proxy.relay.frames import (
    SUBPROTOCOL,
    Auth,
    Bye,
    Ended,
    Err,
    Hello,
    Live,
    MirrorFrame,
    Ok,
    Ping,
    Pong,
    PresenceFrame,
    Removed,
    Resync,
    SaidFrame,
    Say,
    ServerPing,
    ServerPong,
    SnapFrame,
    Sub,
    Unsub,
    Welcome,
)

RECEIVED: Final = (Hello, Sub, Unsub, Auth, Resync, Say, Ping, Pong)
SENT: Final = (
    Welcome,
    SnapFrame,
    DeltaFrame,
    Live,
    MirrorFrame,
    PresenceFrame,
    SaidFrame,
    Ended,
    ServerPing,
    ServerPong,
    Ok,
    Err,
    Removed,
    Bye,
)
_REF: Final = "#/components/schemas/{name}"
_POLICY: Final = "default-src 'none'; frame-ancestors 'none'"
_CHANNELS: Final = {
    "any": ("/ws", "Every game that is subscribed to.", ()),
    "game": ("/ws/games/{gameId}", "Subscribes to one game by itself.", ("gameId",)),
    "room": ("/ws/game/{roomCode}", "Subscribes to the game that a room plays.", ("roomCode",)),
}


def document() -> dict[str, Any]:
    """The whole description; nothing in it depends on the deployment."""
    schemas = msgspec.json.schema_components((*RECEIVED, *SENT), ref_template=_REF)[1]
    # `v` is looked at before the rest of a hello is read.
    schemas["Hello"]["properties"]["v"] = {"const": 1}
    schemas["Hello"]["required"].append("v")
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "ludo-proxy relay",
            "version": "1",
            "description": f"`{SUBPROTOCOL}`: a snapshot of a game, then every change. Unknown "
            "frames and fields are ignored. `GET /v1/games/{gameId}/events` sends the same frames "
            "as server-sent events.",
        },
        "defaultContentType": "application/json",
        "channels": {name: _channel(*each) for name, each in _CHANNELS.items()},
        "operations": {
            operation: part
            for name in _CHANNELS
            for operation, part in (
                (f"{name}.receive", _operation(name, "receive", RECEIVED)),
                (f"{name}.send", _operation(name, "send", SENT)),
            )
        },
        "components": {
            "messages": {each.__name__: _message(each) for each in (*RECEIVED, *SENT)},
            "schemas": schemas,
        },
        "x-close-codes": {
            str(code.value): {"name": code.name.lower(), "reconnect": code.reconnect}
            for code in Code
        },
    }


def _channel(address: str, summary: str, names: tuple[str, ...]) -> dict[str, Any]:
    refs = {
        each.__name__: {"$ref": f"#/components/messages/{each.__name__}"}
        for each in (*RECEIVED, *SENT)
    }
    described = {name: {"description": "As in the address."} for name in names}
    return {
        "address": address,
        "summary": summary,
        "messages": refs,
        **({"parameters": described} if described else {}),
    }


def _operation(channel: str, action: str, types: tuple[type, ...]) -> dict[str, Any]:
    names = (each.__name__ for each in types)
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{channel}"},
        "messages": [{"$ref": f"#/channels/{channel}/messages/{name}"} for name in names],
    }


def _message(kind: Any) -> dict[str, Any]:
    return {
        "name": kind.__struct_config__.tag,
        "summary": (kind.__doc__ or "").splitlines()[0],
        "payload": {"$ref": _REF.format(name=kind.__name__)},
    }


def asyncapi_route() -> HTTPRouteHandler:
    """Where it is served."""
    page = Page.of(msgspec.json.encode(document()), ".json", _POLICY)
    return pages_route("asyncapi", {"/asyncapi.json": page})
