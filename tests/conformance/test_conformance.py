"""A relay does what the contract says, case by case; and one that does not is found out."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve

from cli.conformance.cases import CASES, Case
from cli.conformance.shapes import faults
from cli.conformance.talking import Target, judge

BY_NAME = {case.name: case for case in CASES}
Frame = dict[str, Any]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_the_relay_does_what_the_contract_says(case: Case, target: Target) -> None:
    """Each sentence of design section 8 that can be seen from outside."""
    verdict = await judge(case, target)
    if verdict.skipped is not None:
        pytest.skip(verdict.skipped)
    assert verdict.fault is None, case.says


def snap(seq: int, **more: Any) -> Frame:
    """A snapshot."""
    place = {"game": "g", "epoch": "e", "seq": seq}
    state = {"sequence": seq}
    return {
        "t": "snap",
        **place,
        "state": state,
        "why": "initial",
        "asOf": 1,
        "stale": False,
    } | more


def d(seq: int, to: int | None = None) -> Frame:
    """A delta."""
    patch = [{"op": "replace", "path": "/sequence", "value": seq if to is None else to}]
    return {"t": "d", "game": "g", "seq": seq, "at": 1, "ev": {}, "patch": patch}


WELCOME = {"t": "welcome", "conn": "c", "v": 1, "now": 1, "ping": 20, "limits": {}}
LIVE = {"t": "live", "game": "g", "epoch": "e", "seq": 5, "recovered": False, "replayed": 0}


@asynccontextmanager
async def wrong(*answers: Frame | int) -> AsyncIterator[Target]:
    """A relay that answers a hello, and then the next frame, with what it is told to."""

    async def relay(socket: ServerConnection) -> None:
        await socket.recv()
        await socket.send(json.dumps(WELCOME))
        await socket.recv()
        for answer in answers:
            if isinstance(answer, int):
                await socket.close(answer)
            else:
                await socket.send(json.dumps(answer))
        await socket.wait_closed()

    async with serve(relay, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        yield Target(f"ws://127.0.0.1:{port}/ws", "g")


BYE = {"t": "bye", "code": 4501, "reason": "why", "reconnect": False, "after": 0}


@pytest.mark.parametrize(
    ("name", "answers", "fault"),
    [
        ("deltas", [snap(5), LIVE | {"id": 1}, d(7)], "a hole"),
        ("deltas", [snap(5), LIVE | {"id": 1}, d(6, to=9)], "lead to sequence 6"),
        ("sub", [LIVE | {"id": 1}], "before any live"),
        ("sub", [snap(5), {**LIVE, "id": 1, "seq": "5"}], "live.seq: expected"),
        ("sub", [snap(5, why="because")], "snap.why: expected"),
        ("sub", [snap(5, epoch="e" * 33)], "at most 32"),
        ("second-hello", [4501], "expected bye before the close"),
        ("second-hello", [BYE | {"code": 4500}], "expected bye 4501"),
        ("second-hello", [BYE | {"reconnect": True}], "bye.reconnect: expected False"),
        ("second-hello", [BYE, 4500], "expected close code 4501"),
        ("too-long-frame", [BYE | {"code": 4242}], "a close code of the contract"),
        ("ping", [{"t": "pong", "n": 77}], "pong: expected now"),
    ],
)
async def test_a_relay_that_does_otherwise_is_found_out(
    name: str, answers: list[Any], fault: str
) -> None:
    """Holes, wrong patches, wrong order, wrong types, silent closes and wrong codes."""
    async with wrong(*answers) as target:
        verdict = await judge(BY_NAME[name], target)
    assert fault in (verdict.fault or "nothing was found")


async def test_nobody_there_is_a_fault_and_not_a_crash() -> None:
    """A wrong address fails each case with a sentence."""
    verdict = await judge(BY_NAME["ping"], Target("ws://127.0.0.1:9/ws", "g"))
    assert "expected a WebSocket at ws://127.0.0.1:9/ws" in (verdict.fault or "")


def test_a_frame_may_have_more_fields_and_new_kinds() -> None:
    """The contract may grow."""
    assert faults({**WELCOME, "new": 1}) == []
    assert faults({"t": "from-the-future"}) == []
    assert faults([]) != []
