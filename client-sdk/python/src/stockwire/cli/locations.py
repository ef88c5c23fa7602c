"""``stockwire locations``: where stock is."""

from typing import Annotated

import typer
from rich.console import Console

from stockwire.asyncio.client import AsyncClient
from stockwire.catalogue import Location
from stockwire.cli.columns import Column, Columns
from stockwire.cli.fields import location_fields
from stockwire.cli.options import Json, Key, LocationArgument, Url, complete, echo_json, failures

locations = typer.Typer(help="Where stock is.", no_args_is_help=True)

LOCATIONS = (Column("location", 24), Column("name", 0))


@locations.command("list")
def list_locations(url: Url = None, key: Key = None, json: Json = False) -> None:
    """The locations that the key may read, fetched page by page. With --json one object to a line."""
    columns = Columns(LOCATIONS, Console().width)

    async def work() -> None:
        async with AsyncClient(url, key) as client:
            if not json:
                typer.echo(columns.heading())
            async for found in client.locations.list():
                echo_json(location_fields(found)) if json else typer.echo(columns.line([found.location, found.name]))

    with failures(json):
        complete(work())


@locations.command("get")
def get(location: LocationArgument, url: Url = None, key: Key = None, json: Json = False) -> None:
    """Show a location."""

    async def work() -> Location:
        async with AsyncClient(url, key) as client:
            return await client.locations.get(location)

    with failures(json):
        _show(complete(work()), json)


@locations.command("put")
def put(
    location: LocationArgument,
    name: Annotated[str, typer.Argument(help="What people call it.")],
    url: Url = None,
    key: Key = None,
    json: Json = False,
) -> None:
    """Make a location, or rename it. Moves no stock."""

    async def work() -> Location:
        async with AsyncClient(url, key) as client:
            return await client.locations.put(location, name)

    with failures(json):
        _show(complete(work()), json)


def _show(found: Location, json: bool) -> None:
    if json:
        echo_json(location_fields(found))
    else:
        typer.echo(f"{found.location}: {found.name}")
