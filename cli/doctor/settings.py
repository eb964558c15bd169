"""Looks at the settings: can every process start with them, and do the keys still count."""

from collections.abc import Mapping
from typing import Final

from cli.doctor.findings import Finding, finding, note, ok
from ludo.config import ConfigError
from ludo.upstream.config import UpstreamConfig, WebhookConfig
from ludo.upstream.keyring import KeyRing
from proxy.config import ProxyConfig
from workers.config import WorkerConfig

SOON_S: Final = 7 * 24 * 3600


def look_at_settings(environ: Mapping[str, str], now: int) -> list[Finding]:
    """The settings of proxy, worker, receiver and upstream, each as its process reads them."""
    told = []
    for part, config in (("proxy", ProxyConfig), ("worker", WorkerConfig)):
        try:
            config.from_env(environ)
        except ConfigError as error:
            advice = f"mend it, or `ludo-proxy {part}` will not start here"
            if part == "proxy":
                advice = "mend it, or `ludo-proxy serve` will not start here"
            told.append(finding(f"{part} settings", str(error), advice))
        else:
            told.append(ok(f"{part} settings", "can be read"))
    return [*told, _api_key(environ), _secrets(environ, now)]


def _api_key(environ: Mapping[str, str]) -> Finding:
    try:
        config = UpstreamConfig.from_env(environ)
    except ConfigError as error:
        return finding("api key", str(error), "mend it, or no process will start here")
    if config.api_key is None:
        return finding(
            "api key", "LUDO_API_KEY is unset: upstream refuses every call", "set LUDO_API_KEY"
        )
    return ok("api key", "set")


def _secrets(environ: Mapping[str, str], now: int) -> Finding:
    try:
        ring = WebhookConfig.from_env(environ).ring
        has_socket = UpstreamConfig.from_env(environ).ws_url is not None
    except ConfigError as error:
        return finding(
            "webhook secrets", str(error), "mend it, or `ludo-proxy serve` will not start"
        )
    if not ring and has_socket:
        return note("webhook secrets", "none: events come through LUDO_WS_URL only")
    if not ring:
        return finding(
            "webhook secrets",
            "LUDO_WEBHOOK_SECRETS is unset: every delivery is refused",
            "set it to the secret that upstream signs with, or set LUDO_WS_URL",
        )
    return _ring(ring, now)


def _ring(ring: KeyRing, now: int) -> Finding:
    counting = [key for key in ring.keys if key.counts_at(now)]
    if not counting:
        return finding(
            "webhook secrets",
            f"none of {len(ring.keys)} keys counts at this time: every delivery is refused",
            "add a key whose not_before and not_after enclose the present to LUDO_WEBHOOK_SECRETS",
        )
    if not any(key.counts_at(now + SOON_S) for key in ring.keys):
        return finding(
            "webhook secrets",
            "the last key ends within a week",
            "add the next key to LUDO_WEBHOOK_SECRETS beside it, and give it to upstream",
        )
    return ok("webhook secrets", f"{len(counting)} of {len(ring.keys)} keys count now")
