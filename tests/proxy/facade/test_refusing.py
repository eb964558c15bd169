"""Illegal moves: refused from the mirror if it is the present, passed on in every other case."""

from typing import Any

import httpx
import pytest
from redis.asyncio import Redis

from ludo.mirror.mirror import MAX_DIVERGENCES, Referee, Strictness
from ludo.rules.track import PIECE_IDS
from ludo.store import keys
from ludo.store.writes import Standing
from proxy.facade.refusal import is_current, refusal
from tests.proxy.builders import a_proxy, a_token, bearer
from tests.proxy.facade.builders import HISTORY, MOVE, before_a_move, mirror, stored
from tests.proxy.upstream import Upstream, data
from tests.workers.builders import GAME

BEFORE, NEXT = before_a_move()
PASSED = f"/games/{GAME}/move"


@pytest.fixture
def upstream(upstream: Upstream) -> Upstream:
    upstream.says("POST", PASSED, data({"position": 1}))
    return upstream


@pytest.fixture
async def body(redis: Redis) -> dict[str, Any]:
    """The state of a game in which a move is due."""
    await mirror(redis, BEFORE)
    found = (await stored(redis)).body
    assert found["phase"] == "move"
    return found


def moving(piece: object = NEXT.piece, position: object = NEXT.position) -> dict[str, Any]:
    return {"pieceId": piece, "targetPosition": position, "playerId": NEXT.player}


def foreign() -> str:
    """A piece of nobody at this table."""
    return next(name for name in PIECE_IDS if name.startswith("yellow"))


async def moved(proxy: httpx.AsyncClient, move: dict[str, Any]) -> httpx.Response:
    return await proxy.post(MOVE, json=move, headers=bearer(a_token(NEXT.player)))


@pytest.mark.parametrize(
    ("move", "clause"),
    [
        (moving(piece="pink-9"), "R2"),
        (moving(position=57), "R2"),
        (moving(piece=foreign()), "R2"),
        (moving(position=40), "R7"),
    ],
)
async def test_an_illegal_move_costs_upstream_nothing(
    proxy: httpx.AsyncClient,
    upstream: Upstream,
    body: dict[str, Any],
    move: dict[str, Any],
    clause: str,
) -> None:
    """409 with the clause and the referee's own sentence."""
    answer = await moved(proxy, move)
    problem = answer.json()
    assert (answer.status_code, problem["type"]) == (409, "illegal-move")
    assert problem["clause"] in (clause, "R6")
    assert problem["detail"].startswith(problem["clause"])
    assert problem["error"] == problem["detail"]
    assert upstream.arrived == []


async def test_a_legal_move_is_passed_on(
    proxy: httpx.AsyncClient, upstream: Upstream, body: dict[str, Any]
) -> None:
    """Upstream has the last word."""
    assert (await moved(proxy, moving())).status_code == 200
    assert upstream.body() == moving()


@pytest.mark.parametrize(
    "move",
    [moving(position="3"), moving(position=True), moving(piece=7), {}, {"pieceId": "red-0"}],
)
async def test_what_is_no_move_is_for_upstream_to_refuse(
    proxy: httpx.AsyncClient, upstream: Upstream, body: dict[str, Any], move: dict[str, Any]
) -> None:
    """Only a whole move can be judged."""
    await moved(proxy, move)
    assert len(upstream.arrived) == 1


async def test_a_move_out_of_turn_is_for_upstream_to_refuse(
    proxy: httpx.AsyncClient, upstream: Upstream, body: dict[str, Any]
) -> None:
    """The mirror may be behind; whose turn it is does not follow from a piece and a roll."""
    other = next(p for p in body["players"] if p["playerId"] != NEXT.player)
    move = {"pieceId": f"{other['color']}-0", "targetPosition": 40}
    await proxy.post(MOVE, json=move, headers=bearer(a_token(other["playerId"])))
    assert len(upstream.arrived) == 1


async def test_after_a_write_the_mirror_is_not_the_present(
    proxy: httpx.AsyncClient, upstream: Upstream, redis: Redis, body: dict[str, Any]
) -> None:
    """Until its next event; then it is again."""
    await moved(proxy, moving())
    await moved(proxy, moving(position=40))
    assert len(upstream.arrived) == 2
    await redis.hincrby(keys.game(GAME), "seq", 1)
    assert (await moved(proxy, moving(position=57))).status_code == 409
    assert len(upstream.arrived) == 2


@pytest.mark.parametrize(("name", "value"), [("owed", "gap"), ("stale", "1"), ("divergences", "3")])
async def test_a_doubtful_mirror_refuses_nothing(
    proxy: httpx.AsyncClient,
    upstream: Upstream,
    redis: Redis,
    body: dict[str, Any],
    name: str,
    value: str,
) -> None:
    """A resync owed, upstream silent, or a game that is not played by our rules."""
    await redis.hset(keys.game(GAME), name, value)
    await moved(proxy, moving(position=57))
    assert len(upstream.arrived) == 1


async def test_a_waiting_event_refuses_nothing(
    proxy: httpx.AsyncClient, upstream: Upstream, redis: Redis
) -> None:
    """Something has happened that the mirror does not show yet."""
    bench = await mirror(redis, BEFORE)
    await bench.accept(HISTORY[len(BEFORE) : len(BEFORE) + 1])
    await moved(proxy, moving(position=57))
    assert len(upstream.arrived) == 1


@pytest.mark.parametrize("strictness", [Strictness.OBSERVE, Strictness.OFF])
async def test_only_an_enforcing_referee_refuses(
    redis_url: str, upstream: Upstream, body: dict[str, Any], strictness: Strictness
) -> None:
    """If upstream's rules are not ours, ours prove nothing."""
    async with a_proxy(redis_url, upstream, strictness=strictness) as proxy:
        await moved(proxy, moving(position=57))
    assert len(upstream.arrived) == 1


async def test_a_repeated_move_gets_its_first_answer(
    proxy: httpx.AsyncClient, upstream: Upstream, redis: Redis, body: dict[str, Any]
) -> None:
    """Though by now, as a new move, it would be illegal."""
    headers = bearer(a_token(NEXT.player)) | {"Idempotency-Key": "k-1"}
    first = await proxy.post(MOVE, json=moving(), headers=headers)
    await redis.hincrby(keys.game(GAME), "seq", 1)
    again = await proxy.post(MOVE, json=moving(), headers=headers)
    assert first.json() == again.json()
    assert again.status_code == 200


@pytest.mark.parametrize(
    ("failure", "status"),
    [(httpx.Response(500), 503), (httpx.Response(429), 503), (httpx.ConnectError("no"), 503)],
    ids=["500", "429", "refused"],
)
async def test_a_failing_upstream_is_not_an_illegal_move(
    proxy: httpx.AsyncClient, upstream: Upstream, failure: Any, status: int
) -> None:
    """It is 503 with Retry-After."""
    upstream.says("POST", PASSED, failure)
    answer = await moved(proxy, moving())
    assert answer.status_code == status
    assert answer.json()["type"] != "illegal-move"
    assert int(answer.headers["retry-after"]) >= 1


async def test_an_unknown_roll_proves_nothing(body: dict[str, Any]) -> None:
    """Nor does a phase in which no move is due."""
    assert refusal({**body, "diceValue": None}, moving(position=57), Referee()) is None
    rolling = {**body, "phase": "roll", "diceValue": None}
    assert refusal(rolling, moving(position=57), Referee()) is None


async def test_what_is_open_has_to_be_illegal_either_way(body: dict[str, Any]) -> None:
    """A provisional state refuses only what no value of the missing fields makes legal."""
    provisional = {**body, "phase": None, "consecutiveSixes": None, "finishOrder": None}
    assert refusal(provisional, moving(position=57), Referee()) is None
    known = {**body, "finishOrder": None}
    assert refusal(known, moving(position=57), Referee()) is not None


async def test_standing_decides_whether_the_mirror_is_the_present(redis: Redis) -> None:
    """Each condition by itself."""
    await mirror(redis, BEFORE)
    found = await stored(redis)
    assert is_current(found, Standing(None, 0), Referee())
    assert is_current(found, Standing(found.seq - 1, 0), Referee())
    assert not is_current(found, Standing(found.seq, 0), Referee())
    assert not is_current(found, Standing(None, MAX_DIVERGENCES), Referee())
