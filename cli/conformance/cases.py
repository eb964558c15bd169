"""What a relay has to do, as data: one case for each sentence of design section 8.

A `$name` stands for a value of the run: `$game` a game that is being played, `$token` the caller's
token, `$epoch` and `$seq` the place that the last `snap`, `d` or `live` told.
"""

from dataclasses import dataclass
from typing import Any, Final

Frame = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Send:
    """A frame, or a message as it is."""

    what: Frame | str | bytes
    times: int = 1


@dataclass(frozen=True, slots=True)
class Expect:
    """A frame with at least these fields, within the patience of the case; others may come first.

    `never` are kinds of frames of `$game` that must not come before it.
    """

    frame: Frame
    never: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Closes:
    """`bye` with a code, and then the close with the same code."""

    code: int


@dataclass(frozen=True, slots=True)
class Follows:
    """This many deltas, each the next, whose patches lead to states that name their sequence."""

    deltas: int


Step = Send | Expect | Closes | Follows


@dataclass(frozen=True, slots=True)
class Case:
    """One sentence of the contract; `opens` is the path, `greets` says hello first.

    `open_mode`: holds only where anonymous callers may come. `patience` is in seconds.
    """

    name: str
    says: str
    steps: tuple[Step, ...]
    path: str = "/ws"
    greets: bool = True
    open_mode: bool = False
    patience: float = 10.0


HELLO: Final[Frame] = {"t": "hello", "v": 1, "token": "$token"}
PING: Final = Send({"t": "ping", "n": 77})
PONG: Final = Expect({"t": "pong", "n": 77})
SUB: Final = Send({"t": "sub", "id": 1, "game": "$game"})
LIVE: Final = Expect({"t": "live", "id": 1, "game": "$game"})
NOWHERE: Final = "gm_conformance_nowhere"


def _first(name: str, says: str, what: Frame | str | bytes, code: int) -> Case:
    return Case(name, says, (Send(what), Closes(code)), greets=False)


def _from(name: str, says: str, place: Frame, *answer: Expect) -> Case:
    """A client that has been there comes back with a place."""
    resume = Send({"t": "sub", "id": 2, "game": "$game", **place})
    return Case(name, says, (SUB, LIVE, resume, *answer))


CASES: Final = (
    Case(
        "welcome",
        "A hello is answered by welcome, with version, clock, heartbeat and limits.",
        (Send(HELLO), Expect({"t": "welcome", "v": 1})),
        greets=False,
    ),
    Case(
        "hello-subs",
        "Subscriptions ride along with hello; the first live after a snap is not recovered.",
        (
            Send({**HELLO, "subs": [{"game": "$game"}]}),
            Expect({"t": "welcome"}),
            Expect({"t": "snap", "game": "$game", "why": "initial"}, never=("d", "live")),
            Expect({"t": "live", "game": "$game", "recovered": False, "replayed": 0}),
        ),
        greets=False,
    ),
    Case(
        "sub",
        "A sub is answered by snap and then live with its id.",
        (SUB, Expect({"t": "snap", "game": "$game"}, never=("d", "live")), LIVE),
    ),
    Case(
        "deltas",
        "Every delta is the next, and its patch leads to the state at its sequence.",
        (SUB, LIVE, Follows(3)),
        patience=60.0,
    ),
    _from(
        "resume-tip",
        "At the tip, or a little behind it: recovered, without a snapshot.",
        {"epoch": "$epoch", "seq": "$seq"},
        Expect({"t": "live", "id": 2, "recovered": True}, never=("snap",)),
    ),
    _from(
        "resume-epoch",
        "Another epoch: a snapshot that says so.",
        {"epoch": "another", "seq": 1},
        Expect({"t": "snap", "why": "epoch"}),
        Expect({"t": "live", "id": 2, "recovered": False, "replayed": 0}),
    ),
    _from(
        "resume-ahead",
        "Ahead of the tip: a snapshot of the same epoch; a client never rotates one.",
        {"epoch": "$epoch", "seq": 999_999_999},
        Expect({"t": "snap", "why": "ahead", "epoch": "$epoch"}),
        Expect({"t": "live", "id": 2, "recovered": False}),
    ),
    Case(
        "unsub",
        "After unsub is answered, no delta of that game comes.",
        (
            SUB,
            LIVE,
            Send({"t": "unsub", "id": 3, "game": "$game"}),
            Expect({"t": "ok", "id": 3}),
            PING,
            Expect({"t": "pong", "n": 77}, never=("d", "snap")),
        ),
    ),
    Case(
        "resync",
        "A resync brings a snapshot; another one at once is refused, and may be asked again.",
        (
            SUB,
            LIVE,
            Send({"t": "resync", "id": 4, "game": "$game", "why": "test"}),
            Expect({"t": "snap", "game": "$game", "why": "resync"}),
            Expect({"t": "live", "id": 4}),
            Send({"t": "resync", "id": 5, "game": "$game", "why": "test"}),
            Expect({"t": "err", "id": 5, "code": "rate", "retry": True}),
        ),
    ),
    Case("ping", "A ping is answered with its number.", (PING, PONG)),
    Case(
        "unknown",
        "Unknown kinds and unknown fields are ignored.",
        (
            Send({"t": "from-the-future", "x": 1}),
            Send({"t": "pong", "n": 1, "at": {}, "x": [1]}),
            Send({"t": "ping", "n": 77, "x": {}}),
            PONG,
        ),
    ),
    Case(
        "unknown-game",
        "An unknown game is fetched once, then not found, and may be asked again after 2 s.",
        (
            Send({"t": "sub", "id": 6, "game": NOWHERE}),
            Expect({"t": "err", "id": 6, "code": "not_found", "retry": True, "after": 2}),
        ),
        patience=15.0,
    ),
    Case(
        "too-many-subs",
        "The 33rd subscription is refused.",
        (
            *(Send({"t": "sub", "id": n, "game": f"{NOWHERE}_{n}"}) for n in range(1, 34)),
            Expect({"t": "err", "id": 33, "code": "too_many_subs", "retry": False}),
        ),
    ),
    Case("no-hello", "Without a hello within 5 s: 4007.", (Closes(4007),), greets=False),
    _first("not-hello", "Another first frame: 4501.", {"t": "ping", "n": 1}, 4501),
    _first("not-json", "Not JSON: 4501.", "hello", 4501),
    _first("not-object", "Not an object: 4501.", "[1]", 4501),
    _first("binary", "A binary frame: 4501.", b"{}", 4501),
    _first("version", "Another version: 4506.", {**HELLO, "v": 2}, 4506),
    _first("no-version", "No version: 4506.", {"t": "hello"}, 4506),
    _first("bad-token", "A bad token: 4500.", {**HELLO, "token": "not.a.token"}, 4500),
    Case("second-hello", "One hello, and no second one: 4501.", (Send(HELLO), Closes(4501))),
    Case(
        "long-hello",
        "A hello may have more than 4 KiB.",
        (Send({**HELLO, "x": "x" * 9_000}), Expect({"t": "welcome"})),
        greets=False,
    ),
    Case(
        "too-long-hello",
        "A hello of more than 16 KiB: 4502.",
        (Send({**HELLO, "x": "x" * 17_000}), Closes(4502)),
        greets=False,
    ),
    Case(
        "full-frame",
        "A frame of exactly 4 KiB is taken.",
        (Send({"t": "ping", "n": 77, "x": "x" * (4096 - len('{"t":"ping","n":77,"x":""}'))}), PONG),
    ),
    Case(
        "too-long-frame",
        "Another frame over 4 KiB: 4502.",
        (Send({"t": "ping", "n": 1, "x": "x" * 4_096}), Closes(4502)),
    ),
    Case(
        "bad-renewal",
        "A bad token in auth: 4500.",
        (Send({"t": "auth", "id": 7, "token": "not.a.token"}), Closes(4500)),
    ),
    Case(
        "rate",
        "More than 120 frames a minute: 4006.",
        (Send({"t": "ping", "n": 1}, times=121), Closes(4006)),
    ),
    Case(
        "path-game",
        "/ws/games/{gameId} subscribes by itself, and needs no hello in open mode.",
        (
            Expect({"t": "welcome", "v": 1}),
            Expect({"t": "snap", "game": "$game"}),
            Expect({"t": "live", "game": "$game"}),
        ),
        path="/ws/games/$game",
        greets=False,
        open_mode=True,
    ),
)
