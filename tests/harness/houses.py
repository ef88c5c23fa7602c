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

PURE_IMPORTS = (
    *("abc", "array", "base64", "bisect", "collections", "contextlib", "dataclasses", "datetime", "decimal", "enum"),
    *(
        "fractions",
        "functools",
        "hashlib",
        "heapq",
        "hmac",
        "http.HTTPStatus",
        "ipaddress",
        "itertools",
        "json",
        "math",
    ),
    *("operator", "random", "re", "statistics", "string", "struct", "textwrap", "types", "typing", "unicodedata"),
    *("urllib.parse", "uuid", "cryptography", "jwt", "msgspec", "orjson"),
)
"""All that a pure file may import beside pure files of ours, each with what is in it: values and algorithms. What is
not named is taken for what it may be: a socket, SQL, a clock, a loop, a file. (Chance is let in: a run can seed it.)
"""
CLOCKS = {"now", "utcnow", "today"}
"""Of ``datetime`` and ``date``, which a pure file may import for their values."""
BUILT_IN = {"open", "input", "print", "breakpoint", "__import__", "exec", "eval"}
"""What is there without an import: files, the terminal, and ways around these rules."""
WAITS = (ast.AsyncFunctionDef, ast.AsyncFor, ast.AsyncWith, ast.Await)
"""What only runs on a loop."""


@dataclass(frozen=True, slots=True)
class House:
    """``order``: rooms side by side do not import each other. ``rooms``: the files of each. ``pure``: files, and rooms
    of which every file is.
    """

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
        order=(("names",), ("contract",), ("streams",)),
        rooms={
            "names": "channels close_codes hosts names problems repeated_names shards trace",
            "contract": "availability messages scopes tokens",
            "streams": "bindings envelope",
        },
        pure="availability bindings channels close_codes envelope hosts messages names problems repeated_names scopes"
        " shards tokens trace",
    ),
    "server": House(
        order=(("ground",), ("settings",), ("broker", "rates", "tls", "tokens", "tracing"), ("http",), ("process",)),
        rooms={
            "ground": "errors histogram imports lookups problems version",
            "process": "log metrics process",
            **{room: room for room in ("settings", "broker", "rates", "tls", "tokens", "tracing", "http")},
        },
        pure="histogram problems version rates.allowance settings.addresses http.codings http.connection_table"
        " http.level_cursor tokens.key_set tokens.signing_keys tracing.names tracing.sampling tracing.span",
    ),
    "ledger": House(
        order=(("ground",), ("database",), ("access",), ("feed",), ("commit",), ("holds",), ("http",), ("process",)),
        rooms={
            "ground": "errors limits settings",
            "database": "database migrations",
            "process": "__main__ admin metrics process readiness",
            **{room: room for room in ("access", "feed", "commit", "holds", "http")},
        },
        pure="commit.arrays commit.counters commit.decide commit.effects commit.event commit.forms commit.held"
        " commit.hold commit.level commit.line commit.operation commit.plan commit.refused commit.remembered"
        " commit.remembered_holds commit.stock commit.turns holds.decide holds.limits holds.reserve holds.transfer"
        " feed.recent limits",
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
        pure="endings entry.door entry.visitors errors fanout limits protocols.native reads.problems stock"
        " stream.pulse",
    ),
    "console": House(
        order=(("ground",), ("watched",), ("following",), ("topics", "entry"), ("web",), ("process",)),
        rooms={
            "ground": "moments settings",
            "process": "__main__ process",
            **{room: room for room in ("watched", "following", "topics", "entry", "web")},
        },
        pure="entry.attempts entry.origins entry.sessions moments topics.arguments topics.patch watched",
    ),
    "followers": House(
        order=(
            ("vocabulary", "operating"),
            ("brokers", "database", "log", "outward"),
            ("api",),
            ("webhooks", "marketplaces", "exporter", "relay", "listener", "intake"),
            ("process",),
        ),
        rooms={
            "vocabulary": "channel_types sealing",
            "operating": "admin answers operated serving",
            "process": "__main__ metrics open_files process settings",
            **{room: room for room in ("brokers", "database", "log", "outward", "api")},
            **{room: room for room in ("webhooks", "marketplaces", "exporter", "relay", "listener", "intake")},
        },
        pure="""
            brokers.address
            channel_types
            exporter.auditing
            exporter.comparing
            exporter.counts
            exporter.hottest
            exporter.known
            exporter.violations
            listener.printed
            intake.answering
            intake.command
            intake.counts
            intake.in_order
            intake.known
            intake.laid_aside
            intake.levels
            intake.progress
            intake.result
            intake.window
            marketplaces.amazon.listings
            marketplaces.amazon.orders
            marketplaces.breaker
            marketplaces.buckets
            marketplaces.ebay.orders
            marketplaces.ebay.revisions
            marketplaces.ebay.shapes
            marketplaces.ebay.signature
            marketplaces.errors
            marketplaces.orders.booking
            marketplaces.orders.forms
            marketplaces.orders.knowing
            marketplaces.mapping.proposals
            marketplaces.pushing.planning
            marketplaces.reconciling.comparing
            marketplaces.reconciling.policy
            marketplaces.shopify.documents
            marketplaces.shopify.notices
            marketplaces.shopify.orders
            marketplaces.shopify.quantities
            marketplaces.targets
            marketplaces.terms
            marketplaces.vendure.notices
            marketplaces.vendure.orders
            marketplaces.vendure.standing
            marketplaces.vendure.variants
            outward.addresses
            relay.amqp_message
            relay.message
            relay.planning
            relay.progress
            relay.resuming
            relay.routes
            relay.standing
            relay.standing_by
            webhooks.key_ring
            webhooks.message
            webhooks.planning
            webhooks.schedule
            webhooks.scopes
            webhooks.signature
        """,
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
    """What a pure file may not have: other imports than `PURE_IMPORTS`, clocks, files and loops, in whatever way; also
    what is only handed on under another name.
    """
    return [f"{name} {wrong}" for node in ast.walk(tree) for wrong in _wrong_at(node)]


def _wrong_at(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (f"imports {alias.name}" for alias in node.names if not _may_be_imported(alias.name))
    elif isinstance(node, ast.ImportFrom) and not node.level:  # relative: a file of ours, which is looked at itself
        named = [f"{node.module}.{alias.name}" for alias in node.names]
        yield from (f"imports {full}" for full in named if not _may_be_imported(full))
    elif isinstance(node, ast.Attribute) and node.attr in CLOCKS:
        yield f"reads {ast.unparse(node)}"
    elif isinstance(node, ast.Name) and node.id in BUILT_IN:
        yield f"uses {node.id}"
    elif isinstance(node, WAITS):
        yield "runs on a loop"


def _may_be_imported(full: str) -> bool:
    return full.partition(".")[0] in PACKAGES or any(f"{full}.".startswith(f"{pure}.") for pure in PURE_IMPORTS)


def pure_files(package: str) -> list[str]:
    """Each by its whole name. A room that is named in ``pure`` has no other files."""
    pure = [f"{package}.{name}" for name in HOUSES[package].pure.split()]
    return [name for name in map(module_name, SOURCES) if any(f"{name}.".startswith(f"{one}.") for one in pure)]


def impure_files(package: str) -> list[str]:
    """Also through what a pure file of ours imports, its room's ``__init__`` too: it may know nothing that is not."""
    paths = {module_name(path): path for path in SOURCES}
    pending = pure_files(package)
    seen: set[str] = set()
    wrong: list[str] = []
    while pending:
        if (name := pending.pop()) in seen:
            continue
        seen.add(name)
        pending.append(name.rpartition(".")[0])
        if name in paths:
            wrong += impurities(name, parsed(paths[name]))
            pending.extend(imports_of(paths[name]))
    return wrong
