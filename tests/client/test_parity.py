"""The blocking client and the async one have one vocabulary: the same members, parameters, defaults and words."""

import inspect
import re
from typing import Any

import pytest

import stockwire
from stockwire import AsyncClient, AsyncSubscription, Client, Subscription
from stockwire.asyncio.catalogue import AsyncItems, AsyncLocations
from stockwire.asyncio.reservations import AsyncReservations
from stockwire.asyncio.stock import AsyncStock
from stockwire.asyncio.transfers import AsyncTransfers
from stockwire.orders import AsyncOrders, AsyncSaga, Orders, Saga
from stockwire.sync.catalogue import Items, Locations
from stockwire.sync.reservations import Reservations
from stockwire.sync.stock import Stock
from stockwire.sync.transfers import Transfers

TWINS = [
    (AsyncClient, Client),
    (AsyncStock, Stock),
    (AsyncItems, Items),
    (AsyncLocations, Locations),
    (AsyncReservations, Reservations),
    (AsyncTransfers, Transfers),
    (AsyncSubscription, Subscription),
    (AsyncOrders, Orders),
    (AsyncSaga, Saga),
]
MADE_BY_A_CLIENT = {
    AsyncSaga,
    AsyncSubscription,
    AsyncStock,
    AsyncItems,
    AsyncLocations,
    AsyncReservations,
    AsyncTransfers,
}
"""Nobody else calls their ``__init__``, which takes the shell's own things."""
OWN_WORDS = {
    "AsyncSubscription",
    "AsyncClient",
    "AsyncOrders",
    "AsyncSaga",
    "subscribe",
    "close",
    "listen",
    "ready",
    "next_event",
    "view",
}
"""Where threads and event loops differ, so do the words."""

twins = pytest.mark.parametrize(("async_type", "type_"), TWINS, ids=[blocking.__name__ for _, blocking in TWINS])


@twins
def test_what_one_has_the_other_has(async_type: type, type_: type) -> None:
    assert set(members(async_type)) == set(members(type_))
    assert async_type.__name__ == f"Async{type_.__name__}"


@twins
def test_the_parameters_their_order_defaults_and_types_are_the_same(async_type: type, type_: type) -> None:
    own = members(type_)
    for name, method in members(async_type).items():
        if callable(method) and not (name == "__init__" and async_type in MADE_BY_A_CLIENT):
            assert parameters(method) == parameters(own[name]), name
            assert blocking(returned(method)) == returned(own[name]), name


@twins
def test_the_words_and_examples_are_the_same(async_type: type, type_: type) -> None:
    for name, member in {**members(async_type), async_type.__name__: async_type}.items():
        own = type_ if member is async_type else members(type_)[name]
        if name not in OWN_WORDS and member.__doc__:
            assert blocking(member.__doc__) == blocking(own.__doc__ or ""), name


def test_both_are_exported() -> None:
    exports = set(stockwire.__all__)
    assert {name.removeprefix("Async") for name in exports if name.startswith("Async")} <= exports


def members(type_: type) -> dict[str, Any]:
    """Public methods and properties, and ``__init__``."""
    return {
        name: member for name, member in inspect.getmembers(type_) if name == "__init__" or not name.startswith("_")
    }


def parameters(method: Any) -> list[tuple[str, str, Any, str]]:
    return [
        (parameter.name, str(parameter.kind), parameter.default, blocking(spelt(parameter.annotation)))
        for parameter in inspect.signature(method).parameters.values()
    ]


def returned(method: Any) -> str:
    return spelt(inspect.signature(method).return_annotation)


def spelt(annotation: Any) -> str:
    """Without modules: one of the two may name a type as text, which it imports for type checkers alone."""
    text = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    return re.sub(r"(?:\w+\.)+(\w+)", r"\1", text)


def blocking(text: str) -> str:
    """A type, a docstring or an example as it reads without asyncio."""
    text = re.sub(r"[\w.]*Awaitable\[(\w[\w |]*|<class '\w+'>)\]", r"\1", text)
    text = re.sub(r"\((await [^\n]*?\))\)(?=[.\[])", r"\1", text)  # (await f(x)).y
    text = text.replace("await ", "").replace("async for", "for").replace("async with", "with")
    return text.replace("AsyncIterator", "Iterator").replace("Async", "").replace("stockwire.asyncio", "stockwire.sync")
