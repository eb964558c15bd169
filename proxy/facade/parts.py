"""The facade's services, put together."""

import time
from dataclasses import dataclass

from redis.asyncio import Redis

from ludo.store.cache import SharedCache
from ludo.store.games import GameReader
from ludo.store.replies import Replies
from ludo.store.scripts import Scripts
from ludo.store.writes import Writes
from ludo.upstream.client import LudoClient
from proxy.config import ProxySettings
from proxy.facade.fetching import Fetcher
from proxy.facade.reading import Reader
from proxy.facade.refereeing import LocalReferee
from proxy.facade.states import GameStates
from proxy.facade.writing import Writer
from proxy.telemetry import Telemetry


@dataclass(frozen=True, slots=True)
class Facade:
    """What the facade's routes are given."""

    reader: Reader
    states: GameStates
    writer: Writer
    referee: LocalReferee


def make_facade(
    settings: ProxySettings,
    redis: Redis,
    scripts: Scripts,
    client: LudoClient,
    telemetry: Telemetry,
) -> Facade:
    """The services over one Redis and one client of upstream."""
    cache = SharedCache(redis, scripts)
    games, writes = GameReader(redis), Writes(redis)
    patience = settings.upstream.deadline
    reader = Reader(cache, Fetcher(cache, client, time.monotonic, patience))
    return Facade(
        reader=reader,
        states=GameStates(games, writes, reader, client),
        writer=Writer(client, Replies(scripts), writes, cache),
        referee=LocalReferee(games, writes, settings.proxy.referee, telemetry),
    )
