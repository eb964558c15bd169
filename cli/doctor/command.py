"""`ludo-proxy doctor`: from options to findings and an exit code."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass

import httpx
from redis.exceptions import RedisError

from cli.deliver import TIMEOUT_S, first_key
from cli.doctor import store, work
from cli.doctor.findings import Finding, Level, finding
from cli.doctor.probe import Probe
from cli.doctor.report import print_report
from cli.doctor.round_trip import RoundTrip
from cli.doctor.settings import look_at_settings
from cli.doctor.upstream import look_at_upstream
from cli.failing import CannotGoOn
from cli.opening import Opened, opened
from ludo.config import ConfigError
from ludo.store.config import StoreConfig
from ludo.store.errors import StoreError
from ludo.store.letters import DeadLetters


@dataclass(frozen=True, slots=True)
class DoctorOptions:
    """What the command line asked for; `url` is where a probe is delivered."""

    probe: bool
    url: str
    as_json: bool


class CannotLook(CannotGoOn):
    """The store cannot be looked at, so nothing can be said of the deployment."""

    exit_code = 2


def run_doctor(options: DoctorOptions, environ: Mapping[str, str]) -> bool:
    """Prints the findings; whether there is nothing to mend. Raises CannotLook."""
    try:
        findings = asyncio.run(examine(options, environ))
    except (ConfigError, StoreError, CannotGoOn, RedisError, OSError) as error:
        raise CannotLook(str(error)) from None
    print_report(findings, as_json=options.as_json)
    return all(each.level is not Level.FINDING for each in findings)


async def examine(options: DoctorOptions, environ: Mapping[str, str]) -> list[Finding]:
    """Everything that can be seen from here; raises what opening the store raises."""
    async with opened(StoreConfig.from_env(environ)) as there:
        findings = [
            *look_at_settings(environ, int(time.time())),
            *await _looked_at_store(there),
            *await look_at_upstream(environ, there.scripts),
        ]
        if options.probe:
            findings.append(await _probed(there, options.url, environ))
            findings.append(await RoundTrip(there.redis, there.scripts).send())
        return findings


async def _probed(there: Opened, url: str, environ: Mapping[str, str]) -> Finding:
    try:
        key = first_key(environ)
    except (CannotGoOn, ConfigError) as error:
        return finding("probe", str(error), "a public key (whpk_…) can verify, but not sign")
    async with httpx.AsyncClient(timeout=TIMEOUT_S, trust_env=False) as http:
        return await Probe(http, there.redis, url, key).send()


async def _looked_at_store(there: Opened) -> list[Finding]:
    redis, allowed = there.redis, there.config.allow_volatile_redis
    return [
        await store.look_at_redis(redis),
        await store.look_at_durability(redis, allow_volatile=allowed),
        await store.look_at_memory(redis),
        await store.look_at_clock(redis),
        await work.look_at_workers(redis),
        await work.look_at_backlog(redis),
        await work.look_at_dead_letters(DeadLetters(redis, there.scripts)),
        *await work.look_at_accounts(redis),
    ]
