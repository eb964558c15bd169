"""`/admin/rejected`: the evidence ring, seen and verified again."""

from collections import Counter
from typing import Annotated, Any, Final

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import Parameter

from ludo.store.rejected import KEPT, RejectedRing
from proxy.webhooks.recheck import Outcome, Recheck, Rechecked
from proxy.webhooks.telling import told, told_outcome

_Limit = Annotated[int, Parameter(ge=1, le=KEPT, description="at most so many, the newest")]


@get("/rejected", operation_id="ListRejected", summary="Deliveries that were refused")
async def list_rejected(
    rejected: NamedDependency[RejectedRing], limit: _Limit = 100
) -> Response[dict[str, Any]]:
    """The newest first; signatures are never shown."""
    entries = await rejected.newest(limit)
    data = {"total": await rejected.count(), "rejected": [told(entry) for entry in entries]}
    return Response({"success": True, "data": data})


@post(
    "/rejected/recheck",
    operation_id="RecheckRejected",
    summary="Verify refused deliveries again, after a secret was mended",
    status_code=200,
)
async def recheck_rejected(recheck: NamedDependency[Recheck]) -> Response[dict[str, Any]]:
    """Genuine ones are accepted as if they had just come, once; the others stay."""
    outcomes = [outcome async for outcome in recheck.run()]
    return Response({"success": True, "data": _summary(outcomes)})


def _summary(outcomes: list[Rechecked]) -> dict[str, Any]:
    counts = Counter(each.outcome for each in outcomes)
    return {
        "rechecked": len(outcomes),
        "outcomes": {outcome.value: counts[outcome] for outcome in Outcome},
        "deliveries": [told_outcome(each) for each in outcomes],
    }


REJECTED: Final[tuple[HTTPRouteHandler, ...]] = (list_rejected, recheck_rejected)
