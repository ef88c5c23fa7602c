"""The rooms of a package in order, and what breaks that order: ``tests/test_rooms.py`` holds the packages to it.

A room may import what stands before it, itself and nothing else of its package. ``TYPE_CHECKING`` counts, and so does
an import inside of a function: who reads the one has to know the other.
"""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.harness.source import PACKAGES, SOURCES, imports_of, module_name, parsed

Imports = Mapping[str, frozenset[str]]
"""Modules by name, each with those of the same package that it imports."""

NO_IO = {
    *("asyncio", "select", "selectors", "signal", "socket", "ssl", "subprocess", "threading", "time"),
    *("fileinput", "glob", "io", "os", "pathlib", "shutil", "tempfile"),
    *("asyncpg", "httpx", "prometheus_client", "redis", "sqlalchemy", "starlette", "uvicorn", "uvloop", "websockets"),
}
"""What a pure file imports none of: sockets, SQL, clocks, loops, files, the environment, and what is built on them."""
CLOCKS = {"now", "utcnow", "today"}
"""Of ``datetime`` and ``date``, which a pure file may import for their values."""
FILES = {"open", "input", "print"}
"""What is there without an import."""


@dataclass(frozen=True, slots=True)
class House:
    """``order``: rooms side by side do not import each other. ``rooms``: the files of each. ``pure``: of all files."""

    order: tuple[tuple[str, ...], ...]
    rooms: Mapping[str, str]
    pure: str

    def room_of(self, module: str) -> str | None:
        """``module``: as in ``rooms``, or a part of a package named there. None: nobody gave it a room."""
        while module:
            for room, modules in self.rooms.items():
                if module in modules.split():
                    return room
            module = module.rpartition(".")[0]
        return None

    def rank_of(self, room: str) -> int:
        return next(rank for rank, rooms in enumerate(self.order) if room in rooms)


HOUSES = {
    "wire": House(
        order=(("names",), ("contract",)),
        rooms={
            "names": "channels close_codes hosts names problems repeated_names shards",
            "contract": "availability messages scopes tokens",
        },
        pure="availability channels close_codes hosts messages names problems repeated_names scopes shards tokens",
    ),
    "server": House(
        order=(("ground",), ("settings",), ("broker", "rates", "tls", "tokens"), ("http",), ("process",)),
        rooms={
            "ground": "errors problems",
            "process": "metrics process",
            **{room: room for room in ("settings", "broker", "rates", "tls", "tokens", "http")},
        },
        pure="problems rates.allowance settings.addresses http.codings http.level_cursor tokens.key_set"
        " tokens.signing_keys",
    ),
    "ledger": House(
        order=(("ground",), ("database",), ("access",), ("feed",), ("commit",), ("http",), ("process",)),
        rooms={
            "ground": "errors limits settings",
            "database": "database migrations",
            "process": "__main__ admin metrics process readiness",
            **{room: room for room in ("access", "feed", "commit", "http")},
        },
        pure="commit.counters commit.decide commit.effects commit.event commit.level commit.operation"
        " commit.remembered commit.stock http.connection_table limits",
    ),
    "hub": House(
        order=(
            *(("ground",), ("stock",), ("fanout",), ("feed",), ("entry",), ("protocols",)),
            *(("stream", "reads"), ("process",)),
        ),
        rooms={
            "ground": "endings errors limits",
            "process": "__main__ admin metrics process settings workers",
            **{room: room for room in ("stock", "fanout", "feed", "entry", "protocols", "stream", "reads")},
        },
        pure="endings entry.door errors fanout.counts fanout.cursor fanout.delivery fanout.fanout fanout.frames"
        " fanout.resume fanout.session fanout.starting fanout.subscription limits protocols.native.conversation"
        " stock.held stock.level_states stock.levels stock.order stock.sequence stock.shards stock.shelf"
        " stock.view_states stock.views stream.pulse",
    ),
}


@cache
def imports_within(package: str) -> Imports:
    """Of a package's own files, without the package's name; migrations of the schema are run by Alembic alone."""
    files = {
        module_name(path).removeprefix(f"{package}."): path
        for path in SOURCES
        if path.is_relative_to(PACKAGES[package]) and module_name(path) != package and "versions" not in path.parts
    }
    return {name: frozenset(_own(package, imports_of(path), files)) - {name} for name, path in files.items()}


def _own(package: str, imported: Iterator[str], files: Mapping[str, Path]) -> Iterator[str]:
    for full in imported:
        name = full.removeprefix(f"{package}.")
        if name != full:
            while name and name not in files:
                name = name.rpartition(".")[0]  # a function or class of a module
            if name:
                yield name


def circles(imports: Imports) -> list[list[str]]:
    """Modules that import each other, in one step or many; each group once, sorted."""
    reached = {module: _reachable(module, imports) for module in imports}
    groups = {
        tuple(sorted(other for other in reached[module] if module in reached[other]))
        for module in imports
        if module in reached[module]
    }
    return [list(group) for group in sorted(groups)]


def _reachable(module: str, imports: Imports) -> set[str]:
    """``module`` itself only if a way leads back to it."""
    seen: set[str] = set()
    pending = list(imports.get(module, ()))
    while pending:
        if (name := pending.pop()) not in seen:
            seen.add(name)
            pending.extend(imports.get(name, ()))
    return seen


def out_of_order(imports: Imports, house: House) -> list[str]:
    """Each import of a room that does not stand before, and each file without a room."""
    rooms = {module: house.room_of(module) for module in imports}
    wrong = [f"{module} has no room" for module, room in rooms.items() if room is None]
    for module, others in imports.items():
        for other in sorted(others):
            here, there = rooms[module], rooms[other]
            if here and there and here != there and house.rank_of(there) >= house.rank_of(here):
                wrong.append(f"{module} ({here}) imports {other} ({there})")
    return wrong


def impurities(name: str, tree: ast.Module) -> list[str]:
    """What a pure file may not have: imports of `NO_IO`, in whatever way, and readings of the clock."""
    wrong = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            named = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            wrong += [f"{name} imports {module}" for module in named if module.split(".")[0] in NO_IO]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CLOCKS:
            wrong.append(f"{name} calls {ast.unparse(node.func)}")
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in FILES:
            wrong.append(f"{name} calls {node.func.id}")
    return wrong


def impure_files(package: str) -> list[str]:
    """Also through what a pure file of ours imports: it may know nothing that is not pure."""
    paths = {module_name(path): path for path in SOURCES}
    pending = [f"{package}.{name}" for name in HOUSES[package].pure.split()]
    seen: set[str] = set()
    wrong: list[str] = []
    while pending:
        if (name := pending.pop()) in seen or name not in paths:
            continue
        seen.add(name)
        wrong += impurities(name, parsed(paths[name]))
        pending.extend(imports_of(paths[name]))
    return wrong
