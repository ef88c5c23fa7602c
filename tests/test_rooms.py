"""Rooms in order, no circles, and pure files that are: for each package that has rooms."""

import ast
from pathlib import Path

import pytest

from tests.harness.houses import HOUSES, circles, imports_within, impure_files, impurities, out_of_order
from tests.harness.source import imports_of

packages = pytest.mark.parametrize("package", HOUSES)


@packages
def test_no_files_import_each_other_in_a_circle(package: str) -> None:
    assert circles(imports_within(package)) == []


@packages
def test_a_room_imports_only_what_stands_before_it(package: str) -> None:
    assert out_of_order(imports_within(package), HOUSES[package]) == []


@packages
def test_a_pure_file_knows_no_socket_no_sql_no_clock_no_loop_and_no_file(package: str) -> None:
    assert impure_files(package) == []


def test_every_file_of_the_contract_is_pure() -> None:
    assert set(HOUSES["wire"].pure.split()) == set(imports_within("wire"))


@packages
def test_a_room_lists_no_file_that_is_gone(package: str) -> None:
    house, files = HOUSES[package], imports_within(package)
    named = {module for modules in house.rooms.values() for module in modules.split()}
    assert named | set(house.pure.split()) <= set(files)
    assert {room for rooms in house.order for room in rooms} == set(house.rooms)


def test_a_planted_circle_is_found_with_all_that_are_in_it() -> None:
    planted = {**imports_within("ledger"), "commit.stock": frozenset({"commit.writer"})}
    (group,) = circles(planted)
    assert {"commit.stock", "commit.decide", "commit.statements", "commit.pending", "commit.writer"} <= set(group)
    assert "errors" not in group


def test_a_planted_import_of_a_later_room_is_found() -> None:
    planted = {**imports_within("ledger"), "feed.publisher": frozenset({"commit.writer"}), "visitor": frozenset()}
    assert out_of_order(planted, HOUSES["ledger"]) == [
        "visitor has no room",
        "feed.publisher (feed) imports commit.writer (commit)",
    ]


def test_a_planted_circle_of_the_servers_rooms_is_found() -> None:
    imports = imports_within("server")
    planted = {**imports, "settings.environment": imports["settings.environment"] | {"tls.certificate"}}
    (group,) = circles(planted)
    assert {"settings.environment", "tls.certificate"} <= set(group)
    assert out_of_order(planted, HOUSES["server"]) == ["settings.environment (settings) imports tls.certificate (tls)"]


def test_stock_that_knew_its_sessions_would_be_found() -> None:
    """As it was: what a hub holds imported, for types alone, the sessions that watch it."""
    imports = imports_within("hub")
    planted = {**imports, "stock.held": imports["stock.held"] | {"fanout.session"}}
    (group,) = circles(planted)
    assert {"stock.held", "fanout.session", "fanout.subscription", "stock.shelf"} <= set(group)
    assert out_of_order(planted, HOUSES["hub"]) == ["stock.held (stock) imports fanout.session (fanout)"]


def test_an_import_for_types_alone_counts(tmp_path: Path) -> None:
    path = tmp_path / "planted.py"
    path.write_text(
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from ledger.commit.writer import Writer\n"
    )
    assert "ledger.commit.writer" in set(imports_of(path))


@pytest.mark.parametrize(
    ("planted", "found"),
    [
        ("import socket", "decide imports socket"),
        ("def f():\n    import asyncio", "decide imports asyncio"),
        ("from time import monotonic", "decide imports time"),
        ("from sqlalchemy.ext.asyncio import AsyncEngine", "decide imports sqlalchemy.ext.asyncio"),
        ("from datetime import datetime\nat = datetime.now()", "decide calls datetime.now"),
        ("import os\nhome = os.environ['HOME']", "decide imports os"),
        ("def f():\n    return open('/etc/hostname').read()", "decide calls open"),
    ],
)
def test_a_planted_socket_clock_loop_statement_or_file_in_a_pure_file_is_found(planted: str, found: str) -> None:
    assert impurities("decide", ast.parse(planted)) == [found]
