"""``stockwire stock``: read and move the stock of one sku at one location."""

from collections.abc import Awaitable, Callable
from typing import Annotated

import typer

from stockwire.asyncio.client import AsyncClient
from stockwire.asyncio.stock import AsyncStock
from stockwire.cli.fields import level_fields, result_fields
from stockwire.cli.history import history
from stockwire.cli.options import Json, Key, LocationArgument, SkuArgument, Url, complete, echo_json, failures
from stockwire.level import Level
from stockwire.operation import Details, OperationResult

stock = typer.Typer(help="Read and move the stock of one sku.", no_args_is_help=True)
stock.command("history")(history)

SIGNED = {"ignore_unknown_options": True}
"""Takes -3 as a number; an option that does not exist is an argument too many."""

Units = Annotated[int, typer.Argument(min=1, help="How many units.")]
Reference = Annotated[str | None, typer.Option("--reference", help="Order, receipt or delivery number.")]
Reason = Annotated[str | None, typer.Option("--reason", help="In words, for the audit trail.")]
IfVersion = Annotated[
    int | None, typer.Option("--if-version", min=0, help="Only if the level still stands at this version.")
]
IdempotencyKey = Annotated[
    str | None, typer.Option("--idempotency-key", help="One effect, however often this is run with this key.")
]


@stock.command("get")
def get(sku: SkuArgument, location: LocationArgument, url: Url = None, key: Key = None, json: Json = False) -> None:
    """Show a level, exactly as the ledger has it."""

    async def work() -> Level:
        async with AsyncClient(url, key) as client:
            return await client.stock.get(sku, location)

    with failures(json):
        level = complete(work())
        if json:
            echo_json(level_fields(level))
        else:
            typer.echo(level_line(level))


@stock.command("sell")
def sell(
    sku: SkuArgument,
    location: LocationArgument,
    units: Units = 1,
    reference: Reference = None,
    reason: Reason = None,
    if_version: IfVersion = None,
    idempotency_key: IdempotencyKey = None,
    url: Url = None,
    key: Key = None,
    json: Json = False,
) -> None:
    """Sell units of a sku."""
    details = Details(reference=reference, reason=reason, if_version=if_version)
    _move(lambda stock: stock.sell(sku, location, units, key=idempotency_key, **details), url, key, json)


@stock.command("receive")
def receive(
    sku: SkuArgument,
    location: LocationArgument,
    units: Units,
    reference: Reference = None,
    reason: Reason = None,
    if_version: IfVersion = None,
    idempotency_key: IdempotencyKey = None,
    url: Url = None,
    key: Key = None,
    json: Json = False,
) -> None:
    """Book units that have arrived."""
    details = Details(reference=reference, reason=reason, if_version=if_version)
    _move(lambda stock: stock.receive(sku, location, units, key=idempotency_key, **details), url, key, json)


@stock.command("return")
def return_(
    sku: SkuArgument,
    location: LocationArgument,
    units: Units = 1,
    reference: Reference = None,
    reason: Reason = None,
    if_version: IfVersion = None,
    idempotency_key: IdempotencyKey = None,
    url: Url = None,
    key: Key = None,
    json: Json = False,
) -> None:
    """Book units that a customer has brought back."""
    details = Details(reference=reference, reason=reason, if_version=if_version)
    _move(lambda stock: stock.return_(sku, location, units, key=idempotency_key, **details), url, key, json)


@stock.command("write-off")
def write_off(
    sku: SkuArgument,
    location: LocationArgument,
    units: Units,
    reference: Reference = None,
    reason: Reason = None,
    if_version: IfVersion = None,
    idempotency_key: IdempotencyKey = None,
    url: Url = None,
    key: Key = None,
    json: Json = False,
) -> None:
    """Take out units that are broken, lost or stolen."""
    details = Details(reference=reference, reason=reason, if_version=if_version)
    _move(lambda stock: stock.write_off(sku, location, units, key=idempotency_key, **details), url, key, json)


@stock.command("adjust", context_settings=SIGNED)
def adjust(
    sku: SkuArgument,
    location: LocationArgument,
    difference: Annotated[int, typer.Argument(help="Units to add, or to take away (-3).")],
    reference: Reference = None,
    reason: Reason = None,
    if_version: IfVersion = None,
    idempotency_key: IdempotencyKey = None,
    url: Url = None,
    key: Key = None,
    json: Json = False,
) -> None:
    """Correct what is on hand by a difference."""
    details = Details(reference=reference, reason=reason, if_version=if_version)
    _move(lambda stock: stock.adjust(sku, location, difference, key=idempotency_key, **details), url, key, json)


@stock.command("count")
def count(
    sku: SkuArgument,
    location: LocationArgument,
    on_hand: Annotated[int, typer.Argument(min=0, help="Units that were counted.")],
    if_version: Annotated[
        int | None, typer.Option("--if-version", min=0, help="The version that was counted against.")
    ] = None,
    any_version: Annotated[
        bool, typer.Option("--any-version", help="It does not matter what was booked since.")
    ] = False,
    reference: Reference = None,
    reason: Reason = None,
    idempotency_key: IdempotencyKey = None,
    url: Url = None,
    key: Key = None,
    json: Json = False,
) -> None:
    """Book a physical count. One of --if-version and --any-version is required."""
    if (if_version is None) != any_version:
        raise typer.BadParameter(
            "say --if-version N (the version that was counted against, so that a sale in between is not counted "
            "away), or --any-version: one of the two",
            param_hint="--if-version",
        )
    said = {"reference": reference, "reason": reason, "key": idempotency_key}
    _move(lambda stock: stock.count(sku, location, on_hand, if_version=if_version, **said), url, key, json)


def _move(
    call: Callable[[AsyncStock], Awaitable[OperationResult]], url: str | None, key: str | None, json: bool
) -> None:
    async def work() -> OperationResult:
        async with AsyncClient(url, key) as client:
            return await call(client.stock)

    with failures(json):
        result = complete(work())
        if json:
            echo_json(result_fields(result))
        else:
            typer.echo(level_line(result.level) + (" (as answered before)" if result.replayed else ""))


def level_line(level: Level) -> str:
    return (
        f"{level.sku} at {level.location}: {level.available} available "
        f"({level.on_hand} on hand, {level.reserved} reserved), version {level.version}"
    )
