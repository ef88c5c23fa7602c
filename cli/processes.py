"""Commands that become one process of a system: ``python -m`` of its package, with the settings that it names."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from cli.named_system import system_variables
from cli.options import Data
from stockwire.cli.numbers import whole

BehindProxy = Annotated[
    bool,
    typer.Option("--behind-proxy", help="Only a proxy that encrypts gets here (STOCKWIRE_BEHIND_PROXY)."),
]


def ledger(data: Data = None, behind_proxy: BehindProxy = False) -> None:
    """Run a ledger (settings: STOCKWIRE_LEDGER_* and STOCKWIRE_DATABASE_URL)."""
    _become("ledger", [], data, STOCKWIRE_BEHIND_PROXY=behind_proxy)


def hub(
    data: Data = None,
    workers: Annotated[int, typer.Option(parser=whole(1), help="Processes that share the ports.")] = 1,
    behind_proxy: BehindProxy = False,
) -> None:
    """Run a hub node (settings: STOCKWIRE_HUB_* and STOCKWIRE_LEDGER_URLS)."""
    _become("hub", ["--workers", str(workers)], data, STOCKWIRE_BEHIND_PROXY=behind_proxy)


def console(data: Data = None, behind_proxy: BehindProxy = False) -> None:
    """Run the live console (settings: STOCKWIRE_CONSOLE_*, STOCKWIRE_URL and STOCKWIRE_ADMIN_URLS)."""
    _become("console", [], data, STOCKWIRE_BEHIND_PROXY=behind_proxy)


def channels(data: Data = None, behind_proxy: BehindProxy = False) -> None:
    """Send webhooks (settings: STOCKWIRE_CHANNELS_*, STOCKWIRE_WEBHOOKS_*, STOCKWIRE_URL, STOCKWIRE_DATABASE_URL)."""
    _become("followers", [], data, STOCKWIRE_BEHIND_PROXY=behind_proxy)


def exporter(
    data: Data = None,
    from_start: Annotated[
        bool, typer.Option("--from-start", help="Audit the whole log first (STOCKWIRE_EXPORTER_FROM_START).")
    ] = False,
    behind_proxy: BehindProxy = False,
) -> None:
    """Audit the log while it sells, for Prometheus (settings: STOCKWIRE_EXPORTER_*, STOCKWIRE_URL)."""
    flags = {"STOCKWIRE_BEHIND_PROXY": behind_proxy, "STOCKWIRE_EXPORTER_FROM_START": from_start}
    _become("followers.exporter", [], data, **flags)


def relay(
    to: Annotated[str | None, typer.Option("--to", metavar="URL", help="The broker (STOCKWIRE_RELAY_TO).")] = None,
    mode: Annotated[
        str | None, typer.Option("--mode", metavar="binary|structured", help="Of CloudEvents (STOCKWIRE_RELAY_MODE).")
    ] = None,
    delivery: Annotated[
        str | None,
        typer.Option("--delivery", metavar="exactly-once|at-least-once", help="STOCKWIRE_RELAY_DELIVERY."),
    ] = None,
    data: Data = None,
    behind_proxy: BehindProxy = False,
) -> None:
    """Write every change to a broker (settings: STOCKWIRE_RELAY_*, STOCKWIRE_BROKER_*, STOCKWIRE_URL)."""
    _become(
        "followers.relay",
        [],
        data,
        STOCKWIRE_RELAY_TO=to,
        STOCKWIRE_RELAY_MODE=mode,
        STOCKWIRE_RELAY_DELIVERY=delivery,
        STOCKWIRE_BEHIND_PROXY=behind_proxy,
    )


def listen(
    url: Annotated[str, typer.Argument(metavar="URL", help="The broker (STOCKWIRE_RELAY_TO).", show_default=False)],
    from_start: Annotated[bool, typer.Option("--from-start", help="All that is there first.")] = False,
) -> None:
    """Print what a relay writes to a broker, a line of JSON each, to try it (settings: STOCKWIRE_BROKER_*)."""
    _become("followers.listener", ["--from-start"] if from_start else [], None, STOCKWIRE_RELAY_TO=url)


def intake(
    data: Data = None,
    from_: Annotated[
        str,
        typer.Option("--from", metavar="URL", help="The broker (STOCKWIRE_INTAKE_FROM), such as kafka://host:port."),
    ] = "",
    behind_proxy: BehindProxy = False,
) -> None:
    """Apply commands from a queue (settings: STOCKWIRE_INTAKE_*, STOCKWIRE_BROKER_*, STOCKWIRE_URL)."""
    _become("followers.intake", [], data, STOCKWIRE_BEHIND_PROXY=behind_proxy, STOCKWIRE_INTAKE_FROM=from_)


def _become(module: str, arguments: list[str], data: Path | None, **settings: bool | str | None) -> None:
    """The process itself, so that signals and exit status are its own. ``settings``: that options stand for."""
    given = {name: "1" if value is True else value for name, value in settings.items() if value}
    variables = system_variables(data) | given
    # -P: not what lies in the folder where it is started, which may be the clone of another version
    os.execve(sys.executable, [sys.executable, "-P", "-m", module, *arguments], variables)
