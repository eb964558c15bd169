"""Looks at upstream with one call: does it answer, does it take our key, what time does it say."""

import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Final

from cli.doctor.findings import Finding, finding, note, ok
from ludo.config import ConfigError
from ludo.store.permits import Permits
from ludo.store.scripts import Scripts
from ludo.upstream.budget import CallClass
from ludo.upstream.call import Call, UpstreamResponse
from ludo.upstream.client import LudoClient
from ludo.upstream.config import UpstreamConfig
from ludo.upstream.deadline import Deadline
from ludo.upstream.errors import BudgetSpent, UpstreamError, UpstreamThrottled
from ludo.upstream.guard import Guard

WITHIN_S: Final = 5.0
SKEW_S: Final = 60.0
"""Deliveries are refused at 300 s; half of a minute is what a Date header and a call may differ."""
_CALL: Final = Call("GET", "/rooms", query={"status": "waiting"})


async def look_at_upstream(environ: Mapping[str, str], scripts: Scripts) -> list[Finding]:
    """What one call of the class that gives way to all others tells."""
    try:
        config = UpstreamConfig.from_env(environ)
    except ConfigError:
        return []  # told with the settings
    guard = Guard(budget=Permits(scripts, config.limit) if config.limit else None)
    try:
        async with LudoClient.from_config(config, guard=guard) as client:
            answer = await client.request(
                _CALL, klass=CallClass.REFRESH, deadline=Deadline.after(WITHIN_S)
            )
    except BudgetSpent as spent:
        return [note("upstream", f"not asked: its budget is spent for {spent.retry_after:.0f} s")]
    except UpstreamThrottled as throttled:
        return [
            finding(
                "upstream",
                f"answers 429, come again in {throttled.retry_after:.0f} s",
                "lower LUDO_UPSTREAM_LIMIT to what the plan allows, or find who else uses the key",
            )
        ]
    except UpstreamError as error:
        return [
            finding(
                "upstream",
                f"{config.base_url} gives no answer: {error}",
                "is LUDO_API_BASE_URL right? else see upstream's status page; mirrors stay and "
                "say so meanwhile",
            )
        ]
    return [_answer(config.base_url, answer), _clock(answer)]


def _answer(address: str, answer: UpstreamResponse) -> Finding:
    told = f"{address} answers {answer.status} in {answer.elapsed * 1000:.0f} ms"
    match answer.status:
        case 401:
            return finding("upstream", told, "LUDO_API_KEY is not accepted: replace it")
        case 403:
            return finding("upstream", told, "the key may not list rooms: check its plan")
        case 404:
            return finding("upstream", told, "LUDO_API_BASE_URL lacks its version, such as /v1")
        case status if status >= 400:
            return finding("upstream", told, "see what the answer says, and upstream's status page")
        case _:
            return ok("upstream", told)


def _clock(answer: UpstreamResponse) -> Finding:
    try:
        said = parsedate_to_datetime(answer.headers["date"]).timestamp()
    except (KeyError, ValueError, TypeError):
        return note("upstream clock", "unknown: it sends no Date")
    skew = said - time.time()
    told = f"{skew:+.0f} s from this machine"
    if abs(skew) > SKEW_S:
        return finding(
            "upstream clock",
            told,
            "synchronise this machine's clock (NTP): signatures 300 s apart are refused",
        )
    return ok("upstream clock", told)
