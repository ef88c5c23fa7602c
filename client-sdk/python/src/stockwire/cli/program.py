"""All verbs in one typer application, and what the process says when one fails: a single line on stderr."""

import importlib.metadata
import sys

import typer

from stockwire.cli import EXIT_CONFIG
from stockwire.cli.import_file import import_file
from stockwire.cli.stock import stock
from stockwire.cli.watch import watch
from stockwire.errors import ConfigurationError, StockwireError

ENTRY_POINT_GROUP = "stockwire.commands"
EXIT_ERROR = 1


def run() -> None:
    """Ends the process: 0 done, 1 failed, 2 wrong usage (and a failed import), 78 something must be set first."""
    try:
        program()()
    except ConfigurationError as error:
        _end(error, EXIT_CONFIG)
    except StockwireError as error:
        _end(error, EXIT_ERROR)


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
    for entry in importlib.metadata.entry_points(group=ENTRY_POINT_GROUP):
        try:
            app.add_typer(entry.load())
        except ImportError as error:
            typer.echo(f"stockwire: the commands of {entry.value} cannot be loaded: {error}", err=True)
    return app


def _end(error: StockwireError, status: int) -> None:
    typer.echo(f"stockwire: {error}", err=True)
    sys.exit(status)
