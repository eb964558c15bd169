"""The counters as accounts that have to add up."""

from redis.asyncio import Redis

from ludo.mirror.settle import Outcome
from ludo.store import keys
from ludo.store.counters import Account, accounts, read_counters


async def test_accounts_of_each_source(redis: Redis) -> None:
    """Each source has its own account, by name; other counters are in none."""
    kept = {"accepted:webhook": 3, "outcome:applied:webhook": 2, "pending:webhook": 1}
    await redis.hset(keys.COUNTERS, mapping={**kept, "accepted:socket": 2, "repaired:gap": 5})

    found = accounts(await read_counters(redis))

    assert found == [
        Account("socket", accepted=2),
        Account("webhook", 3, {Outcome.APPLIED: 2}, pending=1),
    ]
    assert [account.unaccounted for account in found] == [2, 0]


async def test_nothing_counted_is_no_account(redis: Redis) -> None:
    """A deployment that has not begun owes nobody an explanation."""
    assert accounts(await read_counters(redis)) == []
