"""Refuses an illegal move from the mirror, so that it costs upstream nothing."""

from dataclasses import dataclass

from ludo.mirror.mirror import Referee
from ludo.store.games import GameReader
from ludo.store.writes import Writes
from proxy.errors import IllegalMove
from proxy.facade.acting import Body
from proxy.facade.refusal import is_current, refusal
from proxy.telemetry import Telemetry


@dataclass(frozen=True, slots=True)
class LocalReferee:
    """Judges moves by what is stored; raises redis.exceptions.RedisError."""

    games: GameReader
    writes: Writes
    referee: Referee
    telemetry: Telemetry

    async def check(self, game_id: str, move: Body) -> None:
        """Raises IllegalMove for a move that the mirror proves illegal."""
        stored = await self.games.load(game_id)
        if stored is None:
            return
        if not is_current(stored, await self.writes.standing(game_id), self.referee):
            return
        violation = refusal(stored.body, move, self.referee)
        if violation is not None:
            self.telemetry.refused_move(violation.clause)
            raise IllegalMove(violation.clause, violation.sentence)
