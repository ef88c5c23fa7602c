"""docs/reference/python.md names what the client exports, and nothing that it does not."""

import ast
import importlib
import inspect
import re
from pathlib import Path

import pytest

import stockwire
from stockwire import AsyncClient, AsyncSubscription, Client, StockwireError, Subscription, View, errors
from stockwire.asyncio.reservations import AsyncReservations
from stockwire.asyncio.stock import AsyncStock
from stockwire.asyncio.transfers import AsyncTransfers
from stockwire.sync.reservations import Reservations
from stockwire.sync.stock import Stock
from stockwire.sync.transfers import Transfers
from tests.harness.source import REFERENCE, code_names, rows, section

PAGE = (REFERENCE / "python.md").read_text()


def test_every_export_is_described() -> None:
    missing = [name for name in stockwire.__all__ if not re.search(rf"`{name}[`(]", PAGE)]
    assert not missing


def test_exports_exist_and_nothing_public_is_left_out() -> None:
    assert sorted(set(stockwire.__all__)) == sorted(stockwire.__all__)
    assert set(static_imports()) == set(stockwire.__all__)


def test_what_is_imported_at_its_first_use_is_what_type_checkers_see() -> None:
    for name, module in static_imports().items():
        assert getattr(stockwire, name) is getattr(importlib.import_module(module), name), name
    assert set(stockwire.__all__) <= set(dir(stockwire))
    assert stockwire.close_code.__name__ == "stockwire.close_code"  # a module, though nobody has imported it by name
    with pytest.raises(AttributeError, match="no attribute 'Clinet'"):
        _ = stockwire.Clinet  # type: ignore[attr-defined]  # the point


def static_imports() -> dict[str, str]:
    """What the package imports for type checkers: names, and the modules that they come from."""
    (checked,) = (
        node
        for node in ast.parse(Path(stockwire.__file__).read_text()).body
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name)
    )
    return {
        alias.name: str(found.module)
        for found in checked.body
        if isinstance(found, ast.ImportFrom)
        for alias in found.names
    }


SECTIONS: list[tuple[str, type]] = [
    *(("`Client` and `AsyncClient`", type_) for type_ in (Client, AsyncClient)),
    *(("`Stock` and `AsyncStock`", type_) for type_ in (Stock, AsyncStock)),
    *(("`Reservations` and `AsyncReservations`", type_) for type_ in (Reservations, AsyncReservations)),
    *(("`Transfers` and `AsyncTransfers`", type_) for type_ in (Transfers, AsyncTransfers)),
    *(("`Subscription` and `AsyncSubscription`", type_) for type_ in (Subscription, AsyncSubscription)),
    ("`View`", View),
]


@pytest.mark.parametrize(("title", "type_"), SECTIONS, ids=[type_.__name__ for _, type_ in SECTIONS])
def test_the_members_are_those_of_the_class(title: str, type_: type) -> None:
    described = {name for row in rows(section(PAGE, title), "Member") for name in code_names(row[0])}
    inherited = {"get", "items", "keys", "values"} if type_ is View else set()
    assert described == {name for name in members(type_) if not name.startswith("_")} - inherited


def test_the_errors_are_those_of_the_package_with_what_they_carry() -> None:
    described = {code_names(row[0])[0]: row for row in rows(section(PAGE, "Errors"), "Error")}
    raised = {
        name: value
        for name, value in vars(errors).items()
        if inspect.isclass(value) and issubclass(value, StockwireError)
    }
    assert set(described) == set(raised)
    for name, error in raised.items():
        assert code_names(described[name][1]) == [base.__name__ for base in error.__bases__ if base is not Exception]
        own = error.__init__ if "__init__" in vars(error) else None
        carried = set(re.findall(r"self\.(\w+) = ", inspect.getsource(own))) if own else set()
        assert set(code_names(described[name][2])) - {"key"} == carried, name


def members(type_: type) -> set[str]:
    """Methods and properties, and what ``__init__`` sets."""
    assigned = re.findall(r"self\.(\w+)(?:: [^=]+)? = ", inspect.getsource(type_.__init__))  # type: ignore[misc]  # on a class, on purpose
    return {name for name in dir(type_) if not hasattr(object, name)} | set(assigned)
