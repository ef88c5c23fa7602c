"""Captures on pages: each is there, fits 80 columns, and shows what the commands show today."""

import re

import pytest
from rich.cells import cell_len
from typer.main import get_command

from cli.findings import SIGNS
from cli.migrating import shown, wrapped
from cli.node_table import NODES
from ledger import migrations
from stockwire.cli.columns import Columns
from stockwire.cli.history import HISTORY
from stockwire.cli.holds import HOLDS
from stockwire.cli.locations import LOCATIONS
from stockwire.cli.program import program
from tests.cli.running import RunningUp
from tests.docs.captures import CAPTURES, COLUMNS, captured, take
from tests.docs.test_names import command_of
from tests.ledger.migrations.databases import expand_to

CAPTURED = captured()
OF_CHANNELS = {"channels", "channels address", "webhooks and channels"}
"""What the system of these tests runs beside that of the pages."""


def body(name: str) -> list[str]:
    """Without the command."""
    return CAPTURED[name][1][1:]


def test_each_capture_is_on_a_page_and_each_block_has_a_command_that_exists() -> None:
    assert set(CAPTURED) == set(CAPTURES)
    root = get_command(program())
    for name, capture in CAPTURES.items():
        command, _ = command_of(root, list(capture.words))
        assert command is not root, name
        assert not hasattr(command, "commands"), name
        assert CAPTURED[name][1][0].startswith(f"$ stockwire {capture.words[0]}")


@pytest.mark.parametrize("name", sorted(CAPTURES))
def test_a_capture_fits_a_terminal_of_80_columns_and_is_not_empty(name: str) -> None:
    lines = CAPTURED[name][1]
    assert len(lines) > 1
    assert max(cell_len(line) for line in lines) <= COLUMNS
    assert len(lines) <= CAPTURES[name].rows + 1


def test_the_headings_are_those_that_the_code_prints_today() -> None:
    assert body("top")[3] == Columns(NODES, COLUMNS, gap=1).heading()
    assert body("stock-history")[0] == Columns(HISTORY, COLUMNS).heading()
    assert body("stock-holds")[0] == Columns(HOLDS, COLUMNS).heading()
    assert body("locations")[0] == Columns(LOCATIONS, COLUMNS).heading()
    assert body("watch")[2].split() == ["sku", "on", "hand", "reserved", "available", "change", "last"]
    assert body("watch")[0].startswith("shop  fresh  lag ")
    assert {line[0] for line in without_pasted(body("doctor"))[:-2]} <= {*SIGNS.values(), " "}


@pytest.mark.usefixtures("processes")
def test_a_command_that_is_run_again_has_the_shape_of_its_capture(up: RunningUp) -> None:
    """Those that end by themselves and print the same of any sample shop; of the doctor, that it looks at the same."""
    again = {name: take(CAPTURES[name], up.environment()) for name in ("doctor", "stock-refused")}
    looked_at = [one for one in checks(again["doctor"]) if one not in OF_CHANNELS]
    assert looked_at == checks(CAPTURED["doctor"][1])
    assert without_numbers(again["stock-refused"]) == without_numbers(CAPTURED["stock-refused"][1])


def checks(lines: list[str]) -> list[str]:
    """The names of what was looked at, in order."""
    found = without_pasted(lines)[1:-2]
    named = [line[2:].partition(": ")[0] for line in found if not line.startswith("  ")]
    return [re.sub(r":\d+$", ":PORT", name) for name in named]


def without_pasted(lines: list[str]) -> list[str]:
    """Without the one line that is not wrapped, on as many rows as it takes."""
    first = next(number for number, line in enumerate(lines) if line.startswith("<script"))
    last = next(number for number, line in enumerate(lines) if line.endswith("</script>"))
    return lines[:first] + lines[last + 1 :]


def without_numbers(lines: list[str]) -> list[str]:
    return [re.sub(r"\d+", "9", line) for line in lines]


@pytest.mark.parametrize("name", ["migrate-plan", "migrate-contract-plan"])
async def test_a_plan_is_what_is_printed_today(name: str, empty_database_url: str) -> None:
    for schema in CAPTURES[name].schemas:
        await expand_to(empty_database_url, schema)
    contracting = "--contract" in CAPTURES[name].words
    planned = await migrations.plan(empty_database_url, contracting=contracting)
    lines = wrapped(shown(planned, contracting=contracting), COLUMNS).splitlines()
    assert without_numbers(body(name)) == without_numbers(lines)
