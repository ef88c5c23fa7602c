"""docs/reference/javascript.md names what the client exports, member by member, and nothing that it does not."""

import json
import re

import pytest

from tests.harness.node import PACKAGE, run_node
from tests.harness.source import REFERENCE, code_names, rows, section

pytestmark = pytest.mark.usefixtures("processes")

PAGE = (REFERENCE / "javascript.md").read_text()
PROGRAM = """
const load = (name) => import(`${process.argv[1]}/src/${name}.js`);
const members = (made) => Object.getOwnPropertyNames(made.prototype).filter((name) => name !== "constructor");
const all = await load("index");
const [ledger, stock, reservation, transfer, view, client, badge] = await Promise.all(
  ["ledger", "stock", "reservation", "transfer", "view", "client", "badge/index"].map(load));
const own = new all.StockClient({ url: "http://ledger.example" });
console.log(JSON.stringify({
  exports: [...Object.keys(all), ...Object.keys(badge)],
  errors: Object.fromEntries(Object.entries(all).filter(([, made]) => made.prototype instanceof Error)
    .map(([name, made]) => [name, Object.getPrototypeOf(made).prototype.name])),
  "`StockClient`": [...members(client.StockClient), ...Object.keys(own)],
  "`client.stock`": members(stock.Stock),
  "`client.reservations`": members(reservation.Reservations),
  "`client.transfers`": members(transfer.Transfers),
  "`View`": [...members(view.View), "error"],
  lazy: { stock: Object.keys(own.stock), reservations: Object.keys(own.reservations),
    transfers: Object.keys(own.transfers), ledger: members(ledger.Ledger) },
}));
"""
INTERNAL = {"end", "note", "refresh", "tell"}
"""Of a view, marked so in the source."""


@pytest.fixture(scope="module")
def surface() -> dict[str, object]:
    told: dict[str, object] = json.loads(run_node("--input-type=module", "-e", PROGRAM, PACKAGE))
    return told


def described(text: str) -> set[str]:
    """What stands in the first column of its tables: names before a parenthesis."""
    names: set[str] = set()
    for row in (*rows(text, "Member"), *rows(text, "Method")):
        names |= {re.split(r"[( ]", code)[0] for code in code_names(row[0])}
    return names


def test_every_export_is_described(surface: dict[str, list[str]]) -> None:
    react = re.findall(r"^export (?:const|function) (\w+)", (PACKAGE / "src" / "react.js").read_text(), re.MULTILINE)
    assert len(react) == 4
    assert not [name for name in [*surface["exports"], *react] if not re.search(rf"`{name}[`(]", PAGE)]


@pytest.mark.parametrize(
    "heading", ["`StockClient`", "`View`", "`client.stock`", "`client.reservations`", "`client.transfers`"]
)
def test_every_member_is_described_and_every_one_described_is_there(
    heading: str, surface: dict[str, list[str]]
) -> None:
    assert described(section(PAGE, heading)) - {"for"} == set(surface[heading]) - INTERNAL


def test_options_are_those_that_the_types_name() -> None:
    types = [(PACKAGE / "src" / name).read_text() for name in ("client.js", "transport.js")]
    named = {name for text in types for name in re.findall(r"@property \{.*\} \[(\w+)\]", options_in(text))}
    shown = {name for row in rows(section(PAGE, "`StockClient`"), "Option") for name in code_names(row[0])}
    assert shown == named


def options_in(text: str) -> str:
    found = re.search(r"@typedef \{object\} (?:Client|Transport)Options\n(.*?)(?=@typedef|\*/)", text, re.DOTALL)
    assert found
    return found[1]


def test_the_table_of_errors_is_the_tree(surface: dict[str, dict[str, str]]) -> None:
    shown = {code_names(row[0])[0]: code_names(row[1])[0] for row in rows(section(PAGE, "Errors"), "Class")}
    assert shown == surface["errors"]


def test_what_is_loaded_on_use_has_the_methods_that_stand_in_for_it(surface: dict[str, dict[str, list[str]]]) -> None:
    lazy = surface["lazy"]
    for part in ("stock", "reservations", "transfers"):
        assert set(lazy[part]) == {*surface[f"`client.{part}`"]}, part
    assert {*lazy["ledger"]} <= {*surface["`StockClient`"]}
