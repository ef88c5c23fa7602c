"""``stockwire items``: what there is to sell."""

from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, cast

import orjson
import typer
from rich.console import Console

from stockwire.asyncio.client import AsyncClient
from stockwire.catalogue import Item
from stockwire.cli.columns import Column, Columns
from stockwire.cli.fields import item_fields
from stockwire.cli.options import Json, Key, SkuArgument, Url, complete, echo_json, failures

items = typer.Typer(help="What there is to sell.", no_args_is_help=True)

ITEMS = (Column("sku", 24), Column("price", 16, right=True), Column("name", 0))


@items.command("list")
def list_items(url: Url = None, key: Key = None, json: Json = False) -> None:
    """Every item, by sku, fetched page by page. With --json one object to a line."""
    columns = Columns(ITEMS, Console().width)

    async def work() -> None:
        async with AsyncClient(url, key) as client:
            if not json:
                typer.echo(columns.heading())
            async for item in client.items.list():
                echo_json(item_fields(item)) if json else typer.echo(columns.line(item_cells(item)))

    with failures(json):
        complete(work())


@items.command("get")
def get(sku: SkuArgument, url: Url = None, key: Key = None, json: Json = False) -> None:
    """Show an item."""

    async def work() -> Item:
        async with AsyncClient(url, key) as client:
            return await client.items.get(sku)

    with failures(json):
        _show(complete(work()), json)


@items.command("put")
def put(
    sku: SkuArgument,
    name: Annotated[str, typer.Argument(help="What people call it.")],
    price: Annotated[str | None, typer.Option("--price", help="Such as 2.55.")] = None,
    currency: Annotated[str | None, typer.Option("--currency", help="Of the price (ISO 4217).")] = None,
    attributes: Annotated[str | None, typer.Option("--attributes", help="Anything else, as a JSON object.")] = None,
    url: Url = None,
    key: Key = None,
    json: Json = False,
) -> None:
    """Make an item, or replace all that is known of it. Moves no stock."""
    amount, known = _amount(price), _object(attributes)

    async def work() -> Item:
        async with AsyncClient(url, key) as client:
            return await client.items.put(sku, name, price=amount, currency=currency, attributes=known)

    with failures(json):
        _show(complete(work()), json)


def item_cells(item: Item) -> list[str]:
    """As ITEMS names them."""
    return [item.sku, price_of(item), item.name]


def price_of(item: Item) -> str:
    return " ".join(str(part) for part in (item.price, item.currency) if part is not None)


def _show(item: Item, json: bool) -> None:
    if json:
        echo_json(item_fields(item))
        return
    price = price_of(item)
    known = f", {orjson.dumps(dict(item.attributes)).decode()}" if item.attributes else ""
    typer.echo(f"{item.sku}: {item.name}" + (f", {price}" if price else "") + known)


def _amount(price: str | None) -> Decimal | None:
    try:
        amount = None if price is None else Decimal(price)
    except InvalidOperation:
        amount = Decimal("NaN")
    if amount is not None and not amount.is_finite():
        raise typer.BadParameter(f"{price!r} is no amount: such as 2.55", param_hint="--price")
    return amount


def _object(attributes: str | None) -> dict[str, Any] | None:
    if attributes is None:
        return None
    try:
        known = orjson.loads(attributes)
    except orjson.JSONDecodeError:
        known = None
    if not isinstance(known, dict):
        raise typer.BadParameter('a JSON object is wanted, such as {"colour":"red"}', param_hint="--attributes")
    return cast("dict[str, Any]", known)
