"""All verbs in one typer application, and what the process says when one fails: a single line on stderr."""

import importlib
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Annotated

import typer
from typer.main import get_command

from stockwire.cli import plain
from stockwire.cli.failure import line_of, status_of
from stockwire.cli.output import take_over, warn
from stockwire.errors import StockwireError

ENTRY_POINT_GROUP = "stockwire.commands"
OWN = {
    "import": "import_file:imports",
    "watch": "watch:watch",
    "stock": "stock:stock",
    "items": "items:items",
    "locations": "locations:locations",
}
"""The client's verbs and groups, each with its module here and what it is called there."""


def run() -> None:
    """Ends the process: 0 done, 1 failed, 2 wrong usage (and a failed import), 3 refused on the stock, 74 done, but
    what it says cannot be written, 75 try again later, 78 something must be set first, 130 interrupted.
    """
    take_over()
    try:
        command = get_command(program(*verbs_of(sys.argv, os.environ)))
        plain.convert(command)
        command()
    except StockwireError as error:
        warn(line_of(error))
        sys.exit(status_of(error))


def verbs_of(words: Sequence[str], environment: Mapping[str, str]) -> Sequence[str]:
    """The words that can only be verbs, in what is run, or in what the shell completes behind."""
    if "_STOCKWIRE_COMPLETE" in environment:
        words = (environment.get("COMP_WORDS") or environment.get("_TYPER_COMPLETE_ARGS") or "").split()
        words = words[:-1] if len(words) > 1 else []  # the last one is still being typed
    own = len(words) > 1 and words[1] in OWN
    return words[1:3] if own else ()


def program(verb: str | None = None, within: str | None = None) -> typer.Typer:
    """The client's verbs, and those of every installed distribution that has an entry point of our group.

    With ``verb`` only this one of `OWN`, and only what it calls ``within``, if it does: each takes its time to be
    built.
    """
    app = typer.Typer(
        name="stockwire",
        help="Stock in step on every screen and till. Options --url and --key fall back to STOCKWIRE_URL and "
        "STOCKWIRE_API_KEY, then to the run.json of a running `stockwire up` in STOCKWIRE_DATA (.stockwire).",
        no_args_is_help=True,
        add_completion=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,  # its imports would take longer than all that help has to say
    )
    app.callback()(_root)
    for name in OWN if verb is None else [verb]:
        _add(app, name, within)
    if verb is None:
        _add_installed(app)
    return app


def _show_versions(asked: bool) -> None:
    if asked:
        from stockwire.cli.versions import show

        show()
        raise typer.Exit


def _root(
    version: Annotated[
        bool, typer.Option("--version", help="Show what is installed.", is_eager=True, callback=_show_versions)
    ] = False,
) -> None:
    pass


def _add(app: typer.Typer, name: str, within: str | None) -> None:
    module, _, attribute = OWN[name].partition(":")
    found = getattr(importlib.import_module(f"stockwire.cli.{module}"), attribute)
    if isinstance(found, typer.Typer):
        app.add_typer(_only(within, found), name=name)
    else:
        app.command(name)(found)


def _only(within: str | None, group: typer.Typer) -> typer.Typer:
    """The whole group, should ``within`` be none of its verbs."""
    asked = [command for command in group.registered_commands if command.name == within]
    if not asked:
        return group
    alone = typer.Typer(help=group.info.help, no_args_is_help=True)
    alone.registered_commands.extend(asked)
    return alone


def _add_installed(app: typer.Typer) -> None:
    import importlib.metadata

    for entry in importlib.metadata.entry_points(group=ENTRY_POINT_GROUP):
        try:
            app.add_typer(entry.load())
        except ImportError as error:
            warn(f"the commands of {entry.value} cannot be loaded: {error}")
