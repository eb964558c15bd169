"""A worker process: its parts, put together here and nowhere else."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any, Final, cast

import msgspec
import structlog
from arq import cron
from arq.typing import WorkerCoroutine
from arq.worker import Function, func
from redis.asyncio import Redis

from ludo import tasks
from ludo.store import keys
from ludo.store.archive.archive import Archive
from ludo.store.archive.engine import make_engine
from ludo.store.batching import BatchedScripts
from ludo.store.circuits import SharedCircuits
from ludo.store.claims import Claims
from ludo.store.connection import WORKER, connect, connect_arq, redis_address
from ludo.store.errors import ArchiveUnavailable
from ludo.store.inbox import BACKLOG, Inbox
from ludo.store.ownership import Ownership
from ludo.store.permits import Permits
from ludo.store.scripts import Scripts
from ludo.store.tombstones import Tombstones
from ludo.upstream.budget import CallClass
from ludo.upstream.client import LudoClient
from ludo.upstream.guard import Guard
from ludo.upstream.retry import Retries
from ludo.upstream.socket import LudoSocket
from ludo.upstream.wire.models import Room
from workers.applying import Applier
from workers.archiving import Archiver, LeavingGames
from workers.census import Census, ListRooms
from workers.config import WorkerSettings
from workers.due import DueGames
from workers.hearing import Hearing
from workers.listening import LISTENER_TTL_S, Listener
from workers.source import fetch_state
from workers.wakeup import NudgedWorker

JOB_TIMEOUT_S: Final = 30
DRAIN_S: Final = 10.0
JOB_VERSION: Final = 1
HOURLY: Final = 17
"""The minute at which archived games that are too old are given up."""

Context = dict[Any, Any]
"""arq's own; nothing of ours is in it."""

log = structlog.get_logger("workers")


async def run(settings: WorkerSettings) -> None:
    """Works until SIGTERM or SIGINT; neither Redis nor upstream going away ends it."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with AsyncExitStack() as parts:
        url = await parts.enter_async_context(redis_address(settings.store))
        worker = await make_worker(parts, url, settings)
        polling = asyncio.create_task(worker.main(), name="arq-poll")
        stopping = asyncio.create_task(stop.wait(), name="stop")
        log.info("worker.ready")
        await asyncio.wait({polling, stopping}, return_when=asyncio.FIRST_COMPLETED)
        log.info("worker.leaving", jobs=len(worker.tasks))
        await worker.drain(DRAIN_S)
        if polling.done():
            await polling
        await tasks.end(polling, stopping)


async def make_worker(parts: AsyncExitStack, url: str, settings: WorkerSettings) -> NudgedWorker:
    """A worker with everything it needs; `parts` closes it."""
    redis = connect(url, WORKER)
    parts.push_async_callback(redis.aclose)
    nudges = connect(url, WORKER)
    parts.push_async_callback(nudges.aclose)
    pool = connect_arq(url, serializer=msgspec.json.encode, deserializer=msgspec.json.decode)
    parts.push_async_callback(pool.aclose)
    scripts = Scripts(redis)
    client = await _client(parts, redis, scripts, settings)
    batched = BatchedScripts(redis)
    await parts.enter_async_context(tasks.beside("batches", batched.serve()))
    claims = Claims(batched, settings.worker.rules)
    census = Census(_rooms(client), claims, redis)
    await parts.enter_async_context(tasks.beside("census", census.run()))
    if settings.upstream.ws_url is not None:
        listener = _listener(scripts, claims, client, settings, settings.upstream.ws_url)
        await parts.enter_async_context(tasks.beside("listening", listener.run()))
    archiver = await _archiver(parts, redis, scripts, settings)
    leaving = LeavingGames(archiver.move)
    await parts.enter_async_context(tasks.beside("archiving", leaving.run()))
    applier = Applier(
        claims,
        lambda game_id: fetch_state(client, game_id, settings.upstream.deadline),
        settings.policy,
        asyncio.Semaphore(max(1, settings.worker.jobs // 2)),
        leaving.put,
    )
    return NudgedWorker(
        nudges=nudges,
        due=DueGames(claims.claim_due, applier.finish, JOB_TIMEOUT_S),
        redis_pool=pool,
        functions=_functions(applier),
        cron_jobs=[
            cron(_sweeping(claims), name="sweep", second=set(range(60))),
            cron(_retiring(archiver, redis), name="retire", minute=HOURLY, second=0),
        ],
        max_jobs=settings.worker.jobs,
        job_timeout=JOB_TIMEOUT_S,
        keep_result=0,
        queue_read_limit=1000,
        health_check_interval=5,
        handle_signals=False,
        log_results=False,
        job_serializer=msgspec.json.encode,
        job_deserializer=msgspec.json.decode,
    )


async def _client(
    parts: AsyncExitStack, redis: Redis, scripts: Scripts, settings: WorkerSettings
) -> LudoClient:
    """A client that shares budget and circuits with every other process."""
    upstream = settings.upstream
    shared = SharedCircuits(redis, scripts)
    await parts.enter_async_context(tasks.beside("circuits", shared.run()))
    # Whoever resyncs can wait for Redis, so nothing is leased ahead.
    permits = Permits(scripts, upstream.limit, ahead=0) if upstream.limit else None
    if permits is not None:
        await parts.enter_async_context(tasks.beside("permits", permits.run()))
    guard = Guard(
        budget=permits,
        circuits=shared.circuits,
        retries=Retries.usual(upstream.attempts),
    )
    client = LudoClient.from_config(upstream, guard=guard, rules=settings.worker.rules)
    return await parts.enter_async_context(client)


def _rooms(client: LudoClient) -> ListRooms:
    return lambda: client.get_rooms(klass=CallClass.REFRESH)


def _listener(
    scripts: Scripts, claims: Claims, client: LudoClient, settings: WorkerSettings, url: str
) -> Listener:
    key, inbox = settings.upstream.api_key, Inbox(scripts, backlog=BACKLOG)

    def socket(room: Room) -> LudoSocket:
        api_key = key.get_secret_value() if key else None
        opened = LudoSocket(url, room.code, api_key=api_key, game_id=room.game_id)
        hearing = Hearing(inbox, claims, room.game_id)
        opened.on_any(hearing.heard)
        opened.on_joined(hearing.joined)
        return opened

    worker = settings.worker
    ownership = Ownership(scripts, keys.LISTENER, LISTENER_TTL_S)
    return Listener(
        ownership, _rooms(client), socket, every=worker.rooms_every, most=worker.sockets
    )


async def _archiver(
    parts: AsyncExitStack, redis: Redis, scripts: Scripts, settings: WorkerSettings
) -> Archiver:
    """Where games that are over go; a database that is away now may come later."""
    archive = Archive(make_engine(settings.archive.address(settings.store.data_dir)))
    parts.push_async_callback(archive.aclose)
    try:
        await archive.open()
    except ArchiveUnavailable as error:
        log.warning("archive.unavailable", error=str(error))
    return Archiver(
        Tombstones(redis, scripts), archive, settings.worker.rules, settings.archive.retention
    )


def _functions(applier: Applier) -> list[Function]:
    async def apply_game(_: Context, version: int, game_id: str) -> None:
        await _guarded(applier.apply, version, game_id)

    async def resync_game(_: Context, version: int, game_id: str) -> None:
        await _guarded(applier.resync, version, game_id)

    jobs = {"apply_game": apply_game, "resync_game": resync_game}
    return [func(cast(WorkerCoroutine, job), name=name) for name, job in jobs.items()]


async def _guarded(work: Callable[[str], Awaitable[None]], version: int, game_id: str) -> None:
    """A job that raises is final for arq; the sweeper is what tries again."""
    if version != JOB_VERSION:
        log.error("job.unreadable", expected=JOB_VERSION, found=version, game=game_id)
        return
    try:
        await work(game_id)
    except Exception:
        log.exception("job.failed", game=game_id)


def _sweeping(claims: Claims) -> WorkerCoroutine:
    async def sweep(_: Context) -> None:
        woken = await claims.sweep()
        if woken:
            log.info("sweep.woke", games=woken)

    return cast(WorkerCoroutine, sweep)


def _retiring(archiver: Archiver, redis: Redis) -> WorkerCoroutine:
    async def retire(_: Context) -> None:
        seconds, _micros = await redis.time()
        try:
            games = await archiver.give_up_old(seconds * 1000)
        except ArchiveUnavailable as error:
            log.warning("archive.unavailable", error=str(error))
            return
        if games:
            log.info("archive.gave_up", games=games)

    return cast(WorkerCoroutine, retire)
