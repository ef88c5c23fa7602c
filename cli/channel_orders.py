"""`stockwire channel orders|oversold|unmapped`: what channels sell, what is booked of it, and what a person decides."""

import json
from typing import Annotated, Any

import typer

from cli.channels_api import CHANNELS, ChannelsApi, asked
from cli.options import Channel, Data, Json
from stockwire.cli.columns import printable
from stockwire.cli.numbers import whole

SHOWN = 100

Limit = Annotated[int, typer.Option("--limit", parser=whole(1), help="Lines at most.")]


def orders(
    identifier: Channel,
    which: Annotated[str, typer.Option("--which", metavar="all|waiting|unmapped|oversold", help="Only those.")] = "all",
    order: Annotated[str | None, typer.Option("--order", metavar="ID", help="The one of this id.")] = None,
    limit: Limit = SHOWN,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """What was sold there and what is booked of it, the newest first."""
    query: dict[str, Any] = {"which": which, "limit": limit, **({"order": order} if order else {})}
    with asked(data, f"{CHANNELS}/{identifier}") as api:
        found = api.ask("GET", "/orders", **query)["orders"]
    for one in found:
        print(json.dumps(one) if as_json else printable(_order_line(one)))


def oversold(
    identifier: Channel,
    order: Annotated[str | None, typer.Option("--order", metavar="ID", help="Decide about this one.")] = None,
    sku: Annotated[str | None, typer.Option("--sku", help="Of the order.")] = None,
    book: Annotated[bool, typer.Option("--book", help="Book it if it is there by now.")] = False,
    give_up: Annotated[bool, typer.Option("--give-up", help="Leave it unbooked for good.")] = False,
    why: Annotated[str | None, typer.Option("--why", help="Kept with who asked.")] = None,
    all_: Annotated[bool, typer.Option("--all", help="Those that are settled, too.")] = False,
    limit: Limit = SHOWN,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """What was sold there and is not here; and what is to become of it."""
    with asked(data, f"{CHANNELS}/{identifier}") as api:
        if order is not None or sku is not None or book or give_up:
            _settle(api, order, sku, why, book=book, give_up=give_up)
            return
        found = api.ask("GET", "/oversold", all="true" if all_ else "false", limit=limit)["oversold"]
    for one in found:
        print(json.dumps(one) if as_json else printable(_oversold_line(one)))


def unmapped(identifier: Channel, limit: Limit = SHOWN, data: Data = None, as_json: Json = False) -> None:
    """What was sold there and belongs to no sku here: its orders wait until `map` says what it is."""
    with asked(data, f"{CHANNELS}/{identifier}") as api:
        found = api.ask("GET", "/unmapped", limit=limit)["unmapped"]
    for one in found:
        line = f"{one['remote']}  {one['units']} units in {one['orders']} orders  {one['title']}".rstrip()
        print(json.dumps(one) if as_json else printable(line))


def _settle(
    api: ChannelsApi, order: str | None, sku: str | None, why: str | None, *, book: bool, give_up: bool
) -> None:
    if order is None or sku is None or why is None or book == give_up:
        raise typer.BadParameter("say --order, --sku, --why, and one of --book and --give-up")
    body = {"order": order, "sku": sku, "how": "book" if book else "give_up", "why": why}
    api.ask("POST", "/oversold", body)
    print(f"{sku} of order {order} is {'booked if it is there now' if book else 'given up'}.")


def _order_line(one: dict[str, Any]) -> str:
    units = sum(line["quantity"] for line in one["lines"])
    booked = sum(line["sold"] + line["held"] for line in one["booked"])
    said = [f"{one['number']}  {one['state']}  {units} units, {booked} booked"]
    said += [f"oversold: {line['units']} of {line['sku']}" for line in one["oversold"]]
    said += [f"unmapped: {', '.join(one['unmapped'])}"] if one["unmapped"] else []
    said += [f"waits: {one['reason'] or 'not tried yet'}"] if one["waits"] else []
    said += [] if one["booked_here"] else ["placed before the channel was added"]
    return "; ".join(said)


def _oversold_line(one: dict[str, Any]) -> str:
    settled = f", settled by {one['resolved_by']}: {one['why']}" if one["resolved_at"] else ""
    return f"{one['at'][:19]}  {one['units']} of {one['sku']} in order {one['number']} ({one['order']}){settled}"
