"""``stockwire items``: what there is to sell."""

from decimal import Decimal
from typing import Annotated, Any, cast

import orjson
import typer

from stockwire.argument import UNITS_MAX
from stockwire.catalogue import PERCENT_MAX, HoldLimits, Item
from stockwire.cli.columns import Column, Columns, terminal_width
from stockwire.cli.fields import item_fields
from stockwire.cli.numbers import amount, duration, whole
from stockwire.cli.options import Json, Key, SkuArgument, Url, client_of, failures
from stockwire.cli.output import say, say_json

items = typer.Typer(help="What there is to sell.", no_args_is_help=True)

ITEMS = (Column("sku", 24), Column("price", 16, right=True), Column("name", 0))


@items.command("list")
def list_items(url: Url = None, key: Key = None, json: Json = False) -> None:
    """Every item, by sku, fetched page by page. With --json one object to a line."""
    columns = Columns(ITEMS, terminal_width())
    with failures(json), client_of(url, key) as client:
        if not json:
            say(columns.heading())
        for item in client.items.list():
            say_json(item_fields(item)) if json else say(columns.line(item_cells(item)))


@items.command("get")
def get(sku: SkuArgument, url: Url = None, key: Key = None, json: Json = False) -> None:
    """Show an item."""
    with failures(json), client_of(url, key) as client:
        _show(client.items.get(sku), json)


@items.command("put")
def put(
    sku: SkuArgument,
    name: Annotated[str, typer.Argument(help="What people call it.")],
    price: Annotated[
        Decimal | None, typer.Option("--price", parser=amount, metavar="AMOUNT", help="Such as 2.55; with --currency.")
    ] = None,
    currency: Annotated[str | None, typer.Option("--currency", help="Of the price (ISO 4217).")] = None,
    attributes: Annotated[str | None, typer.Option("--attributes", help="Anything else, as a JSON object.")] = None,
    hold_units: Annotated[
        int | None,
        typer.Option("--hold-units", parser=whole(1, UNITS_MAX), help="So many units one customer may hold at most."),
    ] = None,
    hold_ttl: Annotated[
        int | None,
        typer.Option("--hold-ttl", parser=duration(1, UNITS_MAX), metavar="TIME", help="So long at most: 90s, 15m."),
    ] = None,
    hold_share: Annotated[
        int | None,
        typer.Option("--hold-share", parser=whole(1, PERCENT_MAX), help="Percent of what is on hand that may be held."),
    ] = None,
    no_hold_limits: Annotated[bool, typer.Option("--no-hold-limits", help="Take away those that it has.")] = False,
    url: Url = None,
    key: Key = None,
    json: Json = False,
) -> None:
    """Make an item, or replace all that is known of it; limits on holds stay unless some are given. Moves no stock."""
    known = _object(attributes)
    limits = HoldLimits(hold_units, hold_ttl, hold_share)
    limited = limits != HoldLimits()
    if limited and no_hold_limits:
        raise typer.BadParameter("give either limits or --no-hold-limits")
    if price is not None and currency is None:
        raise typer.BadParameter("a price needs its currency, such as EUR", param_hint="--currency")
    with failures(json), client_of(url, key) as client:
        item = client.items.put(
            sku,
            name,
            price=price,
            currency=currency,
            attributes=known,
            hold_limits=limits if limited or no_hold_limits else None,
        )
        _show(item, json)


def item_cells(item: Item) -> list[str]:
    """As ITEMS names them."""
    return [item.sku, price_of(item), item.name]


def price_of(item: Item) -> str:
    return " ".join(str(part) for part in (item.price, item.currency) if part is not None)


def _show(item: Item, json: bool) -> None:
    if json:
        say_json(item_fields(item))
        return
    price = price_of(item)
    known = f", {orjson.dumps(dict(item.attributes)).decode()}" if item.attributes else ""
    limits = "" if item.hold_limits is None else f", holds {orjson.dumps(item.hold_limits.body()).decode()}"
    say(f"{item.sku}: {item.name}" + (f", {price}" if price else "") + known + limits)


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
