"""``stockwire locations``: where stock is."""

from typing import Annotated

import typer

from stockwire.catalogue import Location
from stockwire.cli.columns import Column, Columns, terminal_width
from stockwire.cli.fields import location_fields
from stockwire.cli.options import Json, Key, LocationArgument, Url, client_of, failures
from stockwire.cli.output import say, say_json

locations = typer.Typer(help="Where stock is.", no_args_is_help=True)

LOCATIONS = (Column("location", 24), Column("name", 0))


@locations.command("list")
def list_locations(url: Url = None, key: Key = None, json: Json = False) -> None:
    """The locations that the key may read, fetched page by page. With --json one object to a line."""
    columns = Columns(LOCATIONS, terminal_width())
    with failures(json), client_of(url, key) as client:
        if not json:
            say(columns.heading())
        for found in client.locations.list():
            say_json(location_fields(found)) if json else say(columns.line([found.location, found.name]))


@locations.command("get")
def get(location: LocationArgument, url: Url = None, key: Key = None, json: Json = False) -> None:
    """Show a location."""
    with failures(json), client_of(url, key) as client:
        _show(client.locations.get(location), json)


@locations.command("put")
def put(
    location: LocationArgument,
    name: Annotated[str, typer.Argument(help="What people call it.")],
    url: Url = None,
    key: Key = None,
    json: Json = False,
) -> None:
    """Make a location, or rename it. Moves no stock."""
    with failures(json), client_of(url, key) as client:
        _show(client.locations.put(location, name), json)


def _show(found: Location, json: bool) -> None:
    if json:
        say_json(location_fields(found))
    else:
        say(f"{found.location}: {found.name}")
