"""docs/reference/python.md names what `stockwire.orders` offers, and nothing that it does not."""

import ast
import inspect
import re
from pathlib import Path

import pytest

import stockwire.orders
from stockwire import StockwireError
from stockwire.orders import AsyncOrders, AsyncSaga, Orders, OrderState, Saga
from tests.harness.source import REFERENCE, code_names, rows, section

PAGE = (REFERENCE / "python.md").read_text().partition("\n## Orders\n")[2].partition("\n## ")[0]


def test_a_name_is_offered_and_not_described_or_not_seen_by_type_checkers() -> None:
    offered = stockwire.orders.__all__
    assert not [name for name in offered if not re.search(rf"`{name}[`(]", PAGE)]
    (checked,) = (
        node
        for node in ast.parse(Path(stockwire.orders.__file__).read_text()).body
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name)
    )
    seen = {alias.name for found in checked.body if isinstance(found, ast.ImportFrom) for alias in found.names}
    assert seen == set(offered) <= set(dir(stockwire.orders))
    assert [getattr(stockwire.orders, name).__name__ for name in offered] == offered


@pytest.mark.parametrize("type_", [Orders, AsyncOrders, Saga, AsyncSaga], ids=lambda type_: str(type_.__name__))
def test_a_member_is_not_described(type_: type) -> None:
    own = type_.__name__.removeprefix("Async")
    described = {
        name for row in rows(section(PAGE, f"`{own}` and `Async{own}`"), "Member") for name in code_names(row[0])
    }
    assert described == {name for name in dir(type_) if not name.startswith("_")}


def test_a_state_is_not_described() -> None:
    described = {name for row in rows(PAGE, "State (`OrderState`)") for name in code_names(row[0])}
    assert described == {state.value for state in OrderState}


def test_an_error_carries_other_things_than_described() -> None:
    described = {code_names(row[0])[0]: row for row in rows(PAGE, "Error")}
    raised = {
        name: value
        for name in stockwire.orders.__all__
        if inspect.isclass(value := getattr(stockwire.orders, name)) and issubclass(value, StockwireError)
    }
    assert set(described) == set(raised)
    for name, error in raised.items():
        assert code_names(described[name][1]) == [error.__bases__[0].__name__]
        own = error.__init__ if "__init__" in vars(error) else None
        carried = set(re.findall(r"self\.(\w+)(?:: [^=]+)? = ", inspect.getsource(own))) if own else set()
        assert set(code_names(described[name][2])) == carried - {"key"}, name
