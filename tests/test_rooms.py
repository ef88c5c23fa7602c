"""Rooms in order, no circles, and pure files that are: for each package that has rooms."""

import ast
import re
from pathlib import Path

import pytest

from tests.harness.houses import HOUSES, circles, imports_within, impure_files, impurities, out_of_order, pure_files
from tests.harness.source import SOURCES, imports_of, module_name, package_of, parsed

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
def test_a_file_that_calls_itself_pure_is_held_to_it(package: str) -> None:
    pure = pure_files(package)
    assert not [
        path
        for path in SOURCES
        if package_of(path) == package
        and module_name(path) not in (package, *pure)
        and re.search(r"\bPure( data)?[.:]", ast.get_docstring(parsed(path)) or "")
    ]


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


@pytest.mark.parametrize("line", ["from ledger.commit import writer", "from . import writer", "from .writer import W"])
def test_a_file_imported_by_its_room_is_seen(line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only its room was, so a circle within a room, or SQL in a pure file, was not."""
    monkeypatch.setattr("tests.harness.source.ROOT", tmp_path)
    path = tmp_path / "ledger" / "commit" / "planted.py"
    path.parent.mkdir(parents=True)
    path.write_text(line)
    assert "ledger.commit.writer" in set(imports_of(path))


@pytest.mark.parametrize(
    ("planted", "found"),
    [
        ("import socket", "imports socket"),
        ("import sqlite3 as storage", "imports sqlite3"),
        ("import logging", "imports logging"),
        ("def f():\n    import asyncio", "imports asyncio"),
        ("if TYPE_CHECKING:\n    from asyncio import sleep", "imports asyncio.sleep"),
        ("from time import time as moment", "imports time.time"),
        ("from http import client", "imports http.client"),
        ("import urllib.request", "imports urllib.request"),
        ("from sqlalchemy.ext.asyncio import AsyncEngine", "imports sqlalchemy.ext.asyncio.AsyncEngine"),
        ("import importlib", "imports importlib"),
        ("socket = __import__('socket')", "uses __import__"),
        ("from datetime import datetime\nat = datetime.now()", "reads datetime.now"),
        ("from datetime import datetime\nclock = datetime.now", "reads datetime.now"),
        ("import os\nhome = os.environ['HOME']", "imports os"),
        ("def f():\n    return open('/etc/hostname').read()", "uses open"),
        ("read = open", "uses open"),
        ("class Session:\n    async def send(self): ...", "runs on a loop"),
    ],
)
def test_a_planted_socket_clock_loop_statement_or_file_in_a_pure_file_is_found(planted: str, found: str) -> None:
    assert impurities("decide", ast.parse(planted)) == [f"decide {found}"]


def test_values_and_algorithms_in_a_pure_file_are_no_findings() -> None:
    planted = "from collections.abc import Iterable\nfrom http import HTTPStatus\nfrom wire.messages import Event"
    assert impurities("decide", ast.parse(planted)) == []
