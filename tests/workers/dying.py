"""Real processes that kill themselves at a chosen step: no handler runs, nothing is flushed.

A step is a script that the process sends to Redis, or its question to upstream.
"""

import os
import signal
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, Final

import workers.main
from ludo.store.batching import BatchedScripts
from ludo.store.scripts import Scripts
from tests.chaos.parts import Environ, serve, work

DIES: Final = "TEST_DIES"
"""Setting: `before` or `after`, a space, and the step."""

Call = Callable[..., Coroutine[Any, Any, Any]]


def dying_worker(environ: Environ) -> None:
    """A worker, until its step comes."""
    side, step = environ[DIES].split()
    _arm(side, step)
    work(environ)


def dying_proxy(environ: Environ) -> None:
    """A proxy, until its step comes."""
    side, step = environ[DIES].split()
    _arm(side, step)
    serve(environ)


def _arm(side: str, step: str) -> None:
    for kind in (Scripts, BatchedScripts):
        kind.run = _deadly(kind.run, side, step)  # type: ignore[method-assign]
    fetching = _deadly(workers.main.fetch_state, side, step, named=True)
    workers.main.fetch_state = fetching  # type: ignore[assignment]


def _deadly(call: Call, side: str, step: str, *, named: bool = False) -> Call:
    @wraps(call)
    async def called(*args: Any, **options: Any) -> Any:
        name = "fetch" if named else args[1]
        if name != step:
            return await call(*args, **options)
        answer = await call(*args, **options) if side == "after" else None
        os.kill(os.getpid(), signal.SIGKILL)
        return answer

    return called
