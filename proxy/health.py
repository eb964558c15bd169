"""`/health` looks at nothing; `/health/ready` looks at everything and says what it saw.

Not ready (503) is a process that cannot do its work or is leaving; whatever only makes the work
worse is degraded, and still 200: otherwise an upstream that is down would take all replicas with
it, and the stale answers that they still have.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler

DEADLINE_S: Final = 1.0
_NEVER_KEPT: Final = {"Cache-Control": "no-store"}


class Level(StrEnum):
    """How well a part is, or all of them together; the later the worse."""

    OK = "ok"
    DEGRADED = "degraded"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Component:
    """What was seen of one part; `detail` is a sentence for an operator."""

    level: Level
    detail: str


Look = Callable[[], Awaitable[Component]]


@dataclass(frozen=True, slots=True)
class Report:
    """All that was seen at one moment."""

    components: Mapping[str, Component]

    @property
    def level(self) -> Level:
        """The worst of all parts."""
        order = list(Level)
        levels = (component.level for component in self.components.values())
        return max(levels, key=order.index, default=Level.OK)

    @property
    def body(self) -> dict[str, Any]:
        """The report as JSON."""
        parts = {
            name: {"status": component.level.value, "detail": component.detail}
            for name, component in self.components.items()
        }
        return {"status": self.level.value, "components": parts}


class Readiness:
    """Looks at every part at once, each within a deadline, whatever they raise."""

    def __init__(self, looks: Mapping[str, Look]) -> None:
        self._looks = dict(looks)
        self.is_draining = False

    async def report(self) -> Report:
        """What can be seen now."""
        names = list(self._looks)
        seen = await asyncio.gather(*(_seen(self._looks[name]) for name in names))
        components = dict(zip(names, seen, strict=True))
        if self.is_draining:
            components["process"] = Component(Level.DOWN, "leaving: clients are sent elsewhere")
        return Report(components)


async def _seen(look: Look) -> Component:
    try:
        async with asyncio.timeout(DEADLINE_S):
            return await look()
    except TimeoutError:
        return Component(Level.DEGRADED, f"unknown: no answer within {DEADLINE_S:g} s")
    except Exception as error:  # a part that cannot be looked at must not hide the others
        return Component(Level.DEGRADED, f"unknown: {type(error).__name__}")


@get("/health", tags=["operators"], operation_id="Health", summary="Whether the process is alive")
async def health() -> Response[dict[str, str]]:
    """Always 200 while the process can answer at all."""
    return Response({"status": "ok"}, headers=_NEVER_KEPT)


@get(
    "/health/ready",
    tags=["operators"],
    operation_id="Ready",
    summary="Whether to send requests here",
)
async def ready(readiness: NamedDependency[Readiness]) -> Response[dict[str, Any]]:
    """200 ok or degraded; 503 when Redis is out of reach or volatile, or the process leaves."""
    report = await readiness.report()
    status = 503 if report.level is Level.DOWN else 200
    return Response(report.body, status_code=status, headers=_NEVER_KEPT)


def health_routes() -> list[HTTPRouteHandler]:
    """The probes' routes; they take `readiness` by name."""
    return [health, ready]
