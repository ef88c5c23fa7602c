"""`stockwire top`: every process's metrics, read once a second."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from rich.console import Console
from rich.text import Text

from cli.admin_port import scrape
from cli.node_figures import NodeFigures, NodeState, as_fields, figures_of
from cli.node_table import lines_above, render
from cli.run_file import read_run
from cli.scrape import Scrape
from cli.trust import trusted
from server.http.page import PageTooLarge
from server.settings.environment import Environment, SettingsError
from stockwire.cli.live import draw

EVERY_S = 1.0
DEADLINE_S = 0.8
"""For one process to answer; the next round is due after EVERY_S, whoever hangs."""

Nodes = Callable[[], Mapping[str, str]]
"""Names and admin URLs, as they are known now."""


def nodes_of(admin: Sequence[str], data: Path, variables: Mapping[str, str]) -> Nodes:
    """What was named by option, else by STOCKWIRE_ADMIN_URLS, else by the run.json of a running `stockwire up`.

    The latter is read again and again: an `up` that is started again may have other ports. Raises SettingsError.
    """
    urls = [*admin] or [*Environment(variables).items("STOCKWIRE_ADMIN_URLS")]
    if urls:
        named = {_address(url): url.rstrip("/") for url in urls}
        return lambda: named
    run_nodes = RunNodes(data)
    if not run_nodes():
        raise SettingsError(
            f"no `stockwire up` runs in {data}: name its folder with --data, or admin ports with --admin URL or "
            "STOCKWIRE_ADMIN_URLS"
        )
    return run_nodes


class RunNodes:
    """The processes of the `stockwire up` in ``data``; while it is stopped, those that it had."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._nodes: Mapping[str, str] = {}

    def __call__(self) -> Mapping[str, str]:
        if run := read_run(self._data):
            self._nodes = run.admin
        return self._nodes


class Top:
    """Call ``look`` again and again: rates need two readings. ``figures``: of the last one."""

    def __init__(self, nodes: Nodes, http: httpx.AsyncClient) -> None:
        self._nodes = nodes
        self._http = http
        self._before: dict[str, Scrape] = {}
        self._called: dict[str, str] = {}
        self.figures: list[NodeFigures] = []

    async def look(self) -> None:
        """All processes side by side, none longer than DEADLINE_S. One that does not answer is away."""
        nodes = self._nodes()
        readings = await asyncio.gather(*(self._read(url) for url in nodes.values()))
        found = dict(zip(nodes, readings, strict=True))
        self._called |= {
            name: reading.node
            for name, reading in found.items()
            if isinstance(reading, Scrape) and reading.node and name == _address(nodes[name])
        }
        names = called(list(nodes), self._called)
        self.figures = [figures_of(names[name], self._before.get(name), reading) for name, reading in found.items()]
        self._before = {name: reading for name, reading in found.items() if isinstance(reading, Scrape)}

    async def _read(self, url: str) -> Scrape | NodeState:
        """Or why there is nothing to be read."""
        try:
            async with asyncio.timeout(DEADLINE_S):
                return await scrape(self._http, url)
        except PageTooLarge:
            return NodeState.TOO_BIG
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, ValueError):
            return NodeState.AWAY


def called(addresses: Sequence[str], names: Mapping[str, str]) -> dict[str, str]:
    """What each is shown as: by its own name, with its address where another has the same; else by its address.

    >>> called(["a:1", "b:1", "c:1"], {"a:1": "shop", "b:1": "shop", "c:1": "hub-1"})
    {'a:1': 'shop a:1', 'b:1': 'shop b:1', 'c:1': 'hub-1'}
    """
    counts = Counter(names.values())

    def shown(address: str) -> str:
        name = names.get(address, address)
        return name if counts[name] <= 1 else f"{name} {address}"

    return {address: shown(address) for address in addresses}


async def run(nodes: Nodes, *, as_json: bool, once: bool) -> None:
    """Until it is interrupted; ``once``: two readings, and what happened between them."""
    console = Console()
    async with httpx.AsyncClient(timeout=DEADLINE_S, verify=trusted()) as http:
        top = Top(nodes, http)
        if once:
            await top.look()
            await asyncio.sleep(EVERY_S)
            await top.look()
            _print(console, top, as_json)
        elif as_json or not console.is_terminal or console.is_dumb_terminal:
            await _every_second(top, lambda: _print(console, top, True))
        else:
            await draw(console, lambda width, height: _screen(top, width, height), _every_second(top, lambda: None))


async def _every_second(top: Top, then: Callable[[], None]) -> None:
    while True:
        began = time.monotonic()
        await top.look()
        then()
        await asyncio.sleep(max(0.0, began + EVERY_S - time.monotonic()))


def _screen(top: Top, width: int, height: int) -> Text:
    return render(top.figures, width, height) if top.figures else Text("looking …", style="dim")


def _print(console: Console, top: Top, as_json: bool) -> None:
    if as_json:
        at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        print(json.dumps(as_fields(top.figures, at)), flush=True)
    else:
        console.print(render(top.figures, console.width, len(top.figures) + lines_above(top.figures)), soft_wrap=True)


def _address(url: str) -> str:
    """Host and port. Raises SettingsError."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        port = None
    if port is None or parts.scheme not in ("http", "https"):
        raise SettingsError(f"{url!r} is no URL of an admin port: such as http://127.0.0.1:8081")
    return parts.netloc.rpartition("@")[2]
