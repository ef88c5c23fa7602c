"""docs/reference/python.md names what `stockwire.streams` offers, and nothing that it does not."""

import ast
import inspect
import re
from pathlib import Path

import pytest

import stockwire.streams
from stockwire import StockwireError
from stockwire.streams import Follower, Levels
from tests.harness.source import REFERENCE, code_names, rows, section

PAGE = (REFERENCE / "python.md").read_text().partition("\n## Streams\n")[2].partition("\n## ")[0]


def test_a_name_is_offered_and_not_described_or_not_seen_by_type_checkers() -> None:
    offered = stockwire.streams.__all__
    assert not [name for name in offered if not re.search(rf"`{name}[`(]", PAGE)]
    (checked,) = (
        node
        for node in ast.parse(Path(stockwire.streams.__file__).read_text()).body
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name)
    )
    seen = {alias.name for found in checked.body if isinstance(found, ast.ImportFrom) for alias in found.names}
    assert seen == set(offered) <= set(dir(stockwire.streams))
    assert all(getattr(stockwire.streams, name) is not None for name in offered)


@pytest.mark.parametrize("type_", [Follower, Levels], ids=lambda type_: str(type_.__name__))
def test_a_member_is_not_described(type_: type) -> None:
    described = {name for row in rows(section(PAGE, f"`{type_.__name__}`"), "Member") for name in code_names(row[0])}
    assert described == {name for name in dir(type_) if not name.startswith("_")}


def test_an_error_carries_other_things_than_described() -> None:
    described = {code_names(row[0])[0]: row for row in rows(PAGE, "Error")}
    raised = {
        name: value
        for name in stockwire.streams.__all__
        if inspect.isclass(value := getattr(stockwire.streams, name)) and issubclass(value, StockwireError)
    }
    assert set(described) == set(raised)
    for name, error in raised.items():
        assert code_names(described[name][1]) == [error.__bases__[0].__name__]
        own = error.__init__ if "__init__" in vars(error) else None
        carried = set(re.findall(r"self\.(\w+) = ", inspect.getsource(own))) if own else set()
        assert set(code_names(described[name][2])) == carried, name
