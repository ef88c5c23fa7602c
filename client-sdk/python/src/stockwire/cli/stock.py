"""``stockwire stock get|sell``."""

from typing import Annotated, Any

import orjson
import typer

from stockwire.asyncio.client import AsyncClient
from stockwire.cli.options import Json, Key, LocationArgument, SkuArgument, Url, complete
from stockwire.level import Level

stock = typer.Typer(help="Read and move the stock of one sku.", no_args_is_help=True)


@stock.command("get")
def get(sku: SkuArgument, location: LocationArgument, url: Url = None, key: Key = None, json: Json = False) -> None:
    """Show a level, exactly as the ledger has it."""

    async def work() -> Level:
        async with AsyncClient(url, key) as client:
            return await client.stock.get(sku, location)

    _show(complete(work()), json)


@stock.command("sell")
def sell(
    sku: SkuArgument,
    location: LocationArgument,
    units: Annotated[int, typer.Argument(min=1, help="How many units.")] = 1,
    reference: Annotated[str | None, typer.Option("--reference", help="Order or receipt number.")] = None,
    idempotency_key: Annotated[
        str | None, typer.Option("--idempotency-key", help="Sell once, however often this is run.")
    ] = None,
    url: Url = None,
    key: Key = None,
    json: Json = False,
) -> None:
    """Sell units of a sku."""

    async def work() -> Level:
        async with AsyncClient(url, key) as client:
            return (await client.stock.sell(sku, location, units, reference=reference, key=idempotency_key)).level

    _show(complete(work()), json)


def _show(level: Level, json: bool) -> None:
    if json:
        typer.echo(orjson.dumps(level_fields(level)).decode())
    else:
        typer.echo(
            f"{level.sku} at {level.location}: {level.available} available "
            f"({level.on_hand} on hand, {level.reserved} reserved), version {level.version}"
        )


def level_fields(level: Level) -> dict[str, Any]:
    """As the ledger writes a level."""
    committed_at = level.committed_at
    return {
        "sku": level.sku,
        "location": level.location,
        "version": level.version,
        "on_hand": level.on_hand,
        "reserved": level.reserved,
        "available": level.available,
        "kind": level.kind,
        "committed_at": committed_at and committed_at.isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "shard": level.shard,
        "seq": level.seq,
    }
