"""Several server processes on one listener: forked before any of them has a loop."""

import os
import signal
import time
from collections.abc import Callable
from types import FrameType
from typing import Final

import structlog

PAUSE_S: Final = 0.5
"""A process that dies at once is not started again faster than this."""

log = structlog.get_logger("server")


def run_processes(number: int, serve: Callable[[], None]) -> None:
    """Runs `serve` in so many processes until a signal ends them; one is this one itself.

    Of several, one that dies is replaced, and SIGTERM and SIGINT are passed on to all.
    """
    if number == 1:
        serve()
    else:
        _Family(number, serve).run()


class _Family:
    def __init__(self, number: int, serve: Callable[[], None]) -> None:
        self._serve = serve
        self._number = number
        self._children: set[int] = set()
        self._ending = False

    def run(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._pass_on)
        for _ in range(self._number):
            self._fork()
        while self._children:
            child, status = os.wait()
            self._children.discard(child)
            if not self._ending:
                log.warning("process.replaced", pid=child, code=os.waitstatus_to_exitcode(status))
                time.sleep(PAUSE_S)
                self._fork()

    def _fork(self) -> None:
        if self._ending:
            return
        child = os.fork()
        if child:
            self._children.add(child)
            return
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        code = 1
        try:
            self._serve()
            code = 0
        except Exception:
            log.exception("process.failed")
        finally:
            os._exit(code)

    def _pass_on(self, number: int, _frame: FrameType | None) -> None:
        self._ending = True
        for child in self._children:
            os.kill(child, number)
