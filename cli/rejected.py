"""`ludo-proxy rejected`: deliveries that the receiver refused, and a second look at them."""

import os
import time
from collections import Counter
from typing import Annotated, Any

import typer

from cli.printing import json_line, moment, printable

rejected = typer.Typer(
    no_args_is_help=True,
    help="Webhook deliveries that were refused: list them, or verify them again.",
)

_AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]


@rejected.command("list")
def list_rejected(
    limit: Annotated[int, typer.Option(help="At most so many, the newest.", min=1)] = 50,
    as_json: _AsJson = False,
) -> None:
    """Show what was refused and why, the newest first.

    About the last thousand are kept. What a delivery says of itself has not been verified.
    """
    from cli.opening import Opened, on_store
    from ludo.store.rejected import RejectedRing
    from proxy.webhooks.telling import told

    async def listed(store: Opened) -> tuple[list[dict[str, Any]], int]:
        ring = RejectedRing(store.redis)
        return [told(entry) for entry in await ring.newest(limit)], await ring.count()

    entries, total = on_store(os.environ, listed)
    for entry in entries:
        typer.echo(json_line(entry) if as_json else _line(entry))
    if not as_json:
        typer.echo(f"{len(entries)} of {total} refused deliveries")


@rejected.command()
def recheck(as_json: _AsJson = False) -> None:
    """Verify refused deliveries again, after LUDO_WEBHOOK_SECRETS was mended.

    Each is verified against the time at which it came. Genuine ones are accepted as if they had
    just come, once however often this runs, and leave the list; the others stay. Exits with 0 when
    all were looked at, and with 1 when the store did not take one.
    """
    from cli.opening import Opened, on_store
    from ludo.config import ConfigError
    from ludo.store.inbox import Inbox
    from ludo.store.rejected import RejectedRing
    from ludo.upstream.config import WebhookConfig
    from proxy.webhooks.config import ReceiverConfig
    from proxy.webhooks.recheck import Recheck
    from proxy.webhooks.telling import told_outcome

    async def rechecked(store: Opened) -> Counter[str]:
        ring = WebhookConfig.from_env(os.environ).ring
        if not ring:
            raise ConfigError("LUDO_WEBHOOK_SECRETS: expected a key to verify with; found none")
        inbox = Inbox(store.scripts, backlog=ReceiverConfig.from_env(os.environ).backlog)
        counts: Counter[str] = Counter()
        run = Recheck(lambda: ring, inbox, RejectedRing(store.redis), time.time).run()
        async for each in run:
            counts[each.outcome.value] += 1
            typer.echo(
                json_line(told_outcome(each))
                if as_json
                else printable(f"{each.id}  {each.outcome}  {each.webhook_id}  {each.detail}")
            )
        return counts

    counts = on_store(os.environ, rechecked)
    if not as_json:
        told = ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))
        typer.echo(f"{counts.total()} rechecked" + (f": {told}" if told else ""))


def _line(entry: dict[str, Any]) -> str:
    at = moment(entry["receivedAt"])
    size = "unread" if entry["size"] is None else f"{entry['size']} bytes"
    return printable(
        f"{entry['id']}  {at}  {entry['reason']}  {entry['webhookId'] or '(no id)'}  {size}"
    )
