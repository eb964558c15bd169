"""A receiver that is wrong: it acknowledges first and stores afterwards. Chaos has to see it.

    python -m tests.chaos.early SEED

plays one round with it, and exits with 1 if chaos saw it.
"""

import asyncio
import sys
from typing import Final

import proxy.webhooks.parts
from ludo.store.errors import StoreUnavailable
from ludo.store.inbox import Delivery, Inbox, Verdict
from tests.chaos.command import run_chaos
from tests.chaos.parts import Environ, serve
from tests.chaos.running import Wish

BEHIND_S: Final = 0.1
"""How far its writes are behind its answers."""


class EarlyInbox(Inbox):
    """Says that it stored what it is about to store."""

    _writing: set[asyncio.Task[None]]

    async def accept(self, delivery: Delivery) -> Verdict:
        """Accepted, whatever becomes of it."""
        self._writing = getattr(self, "_writing", set())
        task = asyncio.create_task(self._store(delivery))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)
        return Verdict.ACCEPTED

    async def _store(self, delivery: Delivery) -> None:
        await asyncio.sleep(BEHIND_S)
        try:
            await super().accept(delivery)
        except StoreUnavailable:
            return


def serve_early(environ: Environ) -> None:
    """A proxy with that receiver; only this process has it."""
    proxy.webhooks.parts.Inbox = EarlyInbox  # type: ignore[misc]
    serve(environ)


if __name__ == "__main__":
    from tests.chaos.early import serve_early as body  # the fork server knows it by this name

    wish = Wish(rounds=1, seed=sys.argv[1], settle=2.0, receiver=body)
    raise SystemExit(0 if run_chaos(wish, as_json=True) else 1)
