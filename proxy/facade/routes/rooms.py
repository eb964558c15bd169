"""`/v1/rooms`: list, look, open, join, start."""

from typing import Annotated, Any, Final

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, HeaderParameter, QueryParameter

from proxy.facade import policy
from proxy.facade.acting import acting
from proxy.facade.answers import cached_answer
from proxy.facade.reading import Reader
from proxy.facade.routes.naming import known
from proxy.facade.routes.passing import passed_on
from proxy.facade.routes.shapes import (
    READ,
    WRITE,
    Joining,
    NewRoom,
    Rolling,
    RoomAnswer,
    RoomsAnswer,
    answers,
)
from proxy.facade.writing import Write, Writer
from proxy.relay.callers import Caller
from proxy.telemetry import Telemetry

Asked = Request[Any, Any, Any]
Key = Annotated[str | None, HeaderParameter(name="Idempotency-Key", max_length=300)]
Status = Annotated[str | None, QueryParameter(name="status", pattern="^[a-z_-]{1,20}$")]
_TAGS: Final = ["rooms"]


@get("/rooms", tags=_TAGS, operation_id="ListRooms", responses=answers(RoomsAnswer, *READ))
async def list_rooms(
    request: Asked,
    reader: NamedDependency[Reader],
    telemetry: NamedDependency[Telemetry],
    status: Status = None,
) -> Response[bytes]:
    """Rooms of a status, such as `waiting`, or all of them."""
    served = await reader.read(policy.rooms(status))
    telemetry.read("rooms", served.source.value)
    return cached_answer(request, served)


@get("/rooms/{code:str}", tags=_TAGS, operation_id="GetRoom", responses=answers(RoomAnswer, *READ))
async def show_room(
    request: Asked,
    reader: NamedDependency[Reader],
    telemetry: NamedDependency[Telemetry],
    code: FromPath[str],
) -> Response[bytes]:
    """A room by its code."""
    served = await reader.read(policy.room(known(code)))
    telemetry.read("room", served.source.value)
    return cached_answer(request, served)


@post(
    "/rooms",
    tags=_TAGS,
    operation_id="CreateRoom",
    responses=answers(RoomAnswer, *WRITE, status=201),
)
async def create_room(
    writer: NamedDependency[Writer],
    identity: NamedDependency[str],
    data: NewRoom,
    key: Key = None,
) -> Response[bytes]:
    """Open a room."""
    write = Write("/rooms", {}, data, ("rooms",))
    return await passed_on(writer, write, identity, key)


@post(
    "/rooms/{code:str}/join",
    tags=_TAGS,
    operation_id="JoinRoom",
    responses=answers(RoomAnswer, *WRITE),
    status_code=200,
)
async def join_room(
    writer: NamedDependency[Writer],
    caller: NamedDependency[Caller],
    identity: NamedDependency[str],
    code: FromPath[str],
    data: Joining,
    key: Key = None,
) -> Response[bytes]:
    """Take a seat in a room, as the token's player."""
    tags = ("rooms", f"room:{known(code)}")
    write = Write("/rooms/{code}/join", {"code": code}, acting(data, caller), tags)
    return await passed_on(writer, write, identity, key)


@post(
    "/rooms/{code:str}/start",
    tags=_TAGS,
    operation_id="StartRoom",
    responses=answers(RoomAnswer, *WRITE),
    status_code=200,
)
async def start_room(
    writer: NamedDependency[Writer],
    caller: NamedDependency[Caller],
    identity: NamedDependency[str],
    code: FromPath[str],
    data: Rolling = None,
    key: Key = None,
) -> Response[bytes]:
    """Start the game with those who are there."""
    tags = ("rooms", f"room:{known(code)}")
    write = Write("/rooms/{code}/start", {"code": code}, acting(data or {}, caller), tags)
    return await passed_on(writer, write, identity, key)


ROOMS: Final = (list_rooms, show_room, create_room, join_room, start_room)
