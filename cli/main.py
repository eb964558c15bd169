"""`ludo-proxy`: the commands. Each parses its arguments and hands over to one room."""

import asyncio
import logging
import os
from pathlib import Path
from typing import Annotated

import typer

from cli.deadletters.command import deadletters
from cli.failing import one_clear_line
from cli.games.command import games
from cli.rejected import rejected
from ludo.logs import LogConfig, configure_logs

app = typer.Typer(
    rich_markup_mode="markdown",  # joins the lines of a paragraph
    name="ludo-proxy",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="A proxy, mirror and relay between LudoKingAPI and game frontends. "
    "Start with: ludo-proxy demo",
)


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=0, max=65535)] = 8080,
    role: Annotated[str, typer.Option(help="Which routes exist: all, api or relay.")] = "all",
    processes: Annotated[int, typer.Option(help="Server processes.", min=1, max=64)] = 1,
) -> None:
    """Serve the facade, the webhook receiver, the relay and the board.

    Settings come from the environment; .env.example lists all of them.
    """
    from proxy.server import run

    with one_clear_line():
        configure_logs(LogConfig.from_env(os.environ))
        run(os.environ, host=host, port=port, role=role, processes=processes)


@app.command()
def worker() -> None:
    """Apply accepted events to the mirrors, and repair what upstream failed to send."""
    from workers.config import WorkerSettings
    from workers.main import run

    with one_clear_line():
        configure_logs(LogConfig.from_env(os.environ))
        asyncio.run(run(WorkerSettings.from_env(os.environ)))


@app.command()
def sandbox() -> None:
    """Run a LudoKingAPI of your own that plays games and delivers signed webhooks."""
    from cli.sandbox import run
    from sandbox.config import SandboxConfig

    with one_clear_line():
        configure_logs(LogConfig.from_env(os.environ))
        run(SandboxConfig.from_env(os.environ))


@app.command()
def demo(
    once: Annotated[
        bool, typer.Option("--once", help="Play --games games to their end, compare, and stop.")
    ] = False,
    games: Annotated[
        int | None, typer.Option(help="Games: played at once, or with --once in all.", min=1)
    ] = None,
    seed: Annotated[str | None, typer.Option(help="Dice, bots and faults follow from it.")] = None,
    speed: Annotated[
        float | None, typer.Option(help="A bot's rolls and moves a second.", min=0, max=1000)
    ] = None,
    faults: Annotated[
        str, typer.Option(help="none, lossless or all, and rates as fault=0.1, by commas.")
    ] = "all",
    port: Annotated[int, typer.Option(help="The board's port; 0 takes a free one.", min=0)] = 8080,
    settle: Annotated[
        float, typer.Option(help="Seconds that mirrors may need after the last event.", min=0)
    ] = 60.0,
    data_dir: Annotated[
        Path | None, typer.Option(help="Where to keep data and logs; default: thrown away.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="With --once: a game a line, mirror beside truth.")
    ] = False,
) -> None:
    """Run everything here: a sandbox upstream, the proxy, a worker and a Redis.

    Without --once it prints the board's address and plays until Ctrl-C. With --once it plays
    whole games through every part, faults on, and exits with 1 if any mirror differs from the
    truth.
    """
    from cli.demo.command import DemoOptions, run_demo

    options = DemoOptions(once, games, seed, speed, faults, port, settle, data_dir, as_json)
    with one_clear_line():
        equal = run_demo(options, os.environ)
    raise typer.Exit(0 if equal else 1)


@app.command()
def token(
    player: Annotated[str, typer.Argument(help="Whose token: the id that becomes its `sub`.")],
    games: Annotated[
        str | None, typer.Option(help="The only games that it may watch, by commas; default: all.")
    ] = None,
    lifetime: Annotated[str, typer.Option(help="How long it is good: 10m, 1h … 24h.")] = "1h",
    as_json: Annotated[
        bool, typer.Option("--json", help="With its id, its player and when it expires.")
    ] = False,
) -> None:
    """Make a caller's token, signed with LUDO_JWT_SECRET.

    With LUDO_DEV=1 and no secret, it is signed with the one that the proxy keeps in
    LUDO_DATA_DIR. Send it as `Authorization: Bearer …`, or in the relay's `hello`:

    curl -H "Authorization: Bearer $(ludo-proxy token plr_ann)" localhost:8080/v1/games
    """
    from cli.printing import json_line
    from cli.token import make_token

    with one_clear_line():
        made = make_token(player, games, lifetime, os.environ)
    told = {
        "token": made.token,
        "playerId": player,
        "tokenId": made.token_id,
        "expiresAt": made.expires * 1000,
    }
    typer.echo(json_line(told) if as_json else made.token)


@app.command()
def deliver(
    file: Annotated[Path, typer.Argument(help="Webhook bodies, one a line; - is stdin.")],
    url: Annotated[str, typer.Option(help="The receiver.")] = "http://127.0.0.1:8080/webhooks/ludo",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Send signed test deliveries, signed with the first key of LUDO_WEBHOOK_SECRETS.

    Exits with 1 if any of them was not accepted.
    """
    from cli.deliver import deliver_file

    with one_clear_line():
        accepted = asyncio.run(deliver_file(file, url, os.environ, as_json=as_json))
    raise typer.Exit(0 if accepted else 1)


@app.command()
def doctor(
    probe: Annotated[
        bool,
        typer.Option(
            "--probe", help="Send a signed event through the receiver, and a job to a worker."
        ),
    ] = False,
    url: Annotated[
        str, typer.Option(help="The receiver that is probed.")
    ] = "http://127.0.0.1:8080/webhooks/ludo",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a finding.")] = False,
) -> None:
    """Look at every part of a deployment, and say what to do about each finding.

    Settings and keys, Redis and what it promises, clocks, upstream (one call, of the class that
    gives way to all others), workers, backlog, dead letters, and whether every accepted event is
    accounted for. A probe is an event of no known type: accepted, filtered, counted, and without
    an effect. Exits with 0 if there is nothing to mend, 1 if there is, 2 if the store cannot be
    looked at.
    """
    from cli.doctor.command import DoctorOptions, run_doctor

    with one_clear_line():
        configure_logs(LogConfig.from_env(os.environ), least=logging.ERROR)
        well = run_doctor(DoctorOptions(probe, url, as_json), os.environ)
    raise typer.Exit(0 if well else 1)


@app.command()
def audit(
    file: Annotated[Path, typer.Argument(help="Webhook bodies, one a line; - is stdin.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a game.")] = False,
    ruleset: Annotated[
        str,
        typer.Option(envvar="LUDO_RULES", help="Switches of the rules as name=value, by commas."),
    ] = "",
) -> None:
    """Judge recorded games by the clauses of docs/rules.md.

    The bodies may be of any number of games, in order within each. The first illegal event of a
    game is its violation; what is shown is the last legal state, and how many events of the game
    were read until then. Rooms' events and unknown types are skipped; a game's event without a
    sequence cannot be judged. Exits with 0 if all is legal, 1 if not, 2 for input that cannot be
    read.
    """
    from cli.audit.command import AuditOptions, run_audit

    with one_clear_line():
        legal = run_audit(AuditOptions(file, ruleset, as_json))
    raise typer.Exit(0 if legal else 1)


app.add_typer(rejected, name="rejected")
app.add_typer(deadletters, name="deadletters")
app.add_typer(games, name="games")


@app.command()
def conformance(
    url: Annotated[str, typer.Argument(help="The relay, as wss://host/ws.")],
    game: Annotated[
        str | None, typer.Option(help="A game that is being played; else one of its /v1/games.")
    ] = None,
    token: Annotated[
        str | None, typer.Option(envvar="LUDO_RELAY_TOKEN", help="Needed unless anybody may come.")
    ] = None,
    case: Annotated[list[str] | None, typer.Option(help="Only this case; may be repeated.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a case.")] = False,
) -> None:
    """Hold a relay, whoever wrote it, to the protocol ludorelay.v1.

    Each case is a sentence of docs/design.md, section 8. They run one after another and take
    about half a minute, the longest because a relay waits 5 s for a hello. Exits with 0 if all
    hold, 1 if not.
    """
    from cli.conformance.command import ConformanceOptions, run_conformance

    with one_clear_line():
        held = run_conformance(ConformanceOptions(url, game, token, case or (), as_json))
    raise typer.Exit(0 if held else 1)


@app.command()
def load(
    url: Annotated[str, typer.Argument(help="The relay, as ws://host/ws.")],
    clients: Annotated[int, typer.Option(help="How many at once.", min=1, max=60_000)] = 100,
    game: Annotated[
        list[str] | None, typer.Option(help="A game to follow; may be repeated.")
    ] = None,
    games: Annotated[
        int, typer.Option(help="Without --game: at most so many of /v1/games.", min=1)
    ] = 250,
    seconds: Annotated[
        float, typer.Option(help="How long, once all have come.", min=0.1, max=3_600)
    ] = 10.0,
    rate: Annotated[
        float, typer.Option(help="Newcomers a second; a relay admits 200.", min=1, max=10_000)
    ] = 100.0,
    token: Annotated[
        str | None, typer.Option(envvar="LUDO_RELAY_TOKEN", help="Needed unless anybody may come.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Load a relay with clients that follow games and ping, and say what they saw.

    Times are in milliseconds: dialling to welcome and to live, ping to pong, and from an event to
    its delta here. Exits with 0 if every client was live and saw neither an error nor a hole.
    """
    from cli.load.command import LoadOptions, run_load

    options = LoadOptions(url, clients, game or (), games, seconds, rate, token, as_json)
    with one_clear_line():
        good = run_load(options)
    raise typer.Exit(0 if good else 1)


def main() -> None:
    """The console script."""
    try:
        app()
    except KeyboardInterrupt:
        raise SystemExit(130) from None
