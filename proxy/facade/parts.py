"""The facade's services, put together."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from redis.asyncio import Redis

from ludo.store.cache import SharedCache
from ludo.store.games import GameReader
from ludo.store.library import Library
from ludo.store.replies import Replies
from ludo.store.scripts import Scripts
from ludo.store.writes import Writes
from ludo.upstream.client import LudoClient
from proxy.config import ProxySettings
from proxy.facade.fetching import Fetcher
from proxy.facade.purges import Purges
from proxy.facade.reading import Reader
from proxy.facade.refereeing import LocalReferee
from proxy.facade.replays import Replays
from proxy.facade.states import GameStates
from proxy.facade.writing import Writer
from proxy.telemetry import Telemetry


@dataclass(frozen=True, slots=True)
class Facade:
    """What the facade's routes are given."""

    reader: Reader
    states: GameStates
    replays: Replays
    writer: Writer
    referee: LocalReferee
    purges: Purges


def make_facade(
    settings: ProxySettings,
    redis: Redis,
    scripts: Scripts,
    client: LudoClient,
    telemetry: Telemetry,
    link: Callable[[], Redis],
    library: Library,
) -> Facade:
    """The services over one Redis and one client of upstream; `link` connects for purges."""
    cache = SharedCache(redis, scripts)
    games, writes = GameReader(redis), Writes(redis)
    patience = settings.upstream.deadline
    purges = Purges(link, time.monotonic, most_bytes=settings.proxy.layer_bytes)
    reader = Reader(cache, Fetcher(cache, client, time.monotonic, patience), purges.layer)
    return Facade(
        reader=reader,
        states=GameStates(library, writes, reader),
        replays=Replays(library),
        writer=Writer(client, Replies(scripts), writes, cache),
        referee=LocalReferee(games, writes, settings.proxy.referee, telemetry),
        purges=purges,
    )
