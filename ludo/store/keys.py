"""Every Redis key and channel of ours: its builder, and how long it lives.

Per-game keys expire 8 days after the last change: longer than any sender retries, and what a
tombstone is kept for (design section 7). An id stands at the end of its key, because upstream may
put a colon into it: with the id `x:inbox`, a suffix would make one game's key that of another.
"""

from typing import Final

GAME_TTL_S: Final = 8 * 24 * 3600
DELIVERY_TTL_S: Final = 8 * 24 * 3600
FEED_TTL_S: Final = 600
REDRIVEN_TTL_S: Final = 30 * 24 * 3600

DUE: Final = "ludo:due"
COUNTERS: Final = "ludo:counters"
DEAD_LETTERS: Final = "ludo:deadletters"
REDRIVEN: Final = "ludo:deadletters:redriven"
"""Hash: dead letter → `<tries> <at> <nonce> <outcome> <cause>`; expires 30 days after a redrive."""
DISCARDED: Final = "ludo:deadletters:discarded"
FILTERED: Final = "ludo:filtered"
PLAYING: Final = "ludo:games:playing"
FINISHED: Final = "ludo:games:finished"
NUDGE: Final = "ludo:nudge"
REJECTED: Final = "ludo:rejected"

PERMITS: Final = "ludo:permits"
"""Sorted set: one entry a call to upstream, scored by its time; expires one window after it."""
PERMITS_STATE: Final = "ludo:permits:state"
"""Hash: which log this is, and until when upstream wants no call; expires a day after a call."""
CIRCUITS: Final = "ludo:circuits"
"""Hash: how each circuit stands, `<epoch> <phase> <open until ms>`; expires a day after it."""

CACHED: Final = "ludo:cache:entries"
"""Sorted set: the entries of the cache by when they end, so that there are never too many;
expires a day after the last one was kept."""
PURGED: Final = "ludo:cache:purged"
"""Pub/sub channel: each cache tag that is purged."""
NODES: Final = "ludo:relay:nodes"
"""Sorted set: the relay's processes, by until when each counts; expires with the last of them."""
ORDERS: Final = "ludo:relay:orders"
"""Stream, and a channel of the same name: what operators order all nodes to do; bounded, and
expires a day after the last order."""

CENSUS: Final = "ludo:census"
"""String: somebody asked upstream what is played, within the last hour."""
LISTENER: Final = "ludo:listener"
"""String: the token of the worker that listens to upstream's WebSocket."""

ARQ_QUEUE: Final = "arq:queue"
WORKERS_ALIVE: Final = "arq:queue:health-check"
"""arq's own: there while a worker lives, written every 5 s."""

_PERMANENT: Final = {
    DUE: "holds live games only; an entry leaves with its game's last look",
    COUNTERS: "totals of the deployment; a fixed set of fields",
    DEAD_LETTERS: "kept until an operator discards them; bounded in length",
    FILTERED: "bounded in length",
    DISCARDED: "bounded in length",
    PLAYING: "holds live games only",
    FINISHED: "bounded in length",
    REJECTED: "bounded in length",
    ARQ_QUEUE: "arq's own queue; holds queued jobs only",
}


def permanent(key: str) -> str | None:
    """Why a key has no time to live, or None if it must have one."""
    return _PERMANENT.get(key)


def game(game_id: str) -> str:
    """Hash: the mirror, its place and what is owed to it.

    A tombstone has its place, when it was set, and the `missing` sequences, as `3-5 9-9`.
    """
    return f"ludo:game:{game_id}"


def inbox(game_id: str) -> str:
    """Stream: accepted events that are not decided yet."""
    return f"ludo:inbox:{game_id}"


def feed(game_id: str) -> str:
    """Stream: the last changes of the mirror, id `<sequence>-0`."""
    return f"ludo:feed:{game_id}"


def log(game_id: str) -> str:
    """Stream: everything that made the mirror what it is; goes when the archive has it."""
    return f"ludo:log:{game_id}"


def seen(game_id: str) -> str:
    """Hash: `i:<webhook-id>` → body digest, `s:<sequence>` → digest of the applied event.

    `l:<sequence>` → digest of an event that came after a resync had gone past it.
    """
    return f"ludo:seen:{game_id}"


def lease(game_id: str) -> str:
    """String: the token of the worker that may write this game."""
    return f"ludo:lease:{game_id}"


def flight(game_id: str) -> str:
    """String: the token of the one resync under way for this game."""
    return f"ludo:flight:{game_id}"


def delivery(webhook_id: str) -> str:
    """String: the digest of an accepted delivery without a sequence, and of one with its id."""
    return f"ludo:delivery:{webhook_id}"


def room_game(room_code: str) -> str:
    """String: the id of the game that a room plays."""
    return f"ludo:room:{room_code}:game"


def channel(game_id: str) -> str:
    """Pub/sub channel: each change of a mirror, for the relay."""
    return f"ludo:feed:{game_id}"


def cache_tag(tag: str) -> str:
    """String: a cache tag's generation; INCR is a purge (it lives a day past the last one)."""
    return f"ludo:cache:tag:{tag}"


def quota(caller: str, rate: str) -> str:
    """Hash: what a caller took of one rate; expires two windows after the last request."""
    return f"ludo:quota:{rate}:{caller}"


def circuit_probe(name: str, epoch: int) -> str:
    """String: who may probe upstream for one epoch of a circuit."""
    return f"ludo:circuits:probe:{epoch}:{name}"


def cache_entry(key: str) -> str:
    """Hash: a kept answer (version 2); expires when not even a failing upstream justifies it.

    An answer that varies is kept under the digest of what it varies on, after the key.
    """
    return f"ludo:cache:entry:2:{key}"


def cache_vary(key: str) -> str:
    """String: the request's header fields that the answers of a key depend on."""
    return f"ludo:cache:vary:{key}"


def cache_flight(key: str) -> str:
    """String: the token of whoever fetches an answer now, or what came of that a moment ago."""
    return f"ludo:cache:flight:{key}"


def reply(request: str) -> str:
    """Hash: the first answer to a request with an idempotency key."""
    return f"ludo:reply:{request}"


def written(game_id: str) -> str:
    """String: the mirror's sequence when a write to the game last passed through us."""
    return f"ludo:written:game:{game_id}"


def written_by(caller: str, game_id: str) -> str:
    """String: the same for one caller, until that caller's next read."""
    return f"ludo:written:by:{len(caller)}:{caller}:{game_id}"


def node_users(node: str) -> str:
    """Hash: connections by user on one node of the relay; expires a lease after its last sign."""
    return f"ludo:relay:users:{node}"


def presence(game_id: str) -> str:
    """Hash: which players of a game are here, and where; expires an hour after the last look."""
    return f"ludo:relay:presence:{game_id}"


def ticket(digest: str) -> str:
    """String: whom a one-use ticket lets in; expires within seconds."""
    return f"ludo:relay:ticket:{digest}"


def revoked_player(player_id: str) -> str:
    """String: tokens of a player issued up to this Unix second are refused; lives as tokens do."""
    return f"ludo:revoked:player:{player_id}"


def revoked_token(token_id: str) -> str:
    """String: the token with this `jti` is refused; lives as tokens do."""
    return f"ludo:revoked:token:{token_id}"
