"""Looks at what the workers have to do, and whether everything accepted is accounted for."""

from collections import Counter
from typing import Final

from redis.asyncio import Redis

from cli.doctor.findings import Finding, finding, note, ok
from ludo.store import keys
from ludo.store.counters import accounts, read_counters
from ludo.store.letters import DeadLetters, Wanted

LATE_MS: Final = 10_000
MANY: Final = 1_000


async def look_at_workers(redis: Redis) -> Finding:
    """Whether one has shown itself within the last seconds."""
    left = await redis.pttl(keys.WORKERS_ALIVE)
    if left <= 0:
        return finding(
            "workers",
            "none has shown itself for 6 s: events are accepted and wait",
            "start one (`ludo-proxy worker`), or read the log of the one that should run",
        )
    return ok("workers", "at work")


async def look_at_backlog(redis: Redis) -> Finding:
    """How long the game that is due for longest has been waiting for a worker."""
    oldest = await redis.zrange(keys.DUE, 0, 0, withscores=True)
    seconds, micros = await redis.time()
    if not oldest:
        return ok("backlog", "no game is due")
    game_id, score = oldest[0]
    late = seconds * 1000 + micros // 1000 - int(score)
    if late <= LATE_MS:
        return ok("backlog", f"{await redis.zcard(keys.DUE)} games followed, none overdue")
    return finding(
        "backlog",
        f"{game_id.decode(errors='replace')} is overdue by {late / 1000:.0f} s",
        "start more workers, or raise LUDO_WORKERS_JOBS; if only this game is late, read the "
        "worker's log for its id",
    )


async def look_at_dead_letters(letters: DeadLetters) -> Finding:
    """How many events were given up and wait for somebody to decide."""
    count, causes = 0, Counter[str]()
    async for letter in letters.select(Wanted()):
        count += 1
        causes[letter.cause] += 1
        if count == MANY:
            break
    if count == 0:
        return ok("dead letters", "none is open")
    told = ", ".join(f"{n} {cause}" for cause, n in sorted(causes.items()))
    return finding(
        "dead letters",
        f"{told}{' or more' if count == MANY else ''}",
        "look at them (`ludo-proxy deadletters list`), then redrive or discard them",
    )


async def look_at_accounts(redis: Redis) -> list[Finding]:
    """Conservation: what each source sent, and what became of it (design section 7)."""
    found = accounts(await read_counters(redis))
    if not found:
        return [note("conservation", "no event was ever accepted")]
    told = []
    for account in found:
        sums = ", ".join(f"{n} {outcome}" for outcome, n in sorted(account.outcomes.items()))
        detail = f"{account.source}: {account.accepted} accepted"
        detail += f" = {sums}" if sums else ""
        detail += f", {account.pending} pending"
        if account.unaccounted:
            told.append(
                finding(
                    "conservation",
                    f"{detail}; {account.unaccounted} unaccounted for",
                    "was Redis restored from a copy, or was a key deleted by hand? if neither, "
                    "this is a bug: report it with these numbers",
                )
            )
        else:
            told.append(ok("conservation", detail))
    return told
