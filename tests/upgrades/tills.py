"""The tills and screens of a test: programs on the clients of several releases, and what they say."""

import json
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.harness.children import die_with_parent
from tests.harness.release_tree import Release
from tests.harness.waiting import PATIENCE_S, wait_until

PROGRAM = Path(__file__).with_name("till.py")
OWNER = "tills"
SKUS = [f"S{number:02d}" for number in range(8)]
LOCATIONS = ["berlin", "paris", "rome"]
STOCK = 20
"""Of each sku at each location in the beginning: some sales will find none left."""
TILLS = 1
"""Of each program at each ledger."""
SCREENS = {"all": ("*", False), "one": (LOCATIONS[0], False), "public": (LOCATIONS[0], True)}
"""Of each program at each hub: what they watch, and whether as the public does."""

Message = dict[str, Any]
Key = tuple[str, str]


class TillProgram:
    """One process. ``said``: everything that it wrote so far, by kind, in order.

    ``newest``: of each screen of exact numbers the newest version of each level that it showed.
    """

    def __init__(self, name: str, release: Release, folder: Path, config: Mapping[str, object]) -> None:
        self.name = name
        self.said: dict[str, list[Any]] = defaultdict(list)
        self.newest: dict[str, dict[Key, int]] = defaultdict(dict)
        self._log = folder / f"{name}.jsonl"
        self._read_to = 0
        self._complaints = folder / f"{name}.stderr"
        self._log.touch()
        (folder / f"{name}.json").write_text(json.dumps({**config, "log": str(self._log)}))
        with self._complaints.open("ab") as err:
            self._process = subprocess.Popen(
                [sys.executable, str(PROGRAM), str(folder / f"{name}.json")],
                cwd=release.tree,
                env=release.environment({}),
                stdin=subprocess.PIPE,
                stdout=err,
                stderr=err,
                preexec_fn=die_with_parent(signal.SIGKILL),
            )

    def read(self) -> None:
        """What it has written since, whole lines. Raises AssertionError if it has ended, or met what may not be."""
        with self._log.open("rb") as file:
            file.seek(self._read_to)
            whole, newline, _ = file.read().rpartition(b"\n")
        self._read_to += len(whole) + len(newline)
        for line in whole.splitlines():
            for kind, value in json.loads(line).items():
                self.said[kind].append(value)
                if kind == "frame" and not value[0].endswith("public"):
                    screen, _, location, sku, version, *_ = value
                    shown = self.newest[screen]
                    shown[location, sku] = max(shown.get((location, sku), 0), version)
        assert self._process.poll() is None, f"{self.name} has ended:\n{self._complaints.read_text()}"
        assert not self.said["broken"], self.said["broken"]

    def tell(self, command: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{command}\n".encode())
        self._process.stdin.flush()

    async def told(self, command: str, kind: str) -> Any:
        """``command``, and what it answers to that."""
        before = len(self.said[kind])
        self.tell(command)
        return await self.says(kind, before)

    async def says(self, kind: str, before: int = 0) -> Any:
        async def said() -> bool:
            self.read()
            return len(self.said[kind]) > before

        await wait_until(said, 2 * PATIENCE_S, what=f"{self.name} says {kind}")
        return self.said[kind][-1]

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        assert self._process.stdin is not None
        self._process.stdin.close()


class NotShown(Exception):
    """A screen does not show what was sold, for now."""


@dataclass
class Disturbance:
    """While a ledger is stopped or killed, and until it is ready again, its own tills may be told so."""

    ledger: str
    from_s: float
    to_s: float = float("inf")


@dataclass
class Tills:
    """``read`` before you look."""

    programs: Sequence[TillProgram]
    disturbances: list[Disturbance] = field(default_factory=list)

    def read(self) -> None:
        for program in self.programs:
            program.read()

    @property
    def calls(self) -> list[Message]:
        return [call for program in self.programs for call in program.said["call"]]

    @property
    def errors(self) -> list[Message]:
        """What tills were told instead of an answer, with its time."""
        return [error for program in self.programs for error in program.said["error"]]

    @property
    def frames(self) -> list[list[Any]]:
        """Each with its screen's name, which no two share."""
        return [frame for program in self.programs for frame in program.said["frame"]]

    def go(self) -> None:
        for program in self.programs:
            program.tell("go")

    async def pause(self) -> None:
        """Returns when the last operation has its answer."""
        for program in self.programs:
            await program.told("pause", "paused")

    async def shown(self) -> tuple[dict[str, list[list[Any]]], bool]:
        """What stands on each screen, and whether all are fresh."""
        views: dict[str, list[list[Any]]] = {}
        fresh = True
        for program in self.programs:
            views |= await program.told("show", "views")
            fresh = fresh and program.said["fresh"][-1]
        return views, fresh

    @contextmanager
    def disturbed(self, ledger: str) -> Iterator[None]:
        """Meanwhile the tills of ``ledger`` may be told that nobody is there."""
        disturbance = Disturbance(ledger, time.monotonic())
        self.disturbances.append(disturbance)
        yield
        disturbance.to_s = time.monotonic()

    async def sold_and_shown(self, operations: int) -> None:
        """Until each till has done so many more from now on, and every screen shows the last of each, or a newer."""
        since_s = time.monotonic()

        async def done() -> bool:
            self.read()
            recent = [call for call in self.calls if call["invoked_s"] >= since_s and call.get("events") is not None]
            by_till: dict[str, list[Message]] = defaultdict(list)
            for call in recent:
                by_till[call["till"]].append(call)
            if len(by_till) < self._tills or min(map(len, by_till.values())) < operations:
                return False
            if missing := self._missing([calls[operations - 1] for calls in by_till.values()]):
                lost = [one for program in self.programs for one in program.said["lost"]]
                raise NotShown(f"{missing[:5]} of {by_till.keys()}; connections lost: {lost[-5:]}")
            return True

        what = f"{operations} operations of each till, on each screen"
        await wait_until(done, 2 * PATIENCE_S, what=what, swallow=NotShown)

    @property
    def _tills(self) -> int:
        return len(self.programs) * TILLS * 2

    def _missing(self, calls: Sequence[Message]) -> list[tuple[str, Key]]:
        """Screens of exact numbers that do not show what ``calls`` did."""
        newest: dict[str, dict[Key, int]] = {}
        for program in self.programs:
            newest |= program.newest
        return [
            (screen, (event["location"], event["sku"]))
            for call in calls
            for event in call["events"]
            for screen, shown in newest.items()
            if watches(screen, event["location"]) and shown.get((event["location"], event["sku"]), 0) < event["version"]
        ]


def watches(screen: str, location: str) -> bool:
    return SCREENS[screen.rpartition(" ")[2]][0] in ("*", location)


@asynccontextmanager
async def open_tills(
    folder: Path,
    releases: Mapping[str, Release],
    key: str,
    ledgers: Mapping[str, str],
    hubs: Mapping[str, str],
    *,
    seed: int,
    public: bool = True,
) -> AsyncIterator[Tills]:
    """A program on the client of each of ``releases``, its screens connected, its tills waiting for ``go``.

    ``ledgers`` and ``hubs``: URLs by name.
    """
    programs: list[TillProgram] = []
    try:
        for number, (of, release) in enumerate(releases.items()):
            config = {
                "key": key,
                "ledger": next(iter(ledgers.values())),
                "skus": SKUS,
                "locations": LOCATIONS,
                "seed": seed + number,
                "fill": 0 if number else STOCK,
                "tills": {f"{of} {ledger} {n}": url for ledger, url in ledgers.items() for n in range(TILLS)},
                "screens": {
                    f"{of} {hub} {name}": {"hub": url, "location": location, "public": as_public}
                    for hub, url in hubs.items()
                    for name, (location, as_public) in SCREENS.items()
                    if public or not as_public
                },
            }
            programs.append(TillProgram(f"till-{number}", release, folder, config))
            await programs[-1].says("ready")
        yield Tills(programs)
    finally:
        for program in programs:
            program.end()
