"""The examples in the client's docstrings run, against a real system, as somebody would type them."""

import ast
import asyncio
import builtins
import contextlib
import doctest
import importlib
import inspect
import io
import pkgutil
import queue
import secrets
import traceback
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

import stockwire
from stockwire import AsyncClient, AsyncSubscription, Client, State, Subscription, View
from stockwire.asyncio.catalogue import AsyncItems, AsyncLocations
from stockwire.asyncio.reservations import AsyncReservations
from stockwire.asyncio.stock import AsyncStock
from stockwire.asyncio.transfers import AsyncTransfers
from stockwire.sync.catalogue import Items, Locations
from stockwire.sync.reservations import Reservations
from stockwire.sync.stock import Stock
from stockwire.sync.transfers import Transfers
from tests.client.blocking import in_thread
from tests.harness.shown import shown_by_hubs
from tests.harness.system import System
from tests.harness.waiting import PATIENCE_S

LOOKED_UP = [
    *(AsyncClient, AsyncStock, AsyncItems, AsyncLocations, AsyncReservations, AsyncTransfers, AsyncSubscription),
    *(Client, Stock, Items, Locations, Reservations, Transfers, Subscription, View),
]
WITHOUT = {"view"}
"""Shown wherever a subscription is."""


def documented() -> Iterator[doctest.DocTest]:
    """Every docstring with an example, of every module but the command line's."""
    finder = doctest.DocTestFinder(exclude_empty=True)
    for found in pkgutil.walk_packages(stockwire.__path__, "stockwire."):
        if not found.name.startswith("stockwire.cli"):
            yield from (test for test in finder.find(importlib.import_module(found.name)) if test.examples)


EXAMPLES = list(documented())


def offered() -> dict[str, Any]:
    return {name: getattr(stockwire, name) for name in stockwire.__all__}


def test_whatever_somebody_would_look_up_has_an_example() -> None:
    shown = {test.name for test in EXAMPLES}
    wanted = {
        f"{type_.__module__}.{type_.__qualname__}{'.' + name if name else ''}"
        for type_ in LOOKED_UP
        for name in ("", *vars(type_))
        if not name.startswith("_") and name not in WITHOUT
    }
    functions = {f"{value.__module__}.{name}" for name, value in offered().items() if inspect.isfunction(value)}
    assert wanted | functions <= shown


@pytest.mark.parametrize("test", EXAMPLES, ids=lambda test: test.name.removeprefix("stockwire."))
async def test_an_example_does_what_it_shows(
    test: doctest.DocTest, shared_system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = await shared_system.admin_key()
    monkeypatch.setenv("STOCKWIRE_URL", shared_system.ledger_url)
    monkeypatch.setenv("STOCKWIRE_API_KEY", key)
    async with asyncio.timeout(PATIENCE_S), AsyncClient() as client:
        await stock_up(shared_system, client)
        names = dict(offered(), asyncio=asyncio, queue=queue, Decimal=Decimal)
        names["receipt_number"] = secrets.token_hex(4)
        if any("await" in example.source or "async" in example.source for example in test.examples):
            await run(test, {**names, "client": client})
            return
        subscription = client.subscribe("berlin")
        async with subscription:
            view = await subscription.ready()
            while view.state is not State.FRESH:
                await subscription.next_event(PATIENCE_S)
            with Client() as blocking:
                finish = in_thread(lambda: asyncio.run(run(test, {**names, "client": blocking, "view": view})))
                await asyncio.to_thread(finish)


async def stock_up(system: System, client: AsyncClient) -> None:
    """What every example takes as given: 10 units of A-100 and of B-200 in berlin, none held, none in hamburg."""
    await client.locations.put("berlin", "Berlin")
    await client.locations.put("hamburg", "Hamburg")
    async for reservation in client.reservations.list(location="berlin"):
        if reservation.open:
            await client.reservations.cancel(reservation.id)
    for sku, name in (("A-100", "Apple"), ("B-200", "Banana")):
        await client.items.put(sku, name)
        counted = await client.stock.count(sku, "berlin", 10, if_version=None)
        await shown_by_hubs(system, "berlin", sku, counted.level.version)
        if (await client.stock.get(sku, "hamburg")).on_hand:
            await client.stock.count(sku, "hamburg", 0, if_version=None)


async def run(test: doctest.DocTest, names: dict[str, Any]) -> None:
    """As `python -m asyncio` would: with await at the top."""
    for example in test.examples:
        printed = await output_of(example.source, names)
        assert doctest.OutputChecker().check_output(example.want, printed, doctest.ELLIPSIS), (
            f"{test.name}: {example.source}expected {example.want!r}, got {printed!r}"
        )


async def output_of(source: str, names: dict[str, Any]) -> str:
    code = compile(source, "<example>", "single", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        try:
            waiting = eval(code, names)
            if inspect.isawaitable(waiting):
                await waiting
        except Exception:  # noqa: BLE001 - what an example raises is what it prints
            printed.write(traceback.format_exc())
        finally:
            vars(builtins).pop("_", None)  # as the interactive prompt leaves it
    return printed.getvalue()
