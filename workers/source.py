"""Upstream's answer to «what is the state of this game», as a value."""

from typing import Final

from ludo.upstream.budget import CallClass
from ludo.upstream.client import LudoClient
from ludo.upstream.deadline import Deadline
from ludo.upstream.errors import UpstreamError, UpstreamRefused
from workers.planning import Fetched, Unknown, Unreachable

WITHIN_S: Final = 15.0
"""Shorter than a job lives: an answer after that would be settled by nobody."""


async def fetch_state(client: LudoClient, game_id: str, within: float = WITHIN_S) -> Fetched:
    """The game's snapshot, or why there is none; never raises an UpstreamError.

    It takes at most `within` seconds, however long LUDO_UPSTREAM_DEADLINE is.
    """
    deadline = Deadline.after(min(within, WITHIN_S))
    try:
        snapshot = await client.get_game_state(game_id, klass=CallClass.RESYNC, deadline=deadline)
    except UpstreamRefused as error:
        return Unknown() if error.status == 404 else Unreachable(str(error))
    except UpstreamError as error:
        return Unreachable(str(error))
    except ValueError:
        # An id that no path can carry (`..`, `/`) is none that upstream could know.
        return Unknown()
    if snapshot.game_id != game_id:
        return Unreachable(f"expected the state of {game_id}; found that of {snapshot.game_id}")
    return snapshot
