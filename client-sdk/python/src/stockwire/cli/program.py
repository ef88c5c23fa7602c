"""All verbs in one typer application, and what the process says when one fails: a single line on stderr."""

import importlib.metadata
import sys

import typer

from stockwire.cli.failure import line_of, status_of
from stockwire.cli.import_file import import_file
from stockwire.cli.items import items
from stockwire.cli.locations import locations
from stockwire.cli.stock import stock
from stockwire.cli.watch import watch
from stockwire.errors import StockwireError

ENTRY_POINT_GROUP = "stockwire.commands"


def run() -> None:
    """Ends the process: 0 done, 1 failed, 2 wrong usage (and a failed import), 3 refused on the stock, 75 try again
    later, 78 something must be set first, 130 interrupted.
    """
    if reconfigure := getattr(sys.stdout, "reconfigure", None):
        reconfigure(errors="replace")  # a terminal that knows ASCII only shows "?" for an umlaut
    try:
        program()()
    except StockwireError as error:
        typer.echo(f"stockwire: {line_of(error)}", err=True)
        sys.exit(status_of(error))


def program() -> typer.Typer:
    """The client's verbs, and those of every installed distribution that has an entry point of our group."""
    app = typer.Typer(
        name="stockwire",
        help="Stock in step on every screen and till. Options --url and --key fall back to STOCKWIRE_URL and "
        "STOCKWIRE_API_KEY, then to the run.json of a running `stockwire up` in STOCKWIRE_DATA (.stockwire).",
        no_args_is_help=True,
        add_completion=True,
        pretty_exceptions_enable=False,
    )
    app.command("import")(import_file)
    app.command("watch")(watch)
    app.add_typer(stock, name="stock")
    app.add_typer(items, name="items")
    app.add_typer(locations, name="locations")
    for entry in importlib.metadata.entry_points(group=ENTRY_POINT_GROUP):
        try:
            app.add_typer(entry.load())
        except ImportError as error:
            typer.echo(f"stockwire: the commands of {entry.value} cannot be loaded: {error}", err=True)
    return app
