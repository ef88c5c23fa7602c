"""The server's commands, added to the client's `stockwire` program through its entry-point group.

Exit status: 0 done, 1 it failed, 2 wrong usage, 78 a setting makes no sense (the one line printed says the fix), 130
interrupted (`up`: 0), 143 ended by SIGTERM (`up`, `ledger` and `hub`: 0).
"""

import json
import os
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from cli.cdc_config import CdcRole, cdc_config
from cli.channel import channel_app
from cli.named_system import checked_environment, checked_variables, data_path, database_url
from cli.options import Data, Json
from cli.processes import channels, console, exporter, hub, intake, ledger, listen, relay
from cli.reconcile import reconcile
from cli.refusals import database_refusals, key_refusals
from cli.webhooks import webhooks_app
from server.settings.environment import SettingsError
from stockwire.cli.numbers import number, whole
from stockwire.cli.options import complete
from stockwire.cli.output import after

if TYPE_CHECKING:
    from wire.availability import PublicSteps

# Imports of what a command needs stand inside it: `stockwire --help` need not load a database driver.

app = typer.Typer(no_args_is_help=True)
key_app = typer.Typer(no_args_is_help=True, help="API keys, straight on the database.")
token_app = typer.Typer(no_args_is_help=True, help="Short-lived tokens for browsers.")
app.add_typer(key_app, name="key")
app.add_typer(token_app, name="token")
demo_app = typer.Typer(no_args_is_help=True, help="Demonstrations on a running `stockwire up`.")
app.add_typer(demo_app, name="demo")
app.add_typer(webhooks_app, name="webhooks")
app.add_typer(channel_app, name="channel")
app.command("reconcile")(reconcile)
app.command("cdc-config")(cdc_config)

Result = TypeVar("Result")


@app.command()
def up(
    data: Data = None,
    reset: Annotated[bool, typer.Option("--reset", help="Begin again: empty the data folder first.")] = False,
    port: Annotated[str, typer.Option(metavar="BASE", help="Ports from BASE upwards; 0: free ports.")] = "8080",
    replay: Annotated[str, typer.Option(metavar="SPEED", help="Sales to replay, changes per second; 0: none.")] = "40",
    hubs: Annotated[str, typer.Option(metavar="N", help="Hub nodes to run.")] = "2",
    no_console: Annotated[bool, typer.Option("--no-console", help="Run none.")] = False,
    channels: Annotated[bool, typer.Option("--channels", help="Run what sends webhooks.")] = False,
    observe: Annotated[bool, typer.Option("--observe", help="Run an exporter, and Prometheus if installed.")] = False,
    stream: Annotated[
        str, typer.Option(metavar="KIND", help="Run a relay and its broker: kafka, rabbitmq or nats.")
    ] = "",
) -> None:
    """Run a whole system: database, broker, ledger, hubs, a sample shop with live sales. Ctrl-C stops it."""
    with key_refusals():
        _refuse_without_process_tools()
        try:
            from cli import settings
            from cli import up as running

            asked = settings.UpSettings.read(
                data=data_path(data),
                reset=reset,
                port=settings.whole_number("--port", port),
                replay=settings.number("--replay", replay),
                hubs=settings.whole_number("--hubs", hubs),
                console=not no_console,
                channels=channels,
                observe=observe,
                stream=stream,
                variables=os.environ,
            )
            status = running.run(asked)
        except KeyboardInterrupt:  # while it was still being read: nothing runs that would need an order
            print("Stopped.")
            status = 0
    raise typer.Exit(status)


for process in (ledger, hub, console, channels, exporter, relay, listen, intake):
    app.command()(process)


@app.command()
def migrate(
    data: Data = None,
    shards: Annotated[
        int, typer.Option(parser=whole(1, 64), help="Number of shards; fixed by the first migration.")
    ] = 4,
    plan: Annotated[bool, typer.Option("--plan", help="Only say what would be done: steps, locks, sizes.")] = False,
    contract: Annotated[
        bool, typer.Option("--contract", help="Take away what only older ledgers need. There is no way back.")
    ] = False,
    new_epoch: Annotated[bool, typer.Option("--new-epoch", help="Last step of a restore: tell everybody.")] = False,
    public_steps: Annotated[
        str | None, typer.Option("--public-steps", metavar="1,5,10", help="The quantities that the public may see.")
    ] = None,
    public_low: Annotated[
        int, typer.Option("--public-low", parser=whole(1), help="Below this step stock shows as low.")
    ] = 5,
    cdc: Annotated[bool, typer.Option("--cdc", help="Make what Debezium reads the log by, too.")] = False,
    cdc_role: CdcRole = "stockwire_cdc",
) -> None:
    """Bring the database to this version's schema, beside the sales. Safe to run again, and from several machines."""
    from cli import migrating
    from ledger import migrations

    if contract and (new_epoch or public_steps is not None):
        raise typer.BadParameter("--contract is a step of its own: run it without --new-epoch and --public-steps")
    if cdc and (contract or plan):
        raise typer.BadParameter("--cdc is for the database as it is now: run it without --contract and --plan")
    steps = None if public_steps is None else _public_steps(public_steps, public_low)
    with database_refusals():
        url = database_url(checked_variables(data))
    if plan:
        with database_refusals():
            planned = _run(migrations.plan(url, shards, contracting=contract))
        migrating.print_plan(planned, contracting=contract)
        return
    if contract:
        with database_refusals(), migrating.interruptible():
            done = _run(migrations.contract(url, migrating.say))
        print(migrating.contracted(done))
        return
    with database_refusals(), migrating.interruptible():
        _run(migrations.expand(url, shards, migrating.say))
    print("The database is migrated.")
    if steps is not None:
        with database_refusals():
            epoch = _run(migrations.set_public_steps(url, steps))
        print(f"The public sees {public_steps} and low below {public_low}; new epoch {epoch}.")
    if new_epoch:
        with database_refusals():
            epoch = _run(migrations.new_epoch(url))
        print(f"New epoch {epoch}: hubs and clients drop what they hold.")
    if cdc:
        _set_up_cdc(url, cdc_role)


def _set_up_cdc(url: str, role: str) -> None:
    from cli import migrating
    from cli.cdc import told
    from ledger import migrations

    with database_refusals(), migrating.interruptible():
        done = _run(migrations.set_up_cdc(url, role, migrating.say))
    print(told(done))


def _public_steps(text: str, low: int) -> "PublicSteps":
    from wire.availability import PublicSteps

    try:
        return PublicSteps(tuple(map(whole(), text.split(","))), low)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--public-steps") from None


@app.command()
def top(
    data: Data = None,
    admin: Annotated[
        list[str] | None,
        typer.Option("--admin", metavar="URL", help="An admin port; repeat it for more (STOCKWIRE_ADMIN_URLS)."),
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="Look for one second, print, and end.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a second.")] = False,
) -> None:
    """Show every ledger and hub with what it does now, once a second."""
    from cli import top as looking

    with key_refusals():
        nodes = looking.nodes_of(admin or [], data_path(data), checked_environment())
        complete(looking.run(nodes, as_json=as_json, once=once))


@app.command()
def doctor(
    data: Data = None,
    audit: Annotated[bool, typer.Option("--audit", help="Check every invariant; reads the whole log.")] = False,
    read_only: Annotated[bool, typer.Option("--read-only", help="Book nothing: no round trip of a change.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For scripts.")] = False,
) -> None:
    """Look for what is wrong or will go wrong, and say the fix. Exit status 1 if anything failed."""
    from cli.doctor import examine
    from cli.report_screen import show

    with database_refusals():
        report = _run(examine(data_path(data), checked_variables(data), audit=audit, read_only=read_only))
    if as_json:
        print(report.as_json())
    else:
        show(report)
    raise typer.Exit(0 if report.good else 1)


@key_app.command("create")
def key_create(
    owner: Annotated[str, typer.Argument(help="Who the key is for: a terminal, a shop, a connector.")],
    scope: Annotated[list[str], typer.Option(help="Such as stock:read:berlin, stock:write:*, feed, hub or admin.")],
    name: Annotated[str, typer.Option(help="To tell an owner's keys apart.")] = "",
    days: Annotated[
        float | None, typer.Option(parser=number(0), help="Ends after so many days; never by default.")
    ] = None,
    file: Annotated[Path | None, typer.Option(help="Keep it there, and make one only if there is none.")] = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Make a key. Its text is printed this once, or kept in --file (mode 0600); only a hash is stored."""
    from cli import keys

    expires_at = None if days is None else datetime.now(UTC) + timedelta(days=days)
    with database_refusals():
        url = database_url(checked_variables(data))
        if file is None:
            made = _run(keys.create(url, owner, scope, name, expires_at))
        else:
            new = _run(keys.keep(url, file, owner, scope, name, expires_at))
    if file is None:
        with after(f"the key {made.id} is made, and nobody has its text: `stockwire key revoke {made.id}`"):
            print(json.dumps(keys.created_fields(made)) if as_json else made.key)
    elif as_json:
        print(json.dumps({"file": str(file), "made": new}))
    else:
        print(f"A new key is in {file}." if new else f"The key in {file} is good.")


@key_app.command("import")
def key_import(
    owner: Annotated[str, typer.Argument(help="Who the key is for: a terminal, a shop, a connector.")],
    scope: Annotated[list[str], typer.Option(help="Such as stock:read:berlin, stock:write:*, feed, hub or admin.")],
    file: Annotated[Path, typer.Option(help="Where its text is: sw_, an id, _ and a secret.")],
    name: Annotated[str, typer.Option(help="To tell an owner's keys apart.")] = "",
    data: Data = None,
) -> None:
    """Let in a key that you made as text, such as a secret of an orchestrator. Safe to run at every start."""
    from cli import keys

    with database_refusals():
        url = database_url(checked_variables(data))
        new = _run(keys.take_in(url, file, owner, scope, name))
    print(f"The key in {file} is let in." if new else f"The key in {file} is good.")


@key_app.command("list")
def key_list(data: Data = None, as_json: Json = False) -> None:
    """Every key, without its secret."""
    from cli import keys

    with database_refusals():
        found = _run(keys.listed(database_url(checked_variables(data))))
    now = datetime.now(UTC)
    for key in found:
        print(json.dumps(keys.key_fields(key, now)) if as_json else keys.described(key, now))


@key_app.command("revoke")
def key_revoke(key_id: Annotated[str, typer.Argument(metavar="ID")], data: Data = None) -> None:
    """End a key and every token it minted, at once."""
    from cli import keys

    with database_refusals():
        variables = checked_variables(data)
        told = _run(keys.revoke(database_url(variables), variables, key_id))
    print(
        f"Revoked {key_id}." if told else f"Revoked {key_id}; hubs may take it for up to a minute: no broker was told."
    )


@token_app.command("create")
def token_create(
    scope: Annotated[list[str], typer.Option(help="Must be covered by the key's own scopes.")],
    ttl: Annotated[int, typer.Option(parser=whole(1, 3600), help="Seconds, up to 3600.")] = 600,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Mint a token from your API key (STOCKWIRE_URL and STOCKWIRE_API_KEY, or a running `stockwire up`)."""
    from cli import keys

    with key_refusals():
        checked_environment()
        minted = _run(keys.mint(data_path(data), scope, ttl))
    print(json.dumps(minted) if as_json else minted["token"])


@demo_app.command("flash-sale")
def demo_flash_sale(
    buyers: Annotated[int, typer.Option(parser=whole(0), help="Each wants one unit, all at once.")] = 500,
    units: Annotated[int, typer.Option(parser=whole(0), help="On hand before the sale.")] = 50,
    watchers: Annotated[int, typer.Option(parser=whole(0), help="Screens that watch, spread over the hubs.")] = 100,
    hold: Annotated[
        bool, typer.Option("--hold", help="Each holds a unit and then pays; every third never does.")
    ] = False,
    fault: Annotated[str, typer.Option(metavar="none|hub|broker", help="What to break in the middle.")] = "none",
    as_json: Annotated[bool, typer.Option("--json", help="For scripts.")] = False,
    data: Data = None,
) -> None:
    """Sell far too few units to far too many buyers, beside the same done naively. Exit status 1 if ours went wrong."""
    with database_refusals():
        _refuse_without_process_tools()
        from cli.flash_sale import demo
        from cli.flash_sale.fault import fault_kind
        from cli.flash_sale.sale import Asked

        asked = Asked(buyers, units, watchers, hold)
        verdict = demo.hold_sale(data_path(data), asked, fault_kind(fault))
    demo.show(verdict, as_json=as_json)
    raise typer.Exit(0 if verdict.good else 1)


def _run(work: Coroutine[object, object, Result]) -> Result:
    import asyncio

    return asyncio.run(work)


def _refuse_without_process_tools() -> None:
    """psutil comes with the embedded servers, and both are left out of the image. Raises SettingsError."""
    if find_spec("psutil") is None:
        raise SettingsError(
            "not in this image: the embedded servers of `stockwire up` and what is tried on it; run `make up` in "
            "a clone, or `stockwire ledger` and `stockwire hub` here"
        )
