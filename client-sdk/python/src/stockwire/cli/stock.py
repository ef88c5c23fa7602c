"""``stockwire stock``: read and move the stock of one sku at one location, and hold it."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from stockwire.cli import holds
from stockwire.cli.booked import AS_BEFORE, IdempotencyKey, Reference, book
from stockwire.cli.fields import level_fields, result_fields
from stockwire.cli.history import history
from stockwire.cli.numbers import whole
from stockwire.cli.options import Json, Key, LocationArgument, SkuArgument, Url, client_of, failures
from stockwire.cli.output import say, say_json
from stockwire.level import Level
from stockwire.operation import Details, OperationResult

if TYPE_CHECKING:
    from stockwire.sync.stock import Stock

stock = typer.Typer(help="Read, move and hold stock.", no_args_is_help=True)
stock.command("history")(history)

SIGNED = {"ignore_unknown_options": True}
"""Takes -3 as a number; an option that does not exist is an argument too many."""

Units = Annotated[int, typer.Argument(parser=whole(1), help="How many units.")]
Reason = Annotated[str | None, typer.Option("--reason", help="In words, for the audit trail.")]
IfVersion = Annotated[
    int | None, typer.Option("--if-version", parser=whole(0), help="Only if the level still stands at this version.")
]


@stock.command("get")
def get(sku: SkuArgument, location: LocationArgument, url: Url = None, key: Key = None, json: Json = False) -> None:
    """Show a level, exactly as the ledger has it."""
    with failures(json), client_of(url, key) as client:
        level = client.stock.get(sku, location)
        say_json(level_fields(level)) if json else say(level_line(level))


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
    _move(lambda stock, once: stock.sell(sku, location, units, key=once, **details), idempotency_key, url, key, json)


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
    _move(lambda stock, once: stock.receive(sku, location, units, key=once, **details), idempotency_key, url, key, json)


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
    _move(lambda stock, once: stock.return_(sku, location, units, key=once, **details), idempotency_key, url, key, json)


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
    _move(
        lambda stock, once: stock.write_off(sku, location, units, key=once, **details), idempotency_key, url, key, json
    )


@stock.command("adjust", context_settings=SIGNED)
def adjust(
    sku: SkuArgument,
    location: LocationArgument,
    difference: Annotated[int, typer.Argument(parser=whole(), help="Units to add, or to take away (-3).")],
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
    _move(
        lambda stock, once: stock.adjust(sku, location, difference, key=once, **details),
        idempotency_key,
        url,
        key,
        json,
    )


@stock.command("count")
def count(
    sku: SkuArgument,
    location: LocationArgument,
    on_hand: Annotated[int, typer.Argument(parser=whole(0), help="Units that were counted.")],
    if_version: Annotated[
        int | None, typer.Option("--if-version", parser=whole(0), help="The version that was counted against.")
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
    said = {"reference": reference, "reason": reason}
    _move(
        lambda stock, once: stock.count(sku, location, on_hand, if_version=if_version, key=once, **said),
        idempotency_key,
        url,
        key,
        json,
    )


stock.command("hold")(holds.hold)
stock.command("holds")(holds.holds)
stock.command("commit")(holds.commit)
stock.command("fulfil")(holds.fulfil)
stock.command("release")(holds.release)
stock.command("extend")(holds.extend)


def _move(
    move: "Callable[[Stock, str], OperationResult]",
    idempotency_key: str | None,
    url: str | None,
    key: str | None,
    json: bool,
) -> None:
    book(
        lambda client, once: move(client.stock, once),
        idempotency_key,
        url,
        key,
        json,
        fields=result_fields,
        text=lambda result: level_line(result.level) + (AS_BEFORE if result.replayed else ""),
    )


def level_line(level: Level) -> str:
    return (
        f"{level.sku} at {level.location}: {level.available} available "
        f"({level.on_hand} on hand, {level.reserved} reserved), version {level.version}"
    )
